"""An approver may say yes to less: a shorter time, fewer units; never to more."""

from __future__ import annotations

import uuid

import pytest

from access_requests import actions
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Narrowing
from accounts.models import User
from audit.models import AuditEntry
from tests.story import Story, flow, unit


def less(
    story: Story, request: AccessRequest, *names: str, seconds: int | None = 1800, who: User | None = None
) -> None:
    user = who or story.cast.approver
    keep = AccessUnit.objects.filter(group__request=request, resource__name__in=names).values_list("pk", flat=True)
    actions.approve_less(
        request,
        approver=user,
        actor=story.by(user),
        keep=keep,
        duration_seconds=seconds,
        reason="Enough.",
        at=story.now,
    )


def test_what_was_dropped_is_never_granted_and_the_time_is_the_shorter(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    less(story, request, "orders_prod")
    story.work()
    fresh = story.fresh(request)
    assert (fresh.state, fresh.duration_seconds) == ("active", 1800)
    assert story.held() == {unit("orders_prod")}
    story.later(seconds=1800)
    assert story.fresh(request).ended_how == "proven"


def test_what_was_asked_for_stays_in_the_record(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    less(story, request, "orders_prod")
    kept = Narrowing.objects.get()
    assert (kept.request, kept.approver, kept.old_seconds, kept.new_seconds) == (
        request,
        story.cast.approver,
        3600,
        1800,
    )
    assert kept.dropped == [
        {
            "permission": "Read only",
            "resource": "server/orders_dev",
            "resource_type": "database",
            "integration": "Simulated server",
        }
    ]
    entry = AuditEntry.objects.get(action="request.narrowed")
    assert entry.details == {"duration_seconds": [3600, 1800], "dropped": ["Read only on server/orders_dev"]}
    assert AuditEntry.objects.get(action="request.approval_given").operation == entry.operation


def test_all_of_it_is_a_plain_yes(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    less(story, request, "orders_prod", "orders_dev", seconds=3600)
    assert story.fresh(request).state == "approved"
    assert not Narrowing.objects.exists()


def test_none_of_it_is_a_no(story: Story) -> None:
    request = story.ask("orders_prod")
    less(story, request)
    assert (story.fresh(request).state, story.fresh(request).note) == ("rejected", "Enough.")
    assert AccessUnit.objects.filter(group__request=request).exists()


@pytest.mark.parametrize("seconds", [3601, 0, -5, None])
def test_never_more_time(story: Story, seconds: int | None) -> None:
    request = story.ask("orders_prod", duration_seconds=3600)
    with pytest.raises(actions.NotPossible, match="never more"):
        less(story, request, "orders_prod", seconds=seconds)
    assert story.fresh(request).state == "pending"


def test_never_units_of_another_request(story: Story) -> None:
    request, other = story.ask("orders_prod"), story.ask("orders_dev")
    theirs = AccessUnit.objects.get(group__request=other).pk
    mine = AccessUnit.objects.get(group__request=request).pk
    for keep in ([mine, theirs], [uuid.uuid4()]):
        with pytest.raises(actions.NotPossible, match="Look again"):
            actions.approve_less(
                request,
                approver=story.cast.approver,
                actor=story.by(story.cast.approver),
                keep=keep,
                duration_seconds=60,
                at=story.now,
            )
    assert AccessUnit.objects.count() == 2


def test_who_was_not_asked_changes_nothing(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    for user in (story.cast.outsider, story.cast.requester, story.cast.admin):
        for names in (("orders_prod",), ()):
            with pytest.raises(actions.NotYours):
                less(story, request, *names, who=user)
    assert AccessUnit.objects.count() == 2
    assert story.fresh(request).duration_seconds == 3600


def test_who_answered_before_changes_nothing_afterwards(story: Story) -> None:
    groups = [{"operator": "or", "conditions": [{"type": "user", "operator": "is", "values": [one.email]}]}
              for one in (story.cast.approver, story.cast.admin)]  # fmt: skip
    flow(story.integration, "Both", mode="all_of", approval={"groups": groups},
         columns={"name": "Both", "grant_duration_minutes": 240})  # fmt: skip
    request = story.ask("orders_prod", "orders_dev", duration_seconds=7200)
    less(story, request, "orders_prod", "orders_dev", seconds=3600)
    assert (story.fresh(request).state, story.fresh(request).duration_seconds) == ("pending", 3600)
    with pytest.raises(actions.NotPossible, match="answered already"):
        less(story, request, "orders_prod", seconds=1800)
    assert AccessUnit.objects.count() == 2
    with pytest.raises(actions.NotPossible, match="never more"):
        less(story, request, "orders_prod", seconds=7200, who=story.cast.admin)
    less(story, request, "orders_prod", seconds=1800, who=story.cast.admin)
    assert (story.fresh(request).state, Narrowing.objects.count()) == ("approved", 2)


def test_an_integration_of_which_nothing_is_left_leaves_the_request(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    other = AccessGroup.objects.create(request=request, integration=second(story))
    AccessUnit.objects.filter(resource__name="orders_dev").update(group=other)
    less(story, request, "orders_prod")
    assert list(AccessGroup.objects.filter(request=request)) == [story.group(request)]


def second(story: Story) -> object:
    made = type(story.integration).objects.get(pk=story.integration.pk)
    made.pk, made.name = uuid.uuid4(), "Another"
    made.save(force_insert=True)
    return made


def test_after_the_answer_it_is_too_late(story: Story) -> None:
    request = story.ask("orders_prod", "orders_dev", duration_seconds=3600)
    story.approve(request)
    with pytest.raises(actions.NotPossible):
        less(story, request, "orders_prod")
    assert AccessUnit.objects.count() == 2
