"""More time: the end moves without a gap, as often and as long as the flow of now says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from access_requests import actions
from access_requests.models import AccessRequest, Extension, ExtensionApproval
from accounts.models import GroupMembership, User
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from flows import actions as flow_actions
from flows.models import AccessFlow
from tests.accounts.threads import together
from tests.cast import Cast
from tests.story import SECOND, Story, allow_extensions, begin, flow, simulated_provider, unit

LEASE = 60


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A flow that asks nobody and gives two extensions of at most half an hour."""
    with simulated_provider():
        told = begin(cast)
        allow_extensions(flow(told.integration, mode="none"), 2, 1800)
        yield told


@pytest.fixture
def asking(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """The same, but an approver has to say yes."""
    with simulated_provider():
        told = begin(cast)
        allow_extensions(flow(told.integration), 2, 1800)
        yield told


def extend(story: Story, request: AccessRequest, seconds: int = 600, **more: Any) -> Extension:
    who = more.pop("user", story.cast.requester)
    more.setdefault("justification", "not done yet")
    return actions.extend(request, user=who, actor=story.by(who), seconds=seconds, at=story.now, **more)


def approve(story: Story, extension: Extension, user: User | None = None) -> Extension:
    who = user or story.cast.approver
    return actions.approve_extension(extension, approver=who, actor=story.by(who), at=story.now)


def recorded(request: AccessRequest) -> list[str]:
    entries = AuditEntry.objects.filter(subject_type="request", subject_id=str(request.pk)).order_by("id")
    return [entry.action for entry in entries if entry.action.startswith("extension.")]


def test_the_end_moves_at_once_and_so_does_the_targets_own(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    group, before = story.group(request), request.ends_at
    assert before is not None
    story.later(seconds=1700)
    extension = extend(story, request)
    assert (extension.state, extension.old_end, extension.new_end) == (
        "approved",
        before,
        before + timedelta(seconds=600),
    )
    assert story.fresh(request).state == "active"
    story.work()
    assert story.target.ends[str(group.pk)] == pytest.approx((before + timedelta(seconds=600 + LEASE)).timestamp())
    assert story.group(request).backstop_at == before + timedelta(seconds=600 + LEASE)
    story.later(seconds=699)
    assert story.fresh(request).state == "active"
    assert story.held() == {unit("orders_prod")}
    story.later(seconds=1)
    ended = story.fresh(request)
    assert (ended.state, ended.ended_how, ended.due_at) == ("revoked", "proven", extension.new_end)
    assert recorded(request) == ["extension.requested", "extension.approved"]


def test_an_extension_makes_no_new_password_and_cuts_nothing(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    password = dict(story.target.passwords)
    extend(story, request)
    story.work()
    assert story.target.passwords == password
    assert story.session(request).credentials_status == "AVAILABLE"


def test_the_backstop_is_renewed_when_the_target_answers_again(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    grant = str(story.group(request).pk)
    story.target.down = Unreachable("It is away.")
    extension = extend(story, request)
    story.work()
    old_end, new_end = extension.old_end, extension.new_end
    assert old_end
    assert new_end
    assert story.target.ends[grant] <= (old_end + timedelta(seconds=LEASE)).timestamp()
    backstop = story.group(request).backstop_at
    assert backstop is not None
    assert backstop <= old_end + timedelta(seconds=LEASE), "nothing is said of the target that it did not do"
    story.target.down = None
    story.later(seconds=300)
    assert story.target.ends[grant] == pytest.approx((new_end + timedelta(seconds=LEASE)).timestamp())


def test_with_approval_the_approvers_are_asked_again_and_access_stays_active(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    end = request.ends_at
    extension = extend(asking, request)
    assert (extension.state, asking.fresh(request).ends_at) == ("pending", end)
    asked = ExtensionApproval.objects.get(extension=extension)
    assert (asked.approver, asked.why) == (asking.cast.approver, "You are in the group approvers")
    approve(asking, extension)
    fresh = asking.fresh(request)
    assert fresh.state == "active"
    assert fresh.ends_at is not None
    assert end is not None
    assert fresh.ends_at - end == timedelta(seconds=600)
    assert recorded(request) == ["extension.requested", "extension.approval_given", "extension.approved"]


def test_one_no_settles_it_and_access_ends_when_it_was_to_end(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    who = asking.cast.approver
    actions.reject_extension(extension, approver=who, actor=asking.by(who), reason="Enough.", at=asking.now)
    stored = Extension.objects.get(pk=extension.pk)
    assert (stored.state, stored.note, asking.fresh(request).ends_at) == ("rejected", "Enough.", request.ends_at)
    with pytest.raises(actions.NotPossible, match="no answer any more"):
        approve(asking, extension)
    assert extend(asking, request).number == 2


def test_who_was_not_asked_can_neither_ask_nor_answer(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    for user in (asking.cast.outsider, asking.cast.approver, asking.cast.admin):
        with pytest.raises(actions.NotYours):
            extend(asking, request, user=user)
    extension = extend(asking, request)
    for user in (asking.cast.outsider, asking.cast.requester, asking.cast.admin):
        with pytest.raises(actions.NotYours):
            approve(asking, extension, user)
        with pytest.raises(actions.NotYours):
            actions.reject_extension(extension, approver=user, actor=asking.by(user), at=asking.now)
    for user in (asking.cast.outsider, asking.cast.approver):
        with pytest.raises(actions.NotYours):
            actions.cancel_extension(extension, user=user, actor=asking.by(user), at=asking.now)
    assert Extension.objects.get().state == "pending"


def test_one_waits_at_a_time_also_by_the_database(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    with pytest.raises(actions.NotPossible, match="waits for an answer already"):
        extend(asking, request)
    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.create(
            request=request,
            number=2,
            requested_by=asking.cast.requester,
            flow_version=extension.flow_version,
            seconds=1,
        )
    actions.cancel_extension(extension, user=asking.cast.requester, actor=asking.by(asking.cast.requester))
    assert extend(asking, request).state == "pending"


def test_what_waits_when_access_ends_lapses_with_it(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    asking.later(seconds=1800)
    stored = Extension.objects.get(pk=extension.pk)
    assert (stored.state, asking.fresh(request).state) == ("lapsed", "revoked")
    assert asking.held() == set()
    with pytest.raises(actions.NotPossible):
        approve(asking, extension)
    assert recorded(request)[-1] == "extension.lapsed"


def test_handing_back_ends_it_too(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extend(asking, request)
    actions.hand_back(request, user=asking.cast.requester, actor=asking.by(asking.cast.requester), at=asking.now)
    assert Extension.objects.get().state == "lapsed"


def test_as_often_as_the_flow_says(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    extend(story, request)
    extend(story, request)
    with pytest.raises(actions.NotPossible, match="no more extensions: 2 were given"):
        extend(story, request)
    assert Extension.objects.filter(request=request, state="approved").count() == 2


@pytest.mark.parametrize("seconds", [0, -1, 1801, 10**9])
def test_as_long_as_the_flow_says(story: Story, seconds: int) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    with pytest.raises(actions.NotPossible, match="At most 30 min more"):
        extend(story, request, seconds)
    assert not Extension.objects.exists()


def test_a_flow_wants_its_justification_again(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    with pytest.raises(actions.NotPossible, match="wants a justification"):
        extend(story, request, justification="  ")
    with pytest.raises(actions.NotPossible, match="at most 2000"):
        extend(story, request, justification="x" * 2001)


def test_after_the_end_nothing_is_extended_even_before_the_sweep(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    story.now += timedelta(seconds=1800)
    with pytest.raises(actions.NotPossible, match="has ended"):
        extend(story, request)


def test_an_answer_after_the_end_is_too_late_even_before_the_sweep(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    asking.now += timedelta(seconds=1800)
    with pytest.raises(actions.NotPossible, match="has ended"):
        approve(asking, extension)
    assert asking.fresh(request).ends_at == request.ends_at


def test_an_end_that_was_found_due_does_not_cut_what_was_extended_since(story: Story) -> None:
    """The sweep has read the row, then the extension commits, then the sweep acts."""
    from access_requests.actions.sweeps import _end_by_time

    request = story.granted("orders_prod", duration_seconds=1800)
    stale = story.fresh(request)
    extend(story, request)
    assert request.ends_at is not None
    assert _end_by_time(stale, request.ends_at) is False
    assert story.fresh(request).state == "active"


def test_a_change_of_policy_counts_for_what_waits(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    allow_extensions(AccessFlow.objects.get(), 0, 0)
    with pytest.raises(actions.NotPossible, match="gives no extensions"):
        approve(asking, extension)
    assert asking.fresh(request).ends_at == request.ends_at
    assert ExtensionApproval.objects.get().status == "pending", "an answer that could not count is not kept"


def test_who_lost_eligibility_gets_no_more_time(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension = extend(asking, request)
    GroupMembership.objects.filter(group__name="engineers").delete()
    with pytest.raises(actions.NotPossible, match="No access flow gives you this"):
        approve(asking, extension)


def test_a_flow_that_is_switched_off_gives_no_more_time(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=1800)
    AccessFlow.objects.update(active=False)
    document = AccessFlow.objects.get().current.document | {"active": False}
    type(AccessFlow.objects.get().current).objects.update(document=document)
    with pytest.raises(actions.NotPossible):
        extend(story, request)


def test_where_nobody_could_answer_it_is_refused_and_never_held(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    GroupMembership.objects.filter(group__name="approvers").delete()
    with pytest.raises(actions.NotPossible, match="Nobody but you could approve"):
        extend(asking, request)
    assert not Extension.objects.exists()


def test_a_flow_that_says_nothing_of_extensions_gives_none(fresh_database: None, cast: Cast) -> None:
    with simulated_provider():
        told = begin(cast)
        flow(told.integration, mode="none")
        request = told.granted("orders_prod")
        with pytest.raises(actions.NotPossible, match="gives no extensions"):
            extend(told, request)


def test_access_without_an_end_is_not_extended(fresh_database: None, cast: Cast) -> None:
    with simulated_provider():
        told = begin(cast)
        made = flow(told.integration, mode="none", columns={"grant_duration_minutes": None, "indefinite": True})
        allow_extensions(made, 2, 600)
        request = told.granted("orders_prod")
        assert told.target.ends[str(told.group(request).pk)] == math.inf
        with pytest.raises(actions.NotPossible, match="no end that could be moved"):
            extend(told, request)


def test_all_of_needs_every_group_again(fresh_database: None, cast: Cast) -> None:
    groups = [{"operator": "or", "conditions": [{"type": "user", "operator": "is", "values": [one.email]}]}
              for one in (cast.approver, cast.admin)]  # fmt: skip
    with simulated_provider():
        told = begin(cast)
        made = flow(told.integration, mode="all_of", approval={"groups": groups})
        allow_extensions(made, 1, 600)
        request = told.ask("orders_prod", duration_seconds=1800)
        for who in (cast.approver, cast.admin):
            actions.approve(request, approver=who, actor=told.by(who), at=told.now)
        told.work()
        extension = extend(told, request)
        assert approve(told, extension).state == "pending"
        with pytest.raises(actions.NotPossible, match="answered already"):
            approve(told, extension)
        assert approve(told, extension, cast.admin).state == "approved"


def test_a_flow_that_is_switched_off_ends_access_and_what_waits(asking: Story) -> None:
    request = asking.granted("orders_prod", duration_seconds=1800)
    extend(asking, request)
    flow_actions.set_active(AccessFlow.objects.get(), False, actor=asking.by(asking.cast.admin))
    asking.catch_up()
    assert asking.fresh(request).state == "revoked"
    assert Extension.objects.get().state == "lapsed"


@pytest.mark.parametrize("round_", range(3))
def test_the_end_and_a_yes_at_the_same_time_agree_on_what_happened(asking: Story, round_: int) -> None:
    """Whoever comes first wins, and the other finds it so: never an approved extension of access that was ended."""
    request = asking.granted("orders_prod", duration_seconds=1800)
    extension, end = extend(asking, request), request.ends_at
    assert end is not None
    approver, said = asking.cast.approver, []

    def say_yes() -> None:
        try:
            actions.approve_extension(extension, approver=approver, actor=asking.by(approver), at=end - SECOND)
        except actions.NotPossible as problem:
            said.append(str(problem))

    assert None in together(say_yes, lambda: actions.sweep(at=end))
    asking.now = end
    asking.work()
    stored, fresh = Extension.objects.get(pk=extension.pk), asking.fresh(request)
    assert (fresh.state, stored.state, bool(said)) in {("active", "approved", False), ("revoked", "lapsed", True)}
    assert (asking.held() != set()) is (fresh.state == "active")
