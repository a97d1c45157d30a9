"""Approvers come and go while a request waits; who answers is who may, at that moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.actions import NotPossible, routing
from access_requests.actions.rules import NotYours
from access_requests.models import AccessRequest, Extension
from accounts import actions as people
from accounts.models import Group, GroupMembership, User
from audit import queries as trail
from flows.models import AccessFlow
from tests.cast import person
from tests.story import Story, allow_extensions, amend, approval, asked, flow, put_into


@pytest.fixture
def second(story: Story) -> User:
    """Another approver."""
    found = person("Berta")
    put_into("approvers", found)
    return found


def leave(user: User, name: str = "approvers") -> None:
    GroupMembership.objects.filter(user=user, group__name=name).delete()


def asked_now(request: AccessRequest) -> set[str]:
    return set(request.approvals.filter(status="pending").values_list("approver__name", flat=True))


def yes(story: Story, request: AccessRequest, user: User) -> None:
    actions.approve(request, approver=user, actor=story.by(user), at=story.now)


def test_who_leaves_the_approvers_is_asked_no_more_and_cannot_answer(story: Story, second: User) -> None:
    request = story.ask("orders_prod")
    leave(story.cast.approver)
    with pytest.raises(NotYours):
        yes(story, request, story.cast.approver)
    with pytest.raises(NotYours):
        actions.reject(request, approver=story.cast.approver, actor=story.by(story.cast.approver), at=story.now)
    assert routing.sweep_routes(at=story.now) == 1
    assert asked_now(request) == {"Berta"}
    entry = trail.of_subject("request", str(request.pk)).order_by("-id").first()
    assert entry is not None
    assert entry.action == "request.rerouted"
    assert entry.details["no_longer_asked"] == ["abel@example.com (pending)"]
    yes(story, request, second)
    assert story.fresh(request).state == "approved"


def test_who_joins_the_approvers_is_asked_and_told(story: Story) -> None:
    request = story.ask("orders_prod")
    put_into("approvers", newcomer := person("Nina"))
    assert routing.sweep_routes(at=story.now) == 1
    assert routing.sweep_routes(at=story.now) == 0, "twice is once"
    assert asked_now(request) == {"Abel", "Nina"}
    assert request.approvals.get(approver=newcomer).told_at is None, "a letter is due to them"
    yes(story, request, newcomer)


def test_who_joins_may_answer_before_any_sweep(story: Story) -> None:
    request = story.ask("orders_prod")
    put_into("approvers", newcomer := person("Nina"))
    yes(story, request, newcomer)
    assert story.fresh(request).state == "approved"


def test_with_nobody_left_it_lapses_and_says_so(story: Story) -> None:
    request = story.ask("orders_prod")
    leave(story.cast.approver)
    routing.sweep_routes(at=story.now)
    row = story.fresh(request)
    assert (row.state, row.note) == ("lapsed", "Nobody is left who could approve it.")


def test_with_nobody_left_the_next_step_is_asked_first(story: Story, second: User) -> None:
    put_into("bosses", boss := person("Bo"))
    steps = approval(asked("approvers"), asked("bosses", tier=1), after=3600)
    amend(AccessFlow.objects.get(), approval=steps)
    request = story.ask("orders_prod")
    assert asked_now(request) == {"Abel", "Berta"}
    leave(story.cast.approver)
    leave(second)
    routing.sweep_routes(at=story.now)
    assert asked_now(request) == {"Bo"}
    yes(story, request, boss)
    assert story.fresh(request).state == "approved"


def test_a_yes_stands_when_its_giver_moves_on_but_not_when_they_are_disabled(story: Story, second: User) -> None:
    both = approval(asked("approvers"), asked("owners"), mode="all_of")
    put_into("owners", person("Olga"))
    amend(AccessFlow.objects.get(), approval=both)
    moved, shut = story.ask("orders_prod"), story.ask("orders_dev")
    yes(story, moved, story.cast.approver)
    yes(story, shut, second)
    leave(story.cast.approver)
    people.disable_user(second, actor=story.by(story.cast.admin))
    routing.sweep_routes(at=story.now)
    assert moved.approvals.filter(status="approved").count() == 1
    assert shut.approvals.filter(status="approved").count() == 0


def test_what_was_approved_by_somebody_disabled_since_does_not_open(story: Story, second: User) -> None:
    request = story.ask("orders_prod")
    ice = actions.freeze(None, actor=story.by(story.cast.admin), reason="a drill", at=story.now)
    yes(story, request, second)
    people.disable_user(second, actor=story.by(story.cast.admin))
    actions.thaw(ice, actor=story.by(story.cast.admin), reason="over", at=story.now)
    story.work()
    row = story.fresh(request)
    assert row.state == "lapsed"
    assert "was disabled before it opened" in row.note
    assert story.held() == set()


def test_a_flow_that_asks_others_now_asks_them_and_forgets_other_yeses(story: Story, second: User) -> None:
    made = AccessFlow.objects.get()
    amend(made, approval=approval(asked("approvers"), asked("owners"), mode="all_of"))
    put_into("owners", owner := person("Olga"))
    request = story.ask("orders_prod")
    yes(story, request, second)
    before = story.fresh(request).flow_version_id
    new = flow_version_with(made, approval(asked("owners")))
    assert new != before
    routing.sweep_routes(at=story.now)
    row = story.fresh(request)
    assert (row.state, row.flow_version_id) == ("pending", new)
    assert asked_now(request) == {"Olga"}
    yes(story, request, owner)
    assert story.fresh(request).state == "approved"


def flow_version_with(made: AccessFlow, whose: dict[str, object]) -> int:
    """Put a new version in force that differs in its approval; return its id."""
    from flows.models import FlowVersion

    old = FlowVersion.objects.get(pk=AccessFlow.objects.get(pk=made.pk).current_id)
    new = FlowVersion.objects.get(pk=old.pk)
    new.pk, new.number = None, old.number + 1
    new.document = old.document | {"approval": whose}
    new.digest = f"{old.digest[:-1]}x"
    new.save()
    AccessFlow.objects.filter(pk=made.pk).update(current=new)
    return int(new.pk)


def test_the_manager_of_now_is_asked(story: Story) -> None:
    amend(AccessFlow.objects.get(), approval=approval(asked(kind="manager")))
    old, new = person("Mona"), person("Mia")
    rita = story.cast.requester
    User.objects.filter(pk=rita.pk).update(manager=old)
    request = story.ask("orders_prod")
    assert asked_now(request) == {"Mona"}
    people.edit_user(rita, actor=story.by(story.cast.admin), manager=new)
    story.catch_up()
    assert asked_now(request) == {"Mia"}


def test_a_disabled_approver_is_asked_no_more_as_soon_as_news_of_it_comes(story: Story, second: User) -> None:
    request = story.ask("orders_prod")
    people.disable_user(second, actor=story.by(story.cast.admin))
    story.catch_up()
    assert asked_now(request) == {"Abel"}


def test_an_extension_asks_those_of_now_and_lapses_with_nobody(story: Story, second: User) -> None:
    allow_extensions(AccessFlow.objects.get(), 2, 600)
    request = story.granted("orders_prod")
    rita = request.grantee
    more = actions.extend(request, user=rita, actor=story.by(rita), seconds=600, at=story.now, justification="more")
    leave(story.cast.approver)
    routing.sweep_routes(at=story.now)
    assert set(more.approvals.values_list("approver__name", flat=True)) == {"Berta"}
    leave(second)
    routing.sweep_routes(at=story.now)
    assert Extension.objects.get(pk=more.pk).state == "lapsed"
    assert story.fresh(request).state == "active"


def test_a_letter_that_has_not_left_is_taken_back(story: Story, second: User) -> None:
    from access_requests.actions import letters
    from accounts.models import Letter

    story.ask("orders_prod")
    letters.sweep(at=story.now + timedelta(seconds=6))
    assert Letter.objects.filter(to=story.cast.approver, state="queued").exists()
    leave(story.cast.approver)
    routing.sweep_routes(at=story.now)
    assert not Letter.objects.filter(to=story.cast.approver, state="queued").exists()


def test_open_access_ends_with_eligibility_unless_the_flow_says_that_it_stays(story: Story) -> None:
    put_into("readers", story.cast.requester)
    ends = story.granted("orders_prod")
    leave(story.cast.requester, "engineers")
    put_into("engineers", story.cast.requester)
    stays_flow = AccessFlow.objects.get()
    leave(story.cast.requester, "engineers")
    actions.recheck_everything(at=story.now)
    story.work()
    assert story.fresh(ends).end_reason == "not_eligible"
    put_into("engineers", story.cast.requester)
    amend(stays_flow, settings={"only_while_eligible": False})
    stays = story.granted("orders_prod")
    leave(story.cast.requester, "engineers")
    actions.recheck_everything(at=story.now)
    story.work()
    assert story.fresh(stays).state == "active"
    people.disable_user(story.cast.requester, actor=story.by(story.cast.admin))
    story.catch_up()
    assert story.fresh(stays).state == "revoked"


def test_it_ends_where_the_flow_is_switched_off_even_if_it_would_stay(story: Story) -> None:
    made = AccessFlow.objects.get()
    amend(made, settings={"only_while_eligible": False})
    held = story.granted("orders_prod")
    AccessFlow.objects.filter(pk=made.pk).update(active=False)
    actions.recheck_flow(made.pk, at=story.now)
    story.work()
    assert story.fresh(held).end_reason == "flow_disabled"


def test_a_group_that_is_gone_takes_its_access_along(story: Story) -> None:
    held = story.granted("orders_prod")
    Group.objects.get(name="engineers").delete()
    actions.recheck_everything(at=story.now)
    story.work()
    assert story.fresh(held).end_reason == "not_eligible"


def test_an_answer_to_what_has_lapsed_meanwhile_says_so(story: Story) -> None:
    request = story.ask("orders_prod")
    leave(story.cast.approver)
    routing.sweep_routes(at=story.now)
    put_into("approvers", story.cast.approver)
    with pytest.raises((NotPossible, NotYours)):
        yes(story, request, story.cast.approver)


def test_what_asks_nobody_is_left_alone(story: Story) -> None:
    made = flow(story.integration, "At once", mode="none")
    AccessFlow.objects.exclude(pk=made.pk).update(active=False)
    story.granted("orders_prod")
    assert routing.sweep_routes(at=story.now) == 0
