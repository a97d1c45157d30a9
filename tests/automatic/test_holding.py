"""Whoever matches holds; whoever stops matching loses, whatever the news is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from access_requests import actions
from access_requests.actions import automatic
from access_requests.models import AccessRequest, AccessUnit, Transition
from accounts import actions as people
from accounts.models import Group, User
from audit.actor import system
from audit.models import AuditEntry
from flows import actions as flow_actions
from flows.models import AccessFlow, AutomaticRun
from integrations.models import Integration, Resource
from tests.automatic.giving import (
    automatic_flow,
    holdings,
    last_run,
    live,
    members_of,
    naive,
    named,
    target,
    work,
)
from tests.cast import person
from tests.story import Story, database, flow, put_into, unit


def both() -> set[object]:
    return {unit("orders_prod"), unit("orders_dev")}


def sync(story: Story, *names: str) -> None:
    story.target.databases = [database(name) for name in names]
    Integration.objects.update(sync_due_at=timezone.now())
    from integrations.tasks import sweep_syncs

    sweep_syncs()
    work(story)


def test_whoever_matches_when_the_flow_is_saved_holds(story: Story) -> None:
    assert story.held() == both()
    (request,) = live()
    assert (request.state, request.ends_at, request.grantee) == ("active", None, story.cast.requester)
    assert request.requestor == request.grantee
    run = last_run()
    assert (run.total, run.seen, run.given, run.taken, run.error) == (1, 1, 1, 0, "")
    assert run.finished_at is not None


def test_the_trail_says_that_it_was_automatic_and_that_nobody_asked(story: Story) -> None:
    (request,) = live()
    entry = AuditEntry.objects.get(action="request.created", subject_id=str(request.pk))
    assert entry.details["automatic"] is True
    assert (entry.actor_kind, entry.details["flow"]) == ("system", "Readers")
    assert {one.actor_kind for one in Transition.objects.filter(request=request, to_state="approved")} == {"system"}


def test_who_comes_into_the_group_gets_it_and_who_leaves_it_loses_it(story: Story) -> None:
    otto, engineers = story.cast.outsider, Group.objects.get(name="engineers")
    people.add_member(engineers, otto, actor=system())
    work(story)
    assert story.held(otto) == both()
    people.remove_member(engineers, otto, actor=system())
    work(story)
    assert story.held(otto) == set()
    ended = AccessRequest.objects.get(grantee=otto)
    assert (ended.state, ended.ended_how, ended.end_reason) == ("revoked", "proven", "not_eligible")
    assert ended.note == "The access flow Readers no longer names Otto."
    assert story.held() == both()


def test_a_shift_that_begins_gives_and_a_shift_that_ends_takes(bare: Story) -> None:
    on_shift = {"operator": "or", "conditions": [{"type": "on_call", "operator": "is", "values": ["now"]}]}
    automatic_flow(bare.integration, requestors=on_shift)
    work(bare)
    assert bare.held() == set()
    people.set_attributes(bare.cast.requester, [("on_call", "now")], actor=system())
    work(bare)
    assert bare.held() == both()
    people.set_attributes(bare.cast.requester, [], actor=system())
    work(bare)
    assert bare.held() == set()


def test_the_disabled_lose_it_and_the_enabled_get_it_again(story: Story) -> None:
    people.disable_user(story.cast.requester, actor=system())
    work(story)
    assert story.held() == set()
    assert AccessRequest.objects.get().note == "The account is disabled."
    people.enable_user(story.cast.requester, actor=system())
    work(story)
    assert story.held() == both()


def test_a_new_address_is_news(bare: Story) -> None:
    rita = {"operator": "or", "conditions": [{"type": "user", "operator": "is", "values": ["rita@example.com"]}]}
    automatic_flow(bare.integration, requestors=rita)
    work(bare)
    assert bare.held() == both()
    people.edit_user(bare.cast.requester, actor=system(), email="rita.r@example.com")
    work(bare)
    assert bare.held() == set()


def test_a_new_database_is_given_by_a_further_request(story: Story) -> None:
    (first,) = live()
    sync(story, "orders_prod", "orders_dev", "orders_test")
    assert story.held() == {*both(), unit("orders_test")}
    assert story.fresh(first).state == "active"
    assert len(live()) == 2
    assert last_run().why == "the inventory changed"


def test_a_database_that_a_sync_lost_sight_of_is_not_taken(story: Story) -> None:
    sync(story, "orders_prod")
    assert Resource.objects.get(name="orders_dev").status == "missing"
    assert story.held() == both()
    assert len(live()) == 1
    people.add_member(Group.objects.get(name="engineers"), story.cast.outsider, actor=system())
    work(story)
    assert story.held(story.cast.outsider) == {unit("orders_prod")}


def test_inventory_of_another_integration_is_no_news(story: Story) -> None:
    before = AutomaticRun.objects.count()
    assert automatic.inventory_changed(str(Integration().pk)) == 0
    assert AutomaticRun.objects.count() == before


def test_a_query_as_a_target_follows_the_tags(bare: Story) -> None:
    automatic_flow(bare.integration, targets=[{"kind": "query", "query": 'resource_tag["env"] = "prod"'}])
    work(bare)
    prod = {unit("orders_prod"), unit("orders_prod", "ADMIN")}
    assert bare.held() == prod
    sync(bare, "orders_prod", "orders_dev", "stock_prod")
    assert bare.held() == {*prod, unit("stock_prod"), unit("stock_prod", "ADMIN")}
    changed = database("stock_prod")
    changed.tags["env"] = "dev"
    bare.target.databases = [database("orders_prod"), database("orders_dev"), changed]
    Integration.objects.update(sync_due_at=timezone.now())
    from integrations.tasks import sweep_syncs

    sweep_syncs()
    work(bare)
    assert bare.held() == prod


def test_a_narrower_flow_takes_without_a_gap_for_what_stays(story: Story) -> None:
    (first,) = live()
    seen: list[set[object]] = []
    before, story.target.seen = story.target.seen, []
    automatic_flow(
        story.integration,
        flow=AccessFlow.objects.get(name="Readers"),
        targets=[target(story.integration, selectors=named("orders_prod"))],
    )
    work(story)
    assert story.held() == {unit("orders_prod")}
    assert story.fresh(first).state == "revoked"
    assert story.fresh(first).note.startswith("The access flow Readers no longer gives all of this.")
    (second,) = live()
    # One order that carried both: what stays, by the new request, and the end of the old one.
    group = story.group(second)
    old = story.group(first)
    from integrations.models import Order

    orders = Order.objects.filter(person=story.cast.requester, verb="apply").order_by("pk")
    carried = [
        ({one["grant_id"] for one in order.desired["holds"]}, {one["grant_id"] for one in order.desired["gone"]})
        for order in orders
        if order.state != "superseded"
    ]
    assert ({str(group.pk)}, {str(old.pk)}) in carried
    assert all(holds for holds, _ in carried), "no order ever took everything away"
    del seen, before


def test_a_wider_flow_gives_only_what_is_new(story: Story) -> None:
    (first,) = live()
    automatic_flow(
        story.integration,
        flow=AccessFlow.objects.get(name="Readers"),
        targets=[target(story.integration, permissions=["READ_ONLY", "ADMIN"])],
    )
    work(story)
    assert story.held() == {*both(), unit("orders_prod", "ADMIN"), unit("orders_dev", "ADMIN")}
    more = live()[1]
    names = {one.permission_source_id for one in AccessUnit.objects.filter(group__request=more)}
    assert (story.fresh(first).state, names) == ("active", {"ADMIN"})


def test_switched_off_it_takes_all_and_switched_on_it_gives_again(story: Story) -> None:
    readers = AccessFlow.objects.get(name="Readers")
    flow_actions.set_active(readers, False, actor=system())
    work(story)
    assert (story.held(), holdings()) == (set(), {})
    ended = AccessRequest.objects.get()
    assert (ended.end_reason, ended.note) == ("flow_disabled", "The access flow Readers is switched off.")
    flow_actions.set_active(readers, True, actor=system())
    work(story)
    assert story.held() == both()


def test_a_flow_that_is_asked_from_now_on_takes_what_it_gave(story: Story) -> None:
    flow(story.integration, name="Other")
    automatic_flow(
        story.integration, flow=AccessFlow.objects.get(name="Readers"), trigger="self_serve", approval_mode="none"
    )
    work(story)
    assert story.held() == set()
    assert AccessRequest.objects.get().note == "The access flow Readers gives nothing by itself any more."


def test_overlap_with_what_was_asked_for_ends_neither(story: Story) -> None:
    flow(story.integration, name="Asked", mode="none")
    asked = story.granted("orders_prod")
    assert asked.state == "active"
    assert not asked.automatic
    people.remove_member(Group.objects.get(name="engineers"), story.cast.outsider, actor=system())
    flow_actions.set_active(AccessFlow.objects.get(name="Readers"), False, actor=system())
    work(story)
    assert story.held() == {unit("orders_prod")}
    actions.hand_back(asked, user=story.cast.requester, actor=story.by(story.cast.requester))
    work(story)
    assert story.held() == set()


def test_two_flows_that_give_the_same_each_hold_it_by_themselves(story: Story) -> None:
    put_into("night", story.cast.requester)
    automatic_flow(story.integration, "Night", requestors=members_of("night"))
    work(story)
    assert len(live(story.cast.requester)) == 2
    people.remove_member(Group.objects.get(name="night"), story.cast.requester, actor=system())
    work(story)
    assert len(live(story.cast.requester)) == 1
    assert story.held() == both()


def test_nobody_hands_back_withdraws_revokes_or_extends_it(story: Story) -> None:
    rita, ada = story.cast.requester, story.cast.admin
    (request,) = live()
    words = "gives this by itself, and would give it again. Switch the flow off"
    with pytest.raises(actions.NotPossible, match=words):
        actions.hand_back(request, user=rita, actor=story.by(rita))
    with pytest.raises(actions.NotPossible, match=words):
        actions.revoke(request, user=ada, actor=story.by(ada), reason="no")
    with pytest.raises(actions.NotPossible, match=words):
        actions.cancel(request, user=rita, actor=story.by(rita))
    with pytest.raises(actions.NotPossible, match="has no end that could be moved"):
        actions.extend(request, user=rita, actor=story.by(rita), seconds=60)
    with pytest.raises(actions.NotYours):
        actions.revoke(request, user=story.cast.outsider, actor=story.by(story.cast.outsider), reason="no")
    assert story.held() == both()


def test_what_is_given_by_itself_writes_no_letters(story: Story) -> None:
    from accounts.models import Letter

    flow_actions.set_active(AccessFlow.objects.get(), False, actor=system())
    work(story)
    assert AccessRequest.objects.get().state == "revoked"
    assert not Letter.objects.exists()


def test_what_a_target_refuses_is_tried_again_but_not_at_once(bare: Story) -> None:
    bare.target.ungrantable = {unit("orders_prod"), unit("orders_dev")}
    readers = automatic_flow(bare.integration)
    work(bare)
    assert list(AccessRequest.objects.values_list("state", flat=True)) == ["failed"]
    flow_actions.start_run(readers.pk, "again")
    work(bare)
    assert AccessRequest.objects.count() == 1
    bare.target.ungrantable = set()
    AccessRequest.objects.update(ended_at=timezone.now() - automatic.TRIED_AGAIN)
    flow_actions.start_run(readers.pk, "later")
    work(bare)
    assert bare.held() == both()


def test_news_of_many_people_is_a_run_of_every_flow(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "FEW", 2)
    crowd = [person(f"P{number}") for number in range(5)]
    group = put_into("crew", *crowd)
    automatic_flow(story.integration, "Crew", requestors=members_of("team"))
    work(story)
    people.rename_group(group, "team", actor=system())
    assert AutomaticRun.objects.filter(why="the clock", finished_at__isnull=True).count() == 2
    work(story)
    assert {name for flow_name, name in holdings() if flow_name == "Crew"} == {one.name for one in crowd}
    assert holdings() == naive()


def test_a_person_who_is_new_is_news(story: Story) -> None:
    everybody = {"operator": "or", "conditions": [{"type": "user", "operator": "contains", "values": ["@"]}]}
    automatic_flow(story.integration, "All", requestors=everybody)
    work(story)
    people.create_user("nina@example.com", "Nina", actor=system())
    work(story)
    assert ("All", "Nina") in holdings()
    assert holdings() == naive()
    assert User.objects.count() == len(holdings()) - 1
