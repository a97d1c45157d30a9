"""Automatic flows in short words."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from access_requests.actions import automatic
from access_requests.automatic import HELD
from access_requests.models import AccessRequest, AccessUnit
from accounts.models import User
from accounts.queries import facts_of
from audit.actor import system
from flows import actions as flow_actions
from flows.decision.conditions import matches
from flows.giving import given_by
from flows.models import AccessFlow, AutomaticRun
from integrations.models import Integration
from tests.story import SECOND, Story

COLUMNS: dict[str, Any] = {
    "trigger": "automatic",
    "approval_mode": "none",
    "justification_required": False,
    "grant_duration_minutes": None,
    "indefinite": True,
}


def target(integration: Integration, **change: Any) -> dict[str, Any]:
    """Return a target: reading of all databases."""
    base = {
        "integration": str(integration.pk),
        "resource_type": "database",
        "permissions": ["READ_ONLY"],
        "selectors": [],
    }
    return base | change


def named(*names: str) -> list[dict[str, Any]]:
    """Return the selectors that take in databases by name."""
    return [{"mode": "include_resources", "type": "name", "key": "", "values": list(names)}]


def members_of(*groups: str) -> dict[str, Any]:
    """Return the requestors who are in one of the groups."""
    return {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": [one]} for one in groups]}


def automatic_flow(
    integration: Integration,
    name: str = "Readers",
    *,
    targets: list[dict[str, Any]] | None = None,
    requestors: dict[str, Any] | None = None,
    flow: AccessFlow | None = None,
    **columns: Any,
) -> AccessFlow:
    """Define a flow that gives by itself."""
    document = {
        "requestors": requestors or members_of("engineers"),
        "targets": [target(integration)] if targets is None else targets,
        "approval": {"groups": []},
    }
    return flow_actions.define({"name": name} | COLUMNS | columns, document, actor=system(), flow=flow)


def work(story: Story) -> None:
    """Do what the clock would until there is nothing left to do: runs, sweeps, orders, news."""
    for _ in range(10):
        story.now = timezone.now() + SECOND
        done = automatic.sweep_runs(at=story.now)
        if not (done + story.work()):
            return
    raise AssertionError("the story does not come to rest")


def live(user: User | None = None) -> list[AccessRequest]:
    """Return what was given by itself and is not ended, oldest first."""
    rows = AccessRequest.objects.filter(automatic=True, state__in=HELD).order_by("pk")
    return list(rows.filter(grantee=user) if user else rows)


def holdings() -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Return what people hold through automatic flows, by (flow's name, person's name); nothing where it is nothing."""
    found: dict[tuple[str, str], set[tuple[int, int]]] = {}
    units = AccessUnit.objects.filter(group__request__in=live()).exclude(state="ended")
    for one in units.select_related("group__request__grantee", "group__request__flow_version__flow"):
        request = one.group.request
        held = found.setdefault((request.flow_version.flow.name, request.grantee.name), set())
        pair = one.resource_id, one.permission_id
        assert pair not in held, f"{request.grantee.name} was given {one} twice"
        held.add(pair)
    return found


def naive() -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Return what people should hold, person by person and flow by flow, by the functions that decide."""
    facts, found = facts_of(User.objects.all()), {}
    for flow in AccessFlow.objects.filter(active=True, trigger="automatic").select_related("current"):
        document = flow.current.document
        pairs = {(one.resource_id, one.permission_id) for one in given_by(document).asks}
        for one in facts.values():
            if pairs and one.active and matches(document["requestors"], one):
                found[flow.name, one.name] = pairs
    return found


def last_run(name: str = "Readers") -> AutomaticRun:
    """Return a flow's latest run."""
    return AutomaticRun.objects.filter(flow__name=name).order_by("-pk")[0]
