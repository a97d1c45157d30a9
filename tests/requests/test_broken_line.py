"""A line that breaks while a unit is given is no answer: it is tried again, for as long as a target that is away."""

from __future__ import annotations

from access_requests.models import AccessUnit
from integrations.models import Order
from tests.story import Story, unit

DEV, PROD = unit("orders_dev"), unit("orders_prod")


def messages(story: Story) -> dict[str, tuple[str, str]]:
    return {one.resource_source_id: (one.state, one.message) for one in AccessUnit.objects.all()}


def opened(story: Story, *names: str) -> str:
    request = story.ask(*names)
    story.approve(request)
    story.work()
    return str(story.fresh(request).state)


def test_it_is_tried_again_and_opens(story: Story) -> None:
    story.target.unsteady = {DEV}
    request = story.ask("orders_dev")
    story.approve(request)
    story.work()
    assert story.fresh(request).state == "granting"
    assert messages(story) == {"orders_dev": ("granting", "The line broke.")}
    story.target.unsteady = set()
    story.later(minutes=2)
    assert story.fresh(request).state == "active"
    assert messages(story) == {"orders_dev": ("active", "")}
    assert request.access_groups.get().session.sealed_credentials


def test_it_waits_longer_from_try_to_try_and_is_given_up_with_the_reason(story: Story) -> None:
    story.target.unsteady = {DEV}
    request = story.ask("orders_dev")
    story.approve(request)
    tries = []
    for _ in range(12):
        story.later(minutes=1)
        tries.append(Order.objects.filter(verb="apply").count())
    assert story.fresh(request).state in {"failed", "revoked"}
    assert "The line broke." in story.fresh(request).note
    assert not story.target.held_by(str(request.grantee_id))
    # No storm: each new order waits for longer.
    assert tries[0] > 1 or tries[1] > 1
    assert tries[-1] < 20


def test_what_is_held_is_not_kept_back_by_what_is_not(story: Story) -> None:
    story.target.unsteady = {DEV}
    request = story.ask("orders_dev", "orders_prod")
    story.approve(request)
    story.work()
    assert (story.fresh(request).state, story.fresh(request).warning) == ("active", True)
    assert {name: state for name, (state, _) in messages(story).items()} == {
        "orders_dev": "failed",
        "orders_prod": "active",
    }


def test_what_is_not_there_fails_at_once(story: Story) -> None:
    story.target.unsteady, story.target.ungrantable = {DEV}, {PROD}
    assert opened(story, "orders_prod") == "failed"
