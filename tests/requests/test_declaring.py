"""Ends that nothing can prove: two admins declare them, and they show so for ever."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from access_requests import actions
from access_requests.actions import NotPossible
from access_requests.actions.rules import NotYours
from access_requests.models import AccessRequest, Declaration, Proof
from accounts.choices import Role
from accounts.models import Letter, RoleAssignment, User
from audit import queries as trail
from connectors.contract.errors import Unreachable
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.cast import Cast, person
from tests.story import Story

WHY = "The server was taken apart on Monday, I was there."


@pytest.fixture
def second(story: Story) -> User:
    """Another admin."""
    return person("Beth", Role.ADMIN)


@pytest.fixture
def stuck(story: Story) -> AccessRequest:
    """Rita's access, due, at a target that does not answer any more."""
    request = story.granted("orders_prod")
    story.target.down = Unreachable("It does not answer.")
    story.later(hours=2)
    assert story.fresh(request).state == "revoking"
    return story.fresh(request)


def propose(story: Story, request: AccessRequest, user: User | None = None) -> Declaration:
    admin = user or story.cast.admin
    return actions.propose_end(request, user=admin, actor=story.by(admin), reason=WHY, at=story.now)


def confirm(story: Story, declaration: Declaration, user: User) -> None:
    actions.confirm_end(declaration, user=user, actor=story.by(user), at=story.now)


def test_two_admins_declare_it_and_it_is_never_called_proven(story: Story, stuck: AccessRequest, second: User) -> None:
    made = propose(story, stuck)
    assert story.fresh(stuck).state == "revoking", "one admin's word changes nothing"
    assert Letter.objects.filter(to=second, subject__contains=str(stuck)).count() == 1
    confirm(story, made, second)
    over = story.fresh(stuck)
    assert (over.state, over.ended_how, over.word) == ("revoked", "declared", "Revoked (declared)")
    assert not Proof.objects.filter(group__request=stuck).exists()
    assert story.group(stuck).ended_at == story.now
    entries = trail.of_subject("request", str(stuck.pk))
    assert [one.action for one in entries.order_by("-id")[:2]] == ["request.revoked", "declaration.confirmed"]
    assert over.transitions.order_by("-pk")[0].reason == f"Declared by Ada and Beth, not proven: {WHY}"


def test_nothing_is_ordered_for_it_any_more_and_a_late_report_changes_nothing(
    story: Story, stuck: AccessRequest, second: User
) -> None:
    confirm(story, propose(story, stuck), second)
    assert not Order.objects.filter(state__in=OPEN_ORDERS, person=stuck.grantee).exists()
    story.target.down = None
    story.later(hours=1)
    assert story.fresh(stuck).ended_how == "declared"
    assert not Proof.objects.filter(group__request=stuck).exists()
    assert story.held(), "what is still at the target is drift's to report, not ours to forget"


def test_other_access_there_goes_on(story: Story, stuck: AccessRequest, second: User) -> None:
    story.target.down = None
    other = story.ask("orders_dev")
    story.approve(other)
    story.target.down = Unreachable("It does not answer.")
    story.work()
    confirm(story, propose(story, stuck), second)
    story.target.down = None
    story.later(minutes=5)
    assert story.fresh(other).state == "active"


def test_nobody_confirms_their_own_word(story: Story, stuck: AccessRequest, second: User) -> None:
    made = propose(story, stuck)
    with pytest.raises(NotPossible, match="another admin"):
        confirm(story, made, story.cast.admin)
    assert story.fresh(stuck).state == "revoking"


@pytest.mark.parametrize("who", ["requester", "approver", "outsider"])
def test_who_is_no_admin_declares_nothing(story: Story, stuck: AccessRequest, second: User, who: str) -> None:
    made = propose(story, stuck)
    user = getattr(story.cast, who)
    with pytest.raises(NotYours):
        propose(story, stuck, user)
    with pytest.raises(NotYours):
        confirm(story, made, user)
    with pytest.raises(NotYours):
        actions.refuse_end(made, user=user, actor=story.by(user))
    with pytest.raises(NotYours):
        actions.withdraw_end(made, user=user, actor=story.by(user))


