"""Asking: what the dry run says is what happens, and fails closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access_requests import actions
from access_requests.models import AccessRequest
from connectors.contract.manifest import Limit
from integrations.queries import providers
from tests.story import Story, flow, put_into


def codes(story: Story, *pairs: tuple[int, int], user=None, **more) -> set[str]:
    more.setdefault("justification", "an incident")
    return {problem.code for problem in actions.dry_run(user or story.cast.requester, pairs, **more).problems}


def test_the_dry_run_names_the_flow_the_approvers_and_why(story: Story) -> None:
    run = actions.dry_run(story.cast.requester, [story.pair("orders_prod")], justification="an incident")
    assert run.allowed
    (plan,) = run.plans
    assert plan.part.flow.document["name"] == "Databases"
    assert plan.part.max_duration_seconds == 3600
    assert [[(person.email, why) for person, why in group] for group in plan.approvers.values()] == [
        [("abel@example.com", "You are in the group approvers")]
    ]
    assert not AccessRequest.objects.exists()


def test_what_is_in_the_way_is_said(story: Story) -> None:
    pair = story.pair("orders_prod")
    assert codes(story, pair, justification=" ") == {"FIELD_MISSING"}
    assert codes(story, pair, duration_seconds=3601) == {"INVALID_DURATION"}
    assert codes(story, pair, duration_seconds=0) == {"INVALID_DURATION"}
    assert codes(story) == {"FIELD_MISSING"}
    assert codes(story, story.pair("orders_prod", "ADMIN")) == {"NO_FLOW"}
    assert codes(story, pair, user=story.cast.outsider) == {"NO_FLOW"}
    assert codes(story, pair, grantee=story.cast.outsider) == {"NOT_FOR_THEM"}


def test_what_does_not_exist_is_answered_like_what_is_not_given(story: Story) -> None:
    outsider = story.cast.outsider
    unknown = actions.dry_run(outsider, [(10**9, 10**9)], justification="x").problems
    forbidden = actions.dry_run(outsider, [story.pair("orders_prod")], justification="x").problems
    assert {problem.code for problem in unknown} >= {"NO_FLOW"}
    assert {problem.code for problem in forbidden} == {"NO_FLOW"}


def test_nothing_is_kept_of_an_ask_that_is_refused(story: Story) -> None:
    with pytest.raises(actions.BadAsk):
        story.ask("orders_prod", permission="ADMIN")
    assert not AccessRequest.objects.exists()


def test_a_request_that_only_its_requestor_could_approve_is_refused(story: Story) -> None:
    put_into("engineers", story.cast.approver)
    pair = story.pair("orders_prod")
    assert codes(story, pair, user=story.cast.approver) == {"NO_APPROVER"}


def test_an_ask_over_two_flows_becomes_two_requests(story: Story) -> None:
    admin_target = {
        "integration": str(story.integration.pk),
        "resource_type": "database",
        "permissions": ["ADMIN"],
        "selectors": [],
    }
    flow(story.integration, "Admins", targets=[admin_target])
    pairs = [story.pair("orders_prod"), story.pair("orders_prod", "ADMIN"), story.pair("orders_dev")]
    requester = story.cast.requester
    made = actions.ask(requester, pairs, actor=story.by(requester), justification="x", at=story.now)
    names = {request.flow_name: request.access_groups.get().units.count() for request in made}
    assert names == {"Databases": 2, "Admins": 1}


def test_all_of_wants_one_from_each_group(story: Story) -> None:
    put_into("owners", story.cast.admin)
    groups = [
        {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": [name]}]}
        for name in ("approvers", "owners")
    ]
    flow(story.integration, "Both", "all_of", approval={"groups": groups}, columns={"grant_duration_minutes": 600})
    request = story.ask("orders_prod", duration_seconds=36000)
    story.approve(request)
    assert story.fresh(request).state == "pending"
    admin = story.cast.admin
    actions.approve(request, approver=admin, actor=story.by(admin), at=story.now)
    assert story.fresh(request).state == "approved"


def test_more_than_the_target_can_take_in_one_grant_is_refused_before_it_is_asked_for(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "At most 1 database can be named in one grant. Ask for a group of them."
    manifest = providers.manifest("simulated")
    limited = replace(manifest, limits=(Limit(("database",), 1, words),))
    monkeypatch.setattr(providers, "manifest", lambda type_: limited)
    both = [story.pair("orders_prod"), story.pair("orders_dev")]
    run = actions.dry_run(story.cast.requester, both, justification="x")
    assert [(one.code, one.message) for one in run.problems] == [("LIMIT", words)]
    with pytest.raises(actions.BadAsk, match="At most 1 database"):
        actions.ask(story.cast.requester, both, actor=story.by(story.cast.requester), justification="x")
    assert not AccessRequest.objects.exists()
    assert codes(story, both[0]) == set()
