"""Second factors: added, removed, proven; each code once, each key by its own, and every refusal in the trail."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts import actions, factors, keeping
from accounts.choices import LetterKind
from accounts.models import Letter, User
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from tests.cast import Cast
from tests.security_key import SecurityKey, at_the_browser

NOON = datetime(2026, 3, 2, 12, 0, 7, tzinfo=UTC)
STEP, SECRET = timedelta(seconds=30), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def by(user: User) -> Any:
    return person(user, Source.PORTAL)


def with_app(user: User, at: datetime = NOON) -> list[str]:
    """Give the person an authenticator app; return the recovery codes."""
    return actions.add_app(user, SECRET, factors.code_of(SECRET, at), actor=by(user), at=at)


def prove(user: User, code: str, at: datetime) -> None:
    actions.prove_by_code(user, code, actor=by(user), at=at)


def entries() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_an_app_is_added_with_a_code_it_shows_and_brings_recovery_codes(cast: Cast) -> None:
    codes = with_app(cast.requester)
    assert len(set(codes)) == 10
    assert [one.name for one in factors.factors_of(cast.requester)] == ["Authenticator app", "Recovery codes"]
    assert entries() == ["user.factor_added"]
    letter = Letter.objects.get(to=cast.requester)
    assert (letter.kind, "Authenticator app" in letter.text) == (LetterKind.SECURITY, True)


def test_an_app_that_shows_another_code_is_not_added(cast: Cast) -> None:
    for wrong in ("", "000000", factors.code_of(SECRET, NOON - timedelta(minutes=5))):
        with pytest.raises(actions.BadValue):
            actions.add_app(cast.requester, SECRET, wrong, actor=by(cast.requester), at=NOON)
    assert not factors.has_factor(cast.requester)


def test_a_code_counts_once(cast: Cast) -> None:
    with_app(cast.requester)
    later = NOON + 4 * STEP
    code = factors.code_of(SECRET, later)
    prove(cast.requester, code, later)
    for again in (later, later + timedelta(seconds=5), later + STEP):
        with pytest.raises(actions.FactorRefused):
            prove(cast.requester, code, again)


def test_the_code_that_added_the_app_proves_nothing(cast: Cast) -> None:
    with_app(cast.requester)
    with pytest.raises(actions.FactorRefused):
        prove(cast.requester, factors.code_of(SECRET, NOON), NOON)


def test_a_code_before_one_that_was_used_is_refused_though_it_is_fresh(cast: Cast) -> None:
    with_app(cast.requester)
    later = NOON + 10 * STEP
    prove(cast.requester, factors.code_of(SECRET, later + STEP), later)
    with pytest.raises(actions.FactorRefused):
        prove(cast.requester, factors.code_of(SECRET, later), later)


@pytest.mark.parametrize(("off", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(cast: Cast, off: int, good: bool) -> None:
    with_app(cast.requester)
    later = NOON + 10 * STEP
    code = factors.code_of(SECRET, later + off * STEP)
    if good:
        prove(cast.requester, code, later)
    else:
        with pytest.raises(actions.FactorRefused):
            prove(cast.requester, code, later)


def test_of_two_who_give_the_same_code_at_once_one_is_let_through(fresh_database: str, cast: Cast) -> None:
    with_app(cast.requester)
    later = NOON + 4 * STEP
    code = factors.code_of(SECRET, later)

    def give() -> bool:
        try:
            prove(cast.requester, code, later)
        except actions.FactorRefused:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: give(), range(4)))
    assert sorted(results) == [False, False, False, True]


def test_a_recovery_code_counts_once(cast: Cast) -> None:
    codes = with_app(cast.requester)
    prove(cast.requester, codes[3], NOON)
    with pytest.raises(actions.FactorRefused):
        prove(cast.requester, codes[3], NOON)
    assert factors.factors_of(cast.requester)[-1].left == 9
    prove(cast.requester, f" {codes[4][:4]} {codes[4][4:]} ", NOON)


def test_new_recovery_codes_make_the_old_ones_void(cast: Cast) -> None:
    old = with_app(cast.requester)
    new = actions.renew_codes(cast.requester, actor=by(cast.requester), confirmed_at=NOON, at=NOON)
    assert not set(old) & set(new)
    with pytest.raises(actions.FactorRefused):
        prove(cast.requester, old[0], NOON)
    prove(cast.requester, new[0], NOON)


def test_a_refusal_is_recorded_without_the_code_and_nothing_else_is(cast: Cast) -> None:
    with_app(cast.requester)
    before = len(entries())
    with pytest.raises(actions.FactorRefused):
        prove(cast.requester, "918273", NOON + 4 * STEP)
    (entry,) = AuditEntry.objects.order_by("id")[before:]
    assert (entry.action, entry.details, entry.actor_id) == (
        "user.factor_refused",
        {"kind": "code"},
        str(cast.requester.pk),
    )
    assert "918273" not in str(list(AuditEntry.objects.values()))


def test_nobody_proves_or_changes_another_ones_factor(cast: Cast) -> None:
    with_app(cast.requester)
    later = NOON + 4 * STEP
    factor = factors.factors_of(cast.requester)[0].id
    for other in (by(cast.outsider), by(cast.admin), system()):
        with pytest.raises(actions.NotAllowed):
            actions.prove_by_code(cast.requester, factors.code_of(SECRET, later), actor=other, at=later)
        with pytest.raises(actions.NotAllowed):
            actions.remove_factor(cast.requester, factor, actor=other, confirmed_at=later, at=later)
    # And the code of one person is nothing in another's hands.
    with pytest.raises(actions.FactorRefused):
        prove(cast.outsider, factors.code_of(SECRET, later), later)


@pytest.mark.parametrize("confirmed", [None, NOON - timedelta(hours=1), NOON + timedelta(minutes=1)])
def test_who_has_a_factor_changes_them_only_within_an_hour_of_proving_one(cast: Cast, confirmed: Any) -> None:
    with_app(cast.requester)
    mine, rita = by(cast.requester), cast.requester
    factor = factors.factors_of(rita)[0].id
    for change in (
        lambda: actions.remove_factor(rita, factor, actor=mine, confirmed_at=confirmed, at=NOON),
        lambda: actions.renew_codes(rita, actor=mine, confirmed_at=confirmed, at=NOON),
        lambda: actions.add_key(rita, "Blue", {}, actor=mine, confirmed_at=confirmed, at=NOON),
    ):
        with pytest.raises(actions.NotAllowed):
            change()
    almost = NOON - timedelta(minutes=59, seconds=59)
    actions.remove_factor(rita, factor, actor=mine, confirmed_at=almost, at=NOON)
    assert factors.factors_of(rita) == []
    assert entries()[-1] == "user.factor_removed"


def test_an_admin_removes_the_factors_of_others_but_not_their_own(cast: Cast) -> None:
    for user in (cast.requester, cast.admin):
        with_app(user)
    inside = Client()
    inside.force_login(cast.requester)
    assert actions.reset_factors(cast.requester, actor=by(cast.admin)) == 2
    # What was proven by a factor that is gone proves nothing any more.
    assert inside.get("/account/").status_code == 302
    assert not factors.has_factor(cast.requester)
    with pytest.raises(actions.NotAllowed):
        actions.reset_factors(cast.admin, actor=by(cast.admin))
    assert factors.has_factor(cast.admin)


def test_seeds_lie_in_the_database_as_ciphertext_only(cast: Cast) -> None:
    with_app(cast.requester)
    kept = str(list(Authenticator.objects.values("data")))
    assert SECRET not in kept
    sealed = Authenticator.objects.get(type="totp").data["secret"]
    assert keeping.unseal(sealed) == SECRET
    with pytest.raises(keeping.Unreadable):
        keeping.unseal(sealed[:-2] + ("00" if sealed[-2:] != "00" else "11"))


def test_a_key_of_the_store_is_rotated_and_factors_go_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = f"a:{'11' * 32}", f"b:{'22' * 32}"
    monkeypatch.setattr(settings, "STORE_KEYS", [old])
    codes = with_app(cast.requester)
    monkeypatch.setattr(settings, "STORE_KEYS", [new, old])
    assert (actions.reencrypt_factors(), actions.reencrypt_factors()) == (2, 0)
    monkeypatch.setattr(settings, "STORE_KEYS", [new])
    prove(cast.requester, factors.code_of(SECRET, NOON + 4 * STEP), NOON + 4 * STEP)
    prove(cast.requester, codes[0], NOON)


@pytest.fixture
def key(cast: Cast) -> Iterator[SecurityKey]:
    """Rita's key, at her browser."""
    one = SecurityKey()
    with at_the_browser():
        credential = one.create(factors.key_to_add(cast.requester))
        actions.add_key(cast.requester, " Blue ", credential, actor=by(cast.requester), at=NOON)
        yield one


