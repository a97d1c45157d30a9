"""Break-glass envelopes: two admins, one paper, one use."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from access_requests import actions
from access_requests.actions import AlreadySeen, NotPossible, NotYours, envelopes
from access_requests.choices import RevocationKind
from access_requests.envelopes import EnvelopeState
from access_requests.models import AccessSession, Envelope, Proof
from access_requests.queries.dossier import gather
from accounts.choices import Role
from accounts.models import Group, Letter, User
from audit import queries as trail
from tests.cast import person
from tests.envelopes.conftest import WHY, Safe, over
from tests.story import amend


@pytest.mark.full
def test_nothing_is_given_before_the_second_yes(safe: Safe) -> None:
    made = safe.prepare()
    safe.story.work()
    assert safe.fresh(made).state == EnvelopeState.WAITING
    assert not safe.held(made)
    assert Letter.objects.filter(to=safe.beth, subject__contains="Envelope 1").count() == 1
    assert not Letter.objects.filter(to=safe.ada).exists(), "who prepared it is not asked"


def test_the_same_admin_does_not_say_both(safe: Safe) -> None:
    made = safe.prepare()
    with pytest.raises(NotPossible, match="another admin"):
        envelopes.confirm(made, user=safe.ada, actor=safe.story.by(safe.ada), at=safe.story.now)
    safe.story.work()
    assert safe.fresh(made).state == EnvelopeState.WAITING


@pytest.mark.full
def test_who_is_no_admin_does_nothing_with_it(safe: Safe) -> None:
    made, otto = safe.ready(), safe.story.cast.outsider
    by = {"user": otto, "actor": safe.story.by(otto)}
    viewer, power = person("Vic", Role.VIEWER), person("Pia", Role.POWER_USER)
    for who in (otto, viewer, power):
        with pytest.raises(NotYours):
            safe.print_out(made, who)
        with pytest.raises(NotYours):
            safe.tell(made, who)
    with pytest.raises(NotYours):
        envelopes.prepare(safe.story.pair("orders_prod"), reason=WHY, **by)
    with pytest.raises(NotYours):
        envelopes.withdraw(made, reason=WHY, **by)
    assert safe.fresh(made).state == EnvelopeState.READY


@pytest.mark.full
def test_what_no_flow_gives_cannot_be_in_it(safe: Safe) -> None:
    with pytest.raises(NotPossible, match="No access flow gives"):
        envelopes.prepare(
            safe.story.pair("orders_prod", "ADMIN"), user=safe.ada, actor=safe.story.by(safe.ada), reason=WHY
        )
    assert not User.objects.filter(email__endswith=envelopes.DOMAIN).exists()


@pytest.mark.full
def test_one_admin_alone_cannot_prepare_any(safe: Safe) -> None:
    User.objects.filter(pk=safe.beth.pk).update(is_active=False)
    with pytest.raises(NotPossible, match="Nobody else is an admin"):
        safe.prepare()


@pytest.mark.full
def test_a_second_yes_counts_nothing_once_the_first_admin_has_left(safe: Safe) -> None:
    made = safe.prepare()
    User.objects.filter(pk=safe.ada.pk).update(is_active=False)
    with pytest.raises(NotPossible, match="no admin any more"):
        envelopes.confirm(made, user=safe.beth, actor=safe.story.by(safe.beth), at=safe.story.now)


def test_it_is_printed_once_with_the_password_that_opens_and_nothing_is_left_of_it(safe: Safe) -> None:
    made = safe.ready()
    secret = safe.print_out(made)
    login = safe.story.group(made.request).login
    assert login.startswith("lk_envelope_1_")
    assert secret == {"password": safe.story.target.passwords[login]}
    session = AccessSession.objects.get(group__request=made.request)
    assert (session.sealed_credentials, session.consumed_by) == ("", "envelope, paper")
    with pytest.raises(AlreadySeen, match="printed by Ada"):
        safe.print_out(made, safe.beth)
    (entry,) = trail.of_subject("request", str(made.request.pk)).filter(action="envelope.printed")
    assert secret["password"] not in str(entry.details)
    assert safe.fresh(made).state == EnvelopeState.SEALED


@pytest.mark.full
def test_nobody_gets_new_credentials_of_it_by_another_door(safe: Safe) -> None:
    made = safe.sealed()
    nobody = made.request.grantee
    assert not nobody.is_active
    User.objects.filter(pk=nobody.pk).update(is_active=True)
    nobody.refresh_from_db()
    session = AccessSession.objects.get(group__request=made.request)
    by = {"user": nobody, "actor": safe.story.by(nobody), "at": safe.story.now}
    for act in (actions.take_credentials, actions.reset_credentials):
        with pytest.raises(NotYours):
            act(session, **by)  # type: ignore[operator]
    with pytest.raises(NotPossible, match="successor"):
        actions.extend(made.request, seconds=600, **by)
    with pytest.raises(NotPossible, match="successor"):
        actions.grant_again(made.request, user=safe.ada, actor=safe.story.by(safe.ada))


def test_of_two_prints_at_once_one_wins(safe: Safe) -> None:
    made, got, lost = safe.ready(), [], []
    together = threading.Barrier(2)

    def run(who: User) -> None:
        try:
            together.wait(timeout=20)
            got.append(safe.print_out(made, who))
        except AlreadySeen as error:
            lost.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[who]) for who in (safe.ada, safe.beth)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert (len(got), len(lost)) == (1, 1)
    assert trail.of_subject("request", str(made.request.pk)).filter(action="envelope.printed").count() == 1


def test_saying_that_it_was_opened_ends_it_and_the_end_is_proven(safe: Safe) -> None:
    made = safe.sealed()
    safe.alive(15)
    safe.tell(made, opened_at=safe.story.now - timedelta(minutes=10))
    safe.story.work()
    found = safe.fresh(made)
    assert over(found.request) == ("revoked", "proven", "envelope_opened")
    assert Proof.objects.filter(group__request=made.request).exists()
    assert not safe.held(made)
    assert found.word == "Ended: used"
    (entry,) = trail.of_subject("request", str(made.request.pk)).filter(action="envelope.opened")
    assert entry.details["opened_by"] == "Rita"
    assert entry.details["opened_at"] == (safe.story.now - timedelta(minutes=10)).isoformat()
    assert entry.details["reason"] == "orders were lost"
    told = gather(found.request, safe.story.now)["request"]["envelope"]
    assert (told["opened_by"], told["confirmed_by"]["name"]) == ("Rita", "Beth")


@pytest.mark.full
def test_the_group_on_call_says_it_too_and_no_other_of_them(safe: Safe, on_call: Group) -> None:
    first, second = safe.sealed(keepers=on_call), safe.sealed(name="orders_dev")
    rita = safe.story.cast.requester
    with pytest.raises(NotYours):
        safe.tell(second, rita)
    safe.tell(first, rita)
    assert (safe.fresh(first).state, safe.fresh(second).state) == (EnvelopeState.ENDING, EnvelopeState.SEALED)
    with pytest.raises(NotYours):
        safe.print_out(second, rita)


@pytest.mark.full
@pytest.mark.parametrize("days", [1, -90])
def test_the_time_it_was_opened_is_not_in_the_future_and_not_before_the_print(safe: Safe, days: int) -> None:
    made = safe.sealed()
    with pytest.raises(NotPossible, match="check the time"):
        safe.tell(made, opened_at=safe.story.now + timedelta(days=days))
    assert safe.fresh(made).state == EnvelopeState.SEALED


@pytest.mark.full
def test_people_and_policy_change_and_it_stays(safe: Safe) -> None:
    made = safe.sealed()
    flow_ = made.request.flow_version.flow
    amend(flow_, active=False)
    type(flow_).objects.filter(pk=flow_.pk).update(active=False)
    User.objects.filter(pk=safe.ada.pk).update(is_active=False)
    actions.recheck_everything(at=safe.story.now)
    actions.recheck_flow(flow_.pk, at=safe.story.now)
    actions.recheck_person(safe.ada.pk, at=safe.story.now)
    safe.story.work()
    assert safe.fresh(made).state == EnvelopeState.SEALED
    assert safe.held(made)


@pytest.mark.full
def test_everything_of_a_person_leaves_it_and_everything_of_its_integration_ends_it(safe: Safe) -> None:
    made = safe.sealed()
    by = {"actor": safe.story.by(safe.beth), "reason": "a drill", "at": safe.story.now}
    actions.revoke_all(RevocationKind.PERSON, safe.ada, **by)  # type: ignore[arg-type]
    safe.story.work()
    assert safe.fresh(made).state == EnvelopeState.SEALED
    actions.revoke_all(RevocationKind.INTEGRATION, safe.story.integration, **by)  # type: ignore[arg-type]
    safe.story.work()
    found = safe.fresh(made)
    assert (found.word, found.request.ended_how) == ("Ended: revoked with everything else", "proven")


@pytest.mark.full
def test_a_freeze_keeps_it_from_being_made(safe: Safe) -> None:
    made = safe.prepare()
    frozen = actions.freeze(None, actor=safe.story.by(safe.beth), reason="a drill", at=safe.story.now)
    envelopes.confirm(made, user=safe.beth, actor=safe.story.by(safe.beth), at=safe.story.now)
    safe.story.work()
    assert (safe.fresh(made).state, safe.held(made)) == (EnvelopeState.PREPARING, False)
    actions.thaw(frozen, actor=safe.story.by(safe.beth), reason="over", at=safe.story.now)
    safe.story.work()
    assert (safe.fresh(made).state, safe.held(made)) == (EnvelopeState.READY, True)


@pytest.mark.full
def test_its_days_end_and_admins_are_asked_for_a_new_one_before_and_after(safe: Safe) -> None:
    made = safe.sealed(days=20)
    Envelope.objects.filter(pk=made.pk).update(looked_at=safe.story.now + timedelta(days=30))
    safe.story.now += timedelta(days=7)
    sweep_alive(safe)
    assert safe.fresh(made).days_left(safe.story.now) == 13
    assert Letter.objects.filter(to=safe.beth, subject__contains="ends soon").count() == 1
    safe.story.later(days=13, minutes=1)
    sweep_alive(safe)
    found = safe.fresh(made)
    assert (found.word, found.request.ended_how) == ("Ended: its time was over", "proven")
    assert Letter.objects.filter(to=safe.beth, subject__contains="a new one is needed").count() == 1
    before = Letter.objects.count()
    sweep_alive(safe)
    assert Letter.objects.count() == before, "each letter is written once"


def sweep_alive(safe: Safe) -> None:
    """Sweep as if the platform had been alive all the time."""
    from access_requests.models import Pulse

    Pulse.objects.update(at=safe.story.now)
    safe.sweep()


@pytest.mark.full
def test_the_successor_takes_its_place_when_it_is_printed_and_not_before(safe: Safe) -> None:
    old = safe.sealed()
    new = safe.ready(succeeds=old)
    assert safe.fresh(old).state == EnvelopeState.SEALED
    safe.print_out(new)
    safe.story.work()
    assert safe.fresh(old).word == "Ended: rotated"
    assert (safe.held(old), safe.held(new)) == (False, True)


@pytest.mark.full
def test_one_that_was_refused_or_withdrawn_was_never_given(safe: Safe) -> None:
    first, second = safe.prepare(), safe.prepare("orders_dev")
    envelopes.refuse(first, user=safe.beth, actor=safe.story.by(safe.beth), note="no", at=safe.story.now)
    envelopes.withdraw(second, user=safe.ada, actor=safe.story.by(safe.ada), reason="no", at=safe.story.now)
    safe.story.work()
    assert [safe.fresh(one).word for one in (first, second)] == ["Ended: refused", "Ended: withdrawn"]
    assert not safe.held(first)
    assert not safe.held(second)
    with pytest.raises(NotPossible, match="does not wait"):
        envelopes.confirm(first, user=safe.beth, actor=safe.story.by(safe.beth), at=safe.story.now)
