"""Declaring an overdue end: it takes two admins, shows for ever, and is never a proof."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from access_requests import actions
from access_requests.models import AccessRequest, Declaration, Proof
from accounts.choices import Role
from accounts.models import RoleAssignment, User
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from integrations.models import Order
from tests.cast import person
from tests.story import Story, flow

GONE = "The server was scrapped on Monday."


@pytest.fixture
def second(story: Story) -> User:
    """The other admin."""
    return person("Ava", Role.ADMIN)


@pytest.fixture
def late(story: Story) -> AccessRequest:
    """Rita's access, whose end is overdue: the target does not answer."""
    request = story.granted("orders_prod", duration_seconds=60)
    story.target.down = Unreachable("It does not answer.")
    story.later(seconds=60)
    story.later(seconds=61)
    return story.fresh(request)


def propose(story: Story, request: AccessRequest) -> Declaration:
    ada = story.cast.admin
    return actions.propose_end(request, user=ada, actor=story.by(ada), reason=GONE, at=story.now)


def yes(story: Story, made: Declaration, user: User) -> None:
    actions.second_end(made, user=user, actor=story.by(user), at=story.now)


def test_two_admins_declare_an_end_and_nothing_more_is_ordered(story: Story, late: AccessRequest, second: User) -> None:
    yes(story, propose(story, late), second)
    done = story.fresh(late)
    assert (done.state, done.ended_how, done.ended_at, done.word) == (
        "revoked",
        "declared",
        story.now,
        "Revoked (declared)",
    )
    assert not Proof.objects.filter(group__request=late).exists()
    assert not Order.objects.filter(person=late.grantee, state__in=["queued", "leased"]).exists()
    made = Declaration.objects.get()
    assert (made.state, made.decided_by, made.unproven) == ("declared", second, [story.integration.name])
    story.target.down = None
    story.later(hours=2)
    assert story.fresh(late).ended_how == "declared"
    assert not Proof.objects.filter(group__request=late).exists()
    kept = {one.action for one in AuditEntry.objects.filter(subject_id=str(late.pk))}
    assert {"declaration.proposed", "declaration.declared", "request.revoked"} <= kept


