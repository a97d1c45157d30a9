"""Sign-in links: once, for a while, and kept only as a digest."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import actions
from accounts.models import SignInLink, User
from audit.actor import system
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import Cast
from tests.cast import person as somebody


def test_a_link_signs_in_its_person_once(cast: Cast) -> None:
    token = actions.make_sign_in_link(cast.requester)
    assert actions.use_sign_in_link(token) == cast.requester
    with pytest.raises(actions.LinkRefused):
        actions.use_sign_in_link(token)


def test_only_the_digest_is_kept_and_tokens_are_long_and_different(cast: Cast) -> None:
    tokens = {actions.make_sign_in_link(cast.requester) for _ in range(3)}
    assert {len(token) for token in tokens} == {43}
    assert set(SignInLink.objects.values_list("token_digest", flat=True)) == {
        hashlib.sha256(token.encode()).hexdigest() for token in tokens
    }


def test_a_link_expires(cast: Cast) -> None:
    now = timezone.now()
    token = actions.make_sign_in_link(cast.requester, minutes=5, at=now)
    with pytest.raises(actions.LinkRefused):
        actions.use_sign_in_link(token, at=now + timedelta(minutes=5))
    assert actions.use_sign_in_link(token, at=now + timedelta(minutes=4, seconds=59)) == cast.requester


def test_every_refusal_says_the_same_and_is_recorded(cast: Cast) -> None:
    now = timezone.now()
    used = actions.make_sign_in_link(cast.requester)
    actions.use_sign_in_link(used)
    disabled = actions.make_sign_in_link(cast.outsider)
    actions.disable_user(cast.outsider, actor=system())
    expired = actions.make_sign_in_link(cast.requester, at=now - timedelta(hours=1))
    before, said = AuditEntry.objects.count(), set()
    for token in (used, disabled, expired, "unknown", "", "\x00"):
        with pytest.raises(actions.LinkRefused) as refusal:
            actions.use_sign_in_link(token)
        said.add(str(refusal.value))
    assert len(said) == 1
    failures = AuditEntry.objects.order_by("id")[before:]
    assert {entry.action for entry in failures} == {"user.sign_in_failed"}
    assert [entry.subject_id for entry in failures] == [
        *(str(cast.requester.pk), str(cast.outsider.pk), str(cast.requester.pk)),
        *("", "", ""),
    ]


@pytest.mark.parametrize("minutes", [0, -1, 24 * 60 + 1])
def test_a_link_lasts_a_sensible_time(cast: Cast, minutes: int) -> None:
    with pytest.raises(actions.BadValue):
        actions.make_sign_in_link(cast.requester, minutes=minutes)


def test_a_disabled_person_gets_no_link(cast: Cast) -> None:
    actions.disable_user(cast.requester, actor=system())
    with pytest.raises(actions.BadValue):
        actions.make_sign_in_link(cast.requester)


def test_a_link_used_at_the_same_time_signs_in_once(fresh_database: str) -> None:
    token = actions.make_sign_in_link(somebody("Eve"))
    results = together(*[lambda: actions.use_sign_in_link(token)] * 4)
    assert sorted(type(result).__name__ for result in results) == ["LinkRefused"] * 3 + [User.__name__]