def answer(user: User, credential: Any) -> None:
    actions.prove_by_key(user, credential, actor=by(user), at=NOON)


def test_a_key_proves_itself_again_and_again(cast: Cast, key: SecurityKey) -> None:
    for _ in range(2):
        answer(cast.requester, key.get(factors.key_to_ask(cast.requester)))
    assert factors.factors_of(cast.requester)[0].name == "Blue"
    assert entries() == ["user.factor_added", "user.factor_proven", "user.factor_proven"]


def test_an_answer_of_a_key_counts_once(cast: Cast, key: SecurityKey) -> None:
    said = key.get(factors.key_to_ask(cast.requester))
    answer(cast.requester, said)
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, said)
    factors.key_to_ask(cast.requester)
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, said)


def test_a_key_that_lies_is_refused(cast: Cast, key: SecurityKey) -> None:
    stranger = SecurityKey()
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, stranger.get(factors.key_to_ask(cast.requester)))
    stranger.id = key.id
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, stranger.get(factors.key_to_ask(cast.requester)))
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, key.get(factors.key_to_ask(cast.requester), origin="https://evil.example"))
    for nonsense in (None, {}, [], "x", 1, {"id": "x"}, {"response": {"clientDataJSON": "%"}}):
        factors.key_to_ask(cast.requester)
        with pytest.raises(actions.FactorRefused):
            answer(cast.requester, nonsense)
    assert set(entries()[1:]) == {"user.factor_refused"}


