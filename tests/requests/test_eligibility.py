"""Whoever loses what the flow asks for, loses what the flow gave."""

from __future__ import annotations

import pytest

from access_requests import actions
from accounts import actions as people
from accounts.models import Group, GroupMembership
from audit.actor import system
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations import actions as systems
from tests.story import Story


def test_a_disabled_person_loses_what_is_open_and_what_waits(story: Story) -> None:
    held = story.granted("orders_prod")
    waiting = story.ask("orders_dev")
    people.disable_user(story.cast.requester, actor=story.by(story.cast.admin))
    story.catch_up()
    held, waiting = story.fresh(held), story.fresh(waiting)
    assert (held.state, held.end_reason) == ("revoked", "not_eligible")
    assert (waiting.state, waiting.end_reason) == ("lapsed", "not_eligible")
    assert story.held() == set()
    assert story.group(held).cleanup_due_at is not None
    assert actions.sweep_cleanups(at=story.fresh(held).ended_at) == 1


def test_who_leaves_the_group_loses_the_access(story: Story) -> None:
    request = story.granted("orders_prod")
    group = Group.objects.get(name="engineers")
    people.remove_member(group, story.cast.requester, actor=story.by(story.cast.admin))
    story.catch_up()
    request = story.fresh(request)
    assert (request.state, request.end_reason) == ("revoked", "not_eligible")
    assert "no longer names Rita" in request.note


def test_a_flow_switched_off_ends_what_it_gave(story: Story) -> None:
    request, waiting = story.granted("orders_prod"), story.ask("orders_dev")
    flow_actions.set_active(AccessFlow.objects.get(), False, actor=story.by(story.cast.admin))
    story.catch_up()
    assert (story.fresh(request).state, story.fresh(request).end_reason) == ("revoked", "flow_disabled")
    assert story.fresh(waiting).state == "lapsed"


def test_an_approved_request_is_asked_again_before_it_opens(story: Story) -> None:
    request = story.ask("orders_prod")
    story.approve(request)
    GroupMembership.objects.filter(group__name="engineers").delete()
    story.work()
    request = story.fresh(request)
    assert (request.state, request.end_reason) == ("lapsed", "not_eligible")
    assert story.held() == set()


def test_an_integration_switched_off_opens_nothing_new_but_ends_what_is_open(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    systems.disable(story.integration, actor=system(), at=story.now)
    with pytest.raises(actions.BadAsk, match="is disabled"):
        story.ask("orders_dev")
    story.later(seconds=60)
    assert story.fresh(request).state == "revoked"
