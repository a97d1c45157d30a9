"""What leaves a scope takes the access with it; what a sync merely lost sight of does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access_requests.models import AccessRequest
from connectors.contract.orders import ResourceFact
from flows.models import AccessFlow
from integrations import actions as systems
from integrations.models import Permission
from tests.story import Story, amend, unit

PROD = {"kind": "query", "query": 'resource_tag["env"] = "prod" and resource_status = "active"'}


@pytest.fixture
def held(story: Story) -> AccessRequest:
    """Rita's access to what is tagged prod."""
    amend(AccessFlow.objects.get(), targets=[PROD])
    return story.granted("orders_prod")


def sync(story: Story, *facts: ResourceFact) -> None:
    story.target.databases = list(facts)
    systems.sync(story.integration, actor=story.by(story.cast.admin), at=story.now)
    story.later(seconds=30)


def test_access_that_left_the_query_ends_with_the_reason(story: Story, held: AccessRequest) -> None:
    assert held.state == "active"
    changed = [replace(one, tags={"env": "test"}) for one in story.target.databases]
    sync(story, *changed)
    held = story.fresh(held)
    assert (held.state, held.end_reason) == ("revoked", "not_eligible")
    assert "no longer gives all of this" in held.note
    assert story.held() == set()
    assert held.recheck_at is None


def test_a_change_that_is_none_to_the_query_ends_nothing(story: Story, held: AccessRequest) -> None:
    changed = [replace(one, tags=dict(one.tags) | {"team": "shop"}) for one in story.target.databases]
    sync(story, *changed)
    assert story.fresh(held).state == "active"
    assert story.held() == {unit("orders_prod")}


def test_what_went_missing_keeps_its_access(story: Story, held: AccessRequest) -> None:
    sync(story, *[one for one in story.target.databases if one.name != "orders_prod"])
    assert story.fresh(held).state == "active"


def test_a_flow_that_names_ids_is_not_asked_again(story: Story) -> None:
    request = story.granted("orders_prod")
    sync(story, *[replace(one, tags={"env": "test"}) for one in story.target.databases])
    assert story.fresh(request).state == "active"


def test_access_ends_when_the_query_does_not_mean_the_permission_any_more(story: Story) -> None:
    amend(AccessFlow.objects.get(), targets=[{"kind": "query", "query": 'permission_risk_level = "9"'}])
    # As an earlier sync had it; the next one finds the permission to be another.
    Permission.objects.update(risk_level=9)
    held = story.granted("orders_prod")
    sync(story, *story.target.databases)
    assert story.fresh(held).end_reason == "not_eligible"
    assert story.held() == set()


def test_access_ends_when_the_query_does_not_mean_the_integration_any_more(story: Story) -> None:
    query = f'integration_name = "{story.integration.name}"'
    amend(AccessFlow.objects.get(), targets=[{"kind": "query", "query": query}])
    held = story.granted("orders_prod")
    systems.edit(story.integration, name="Another", actor=story.by(story.cast.admin), at=story.now)
    story.later(seconds=30)
    assert story.fresh(held).end_reason == "not_eligible"
    assert story.held() == set()