def test_a_power_user_is_no_second_admin(story: Story, stuck: AccessRequest, second: User) -> None:
    made = propose(story, stuck)
    with pytest.raises(NotYours):
        confirm(story, made, person("Paul", Role.POWER_USER))


def test_the_word_of_who_is_no_admin_any_more_counts_for_nothing(
    story: Story, stuck: AccessRequest, second: User
) -> None:
    made = propose(story, stuck)
    RoleAssignment.objects.filter(user=story.cast.admin).delete()
    with pytest.raises(NotPossible, match="no admin any more"):
        confirm(story, made, second)


def test_with_one_admin_nothing_can_be_declared(story: Story, stuck: AccessRequest) -> None:
    with pytest.raises(NotPossible, match="Nobody else is an admin"):
        propose(story, stuck)


def test_only_what_is_being_revoked_can_be_declared(story: Story, second: User) -> None:
    with pytest.raises(NotPossible, match="being worked on"):
        propose(story, story.granted("orders_prod"))


def test_a_reason_is_wanted_and_one_waits_at_a_time(story: Story, stuck: AccessRequest, second: User) -> None:
    admin = story.cast.admin
    with pytest.raises(NotPossible, match="how you know"):
        actions.propose_end(stuck, user=admin, actor=story.by(admin), reason="  ", at=story.now)
    propose(story, stuck)
    with pytest.raises(NotPossible, match="already"):
        propose(story, stuck, second)


def test_what_is_proven_first_is_proven_and_the_declaration_falls_away(
    story: Story, stuck: AccessRequest, second: User
) -> None:
    made = propose(story, stuck)
    story.target.down = None
    story.later(hours=1)
    assert story.fresh(stuck).ended_how == "proven"
    made.refresh_from_db()
    assert made.state == "overtaken"
    with pytest.raises(NotPossible, match="proven meanwhile"):
        confirm(story, made, second)


def test_it_is_refused_taken_back_or_lapses_and_the_revoke_goes_on(
    story: Story, stuck: AccessRequest, second: User
) -> None:
    actions.refuse_end(propose(story, stuck), user=second, actor=story.by(second), note="I see it", at=story.now)
    admin = story.cast.admin
    actions.withdraw_end(propose(story, stuck), user=admin, actor=story.by(admin), at=story.now)
    made = propose(story, stuck)
    story.now += timedelta(days=7)
    with pytest.raises(NotPossible, match="seven days"):
        confirm(story, made, second)
    story.work()
    states = list(Declaration.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["refused", "withdrawn", "lapsed"]
    assert story.fresh(stuck).state == "revoking"


def test_of_two_who_confirm_at_once_one_is_told(story: Story, stuck: AccessRequest, second: User) -> None:
    third, made = person("Carl", Role.ADMIN), propose(story, stuck)
    said: list[str] = []

    def say(user: User) -> None:
        try:
            confirm(story, made, user)
            said.append("done")
        except NotPossible as problem:
            said.append(str(problem))
        finally:
            connection.close()

    threads = [threading.Thread(target=say, args=(user,)) for user in (second, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one == "done" for one in said) == [False, True], said
    assert stuck.transitions.filter(to_state="revoked").count() == 1


def test_the_database_refuses_a_declaration_by_one(story: Story, stuck: AccessRequest, cast: Cast) -> None:
    from django.db import IntegrityError

    with pytest.raises(IntegrityError, match="requests_declaration_by_two"):
        Declaration.objects.create(
            request=stuck,
            reason=WHY,
            state="confirmed",
            proposed_by=cast.admin,
            decided_by=cast.admin,
            decided_at=story.now,
            lapses_at=story.now,
        )