def test_a_copy_of_a_key_is_refused_by_its_counter(cast: Cast, key: SecurityKey) -> None:
    answer(cast.requester, key.get(factors.key_to_ask(cast.requester)))
    key.counter = 0
    with pytest.raises(actions.FactorRefused):
        answer(cast.requester, key.get(factors.key_to_ask(cast.requester)))


def test_the_key_of_one_person_is_nothing_to_another(cast: Cast, key: SecurityKey) -> None:
    factors.key_to_ask(cast.requester)
    with pytest.raises(actions.FactorRefused):
        answer(cast.outsider, key.get(factors.key_to_ask(cast.outsider)))


def test_a_made_up_key_is_not_added(cast: Cast) -> None:
    with at_the_browser():
        for nonsense in (
            None,
            {},
            [],
            {"id": "x", "response": {}},
            SecurityKey().create(factors.key_to_add(cast.outsider), "https://evil.example"),
        ):
            factors.key_to_add(cast.requester)
            with pytest.raises(actions.BadValue):
                actions.add_key(cast.requester, "x", nonsense, actor=by(cast.requester), at=NOON)


def test_an_hour_counts_for_the_person_who_proved_it_only(cast: Cast) -> None:
    session: dict[str, Any] = {}
    factors.remember(session, cast.requester, NOON)
    hour = timedelta(hours=1)
    assert factors.proven_at(session, cast.requester, NOON + hour - timedelta(seconds=1)) == NOON
    assert factors.proven_at(session, cast.requester, NOON + hour) is None
    assert factors.proven_at(session, cast.requester, NOON - timedelta(seconds=1)) is None
    assert factors.proven_at(session, cast.outsider, NOON) is None
    factors.forget(session)
    assert factors.proven_at(session, cast.requester, NOON) is None