def test_who_proposed_it_cannot_say_the_second_yes(story: Story, late: AccessRequest, second: User) -> None:
    made = propose(story, late)
    with pytest.raises(actions.NotPossible, match="another admin"):
        yes(story, made, story.cast.admin)
    for user in (story.cast.requester, story.cast.outsider, person("Pia", Role.POWER_USER), person("Vik", Role.VIEWER)):
        with pytest.raises(actions.NotYours):
            yes(story, made, user)
        with pytest.raises(actions.NotYours):
            actions.propose_end(late, user=user, actor=story.by(user), reason=GONE, at=story.now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Declaration.objects.filter(pk=made.pk).update(
            state="declared", decided_by=made.proposed_by, decided_at=story.now
        )
    assert story.fresh(late).state == "revoking"


@pytest.mark.parametrize("which", ["proposer", "second"])
def test_both_have_to_be_active_admins_at_the_second_yes(
    story: Story, late: AccessRequest, second: User, which: str
) -> None:
    made = propose(story, late)
    gone = story.cast.admin if which == "proposer" else second
    RoleAssignment.objects.filter(user=gone).delete()
    with pytest.raises(actions.NotPossible):
        yes(story, made, User.objects.get(pk=second.pk))
    RoleAssignment.objects.create(user=gone, role=Role.ADMIN)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(actions.NotPossible):
        yes(story, made, User.objects.get(pk=second.pk))
    assert story.fresh(late).state == "revoking"


def test_only_what_is_overdue_is_declared_and_only_with_a_reason(story: Story, second: User) -> None:
    ada, request = story.cast.admin, story.granted("orders_prod")
    with pytest.raises(actions.NotPossible, match="overdue"):
        actions.propose_end(request, user=ada, actor=story.by(ada), reason=GONE, at=story.now)


def test_a_proof_that_comes_first_makes_the_proposal_fall_away(story: Story, late: AccessRequest, second: User) -> None:
    made = propose(story, late)
    with pytest.raises(actions.NotPossible, match="already"):
        propose(story, late)
    story.target.down = None
    story.later(hours=1)
    assert story.fresh(late).ended_how == "proven"
    made.refresh_from_db()
    assert made.state == "proven"
    with pytest.raises(actions.NotPossible):
        yes(story, made, second)
    assert Proof.objects.filter(group__request=late).count() == 1


def test_a_proposal_is_refused_taken_back_or_lapses_and_the_revoke_goes_on(
    story: Story, late: AccessRequest, second: User
) -> None:
    made, ada = propose(story, late), story.cast.admin
    with pytest.raises(actions.NotPossible):
        actions.refuse_end(made, user=second, actor=story.by(second), note=" ", at=story.now)
    actions.refuse_end(made, user=second, actor=story.by(second), note="It runs.", at=story.now)
    made = propose(story, late)
    with pytest.raises(actions.NotYours):
        actions.take_back_end(made, user=second, actor=story.by(second), at=story.now)
    actions.take_back_end(made, user=ada, actor=story.by(ada), at=story.now)
    made = propose(story, late)
    story.now += timedelta(days=7)
    with pytest.raises(actions.NotPossible, match="lapsed"):
        yes(story, made, second)
    assert actions.sweep_declarations(at=story.now) == 1
    assert sorted(Declaration.objects.values_list("state", flat=True)) == ["lapsed", "refused", "taken_back"]
    assert story.fresh(late).state == "revoking"
    assert Order.objects.filter(person=late.grantee, state="queued").exists()


def test_other_access_of_the_person_there_goes_on(story: Story, second: User) -> None:
    flow(story.integration, "Open", "none")
    short, long = story.granted("orders_prod", duration_seconds=60), story.granted("orders_dev", duration_seconds=600)
    story.target.down = Unreachable("No.")
    story.later(seconds=60)
    story.later(seconds=61)
    yes(story, propose(story, story.fresh(short)), second)
    assert story.fresh(long).state == "active"
    story.target.down = None
    story.later(seconds=600)
    assert (story.fresh(long).ended_how, story.fresh(short).ended_how) == ("proven", "declared")
    assert {one.group.request_id for one in Proof.objects.select_related("group")} == {long.pk}


def at_once(*acts: Callable[[], Any]) -> list[Exception]:
    """Do these at the same time; return what they raised."""
    failed: list[Exception] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> None:
        try:
            gate.wait()
            act()
        except Exception as error:  # noqa: BLE001 - what was raised is what is asked
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def test_of_two_yeses_at_once_one_counts(story: Story, late: AccessRequest, second: User) -> None:
    made, third = propose(story, late), person("Aki", Role.ADMIN)
    failed = at_once(lambda: yes(story, made, second), lambda: yes(story, made, third))
    assert [type(one) for one in failed] == [actions.NotPossible]
    assert AuditEntry.objects.filter(action="declaration.declared").count() == 1
    assert story.fresh(late).ended_how == "declared"


def test_of_a_yes_and_a_proof_at_once_one_counts_and_the_record_says_which(
    story: Story, late: AccessRequest, second: User
) -> None:
    made = propose(story, late)
    story.target.down = None
    story.now += timedelta(hours=1)
    failed = at_once(lambda: yes(story, made, second), story.work)
    assert all(isinstance(one, actions.NotPossible) for one in failed), failed
    story.later(hours=1)
    made.refresh_from_db()
    done, proofs = story.fresh(late), Proof.objects.filter(group__request=late).count()
    assert done.state == "revoked"
    assert (done.ended_how, made.state, proofs) in {("declared", "declared", 0), ("proven", "proven", 1)}
