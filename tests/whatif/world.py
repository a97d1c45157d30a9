"""A small world by chance, and what flows give whom in it, said plainly: person by person, pair by pair."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Attribute, Group, User
from accounts.queries import PersonFacts, facts_of
from audit.actor import system
from flows.decision import for_whom
from flows.decision.conditions import matches
from flows.decision.covering import covers
from integrations import actions as systems
from integrations.models import Integration, Permission, Resource, ResourceType, Tag
from integrations.queries import Entitlement, entitlements
from tests.cast import person
from tests.story import put_into

GROUPS = ("ops", "Ops", "ops-eu", "dev")
Pairs = set[tuple[str, str, tuple[int, int]]]


def people(rng: random.Random, number: int = 9) -> list[User]:
    """Make people with managers, groups and attributes; some are outside, some disabled."""
    made = [person(f"P{one}") for one in range(number)]
    for user in made:
        user.manager = rng.choice([None, *(one for one in made if one != user)])
        user.is_outside = rng.random() < 0.25
        if user.is_outside:
            user.invited_by, user.leaves_at = made[0], timezone.now() + timedelta(days=9)
        user.is_active = rng.random() < 0.85
        user.save()
        if rng.random() < 0.5:
            Attribute.objects.create(user=user, type="city", value=rng.choice(["Berlin", "Bern"]))
    for name in GROUPS:
        put_into(name, *rng.sample(made, rng.randint(1, 4)))
    return list(User.objects.all())


def inventory(rng: random.Random) -> list[Integration]:
    """Connect two servers with some databases each; one database is lost sight of."""
    made = []
    for name in ("S", "T"):
        one = systems.connect(name, "simulated", config={"hostname": name}, secrets={"password": "y"}, actor=system())
        kind = ResourceType.objects.get(integration=one, type="database")
        for letter in "abcd":
            lost = rng.random() < 0.15
            row = Resource.objects.create(
                integration=one, resource_type=kind, source_id=f"id-{letter}", name=letter, path=f"{name}/{letter}",
                status="missing" if lost else "active",
            )  # fmt: skip
            Tag.objects.create(resource=row, type="database", key="env", value=rng.choice(["prod", "dev"]))
        made.append(one)
    return made


def condition(rng: random.Random, crowd: list[User]) -> dict[str, Any]:
    kind, operator = rng.choice(
        [("user", "is"), ("group", "is"), ("group", "is"), ("group", "is_not"), ("group", "contains"),
         ("group", "starts_with"), ("city", "is"), ("city", "is_not"), ("manager", "is")]
    )  # fmt: skip
    values = {
        "user": [rng.choice(crowd).email],
        "group": [rng.choice([*GROUPS, str(Group.objects.order_by("?").first().pk)])],  # type: ignore[union-attr]
        "city": [rng.choice(["Berlin", "Bern"])],
        "manager": rng.choice([[], [rng.choice(crowd).email]]),
    }[kind]
    return {"type": kind, "operator": operator, "source": "", "values": values}


def group(rng: random.Random, crowd: list[User], least: int = 1) -> dict[str, Any]:
    conditions = [condition(rng, crowd) for _ in range(rng.randint(least, 2))]
    return {"operator": rng.choice(["and", "or"]), "conditions": conditions}


def target(rng: random.Random, servers: list[Integration]) -> dict[str, Any]:
    """Return a target: of an integration, a query, a scope, or a bundle of both."""
    kind = rng.choice(["integration", "integration", "query", "access_scope", "bundle"])
    query = rng.choice(
        ['resource_tag["env"] = "prod"', 'resource_name in ("a", "b")', 'permission_name = "Read only"',
         'not resource_tag["env"] = "prod"', "not AQL at all"]
    )  # fmt: skip
    if kind == "query":
        return {"kind": kind, "query": query}
    if kind == "access_scope":
        return {"kind": kind, "access_scope": "s", "name": "S", "query": query}
    if kind == "bundle":
        inside = [{"kind": "query", "query": query}, integration_target(rng, servers)]
        return {"kind": kind, "bundle": "b", "name": "B", "targets": inside}
    return integration_target(rng, servers)


def integration_target(rng: random.Random, servers: list[Integration]) -> dict[str, Any]:
    selectors = [
        {"mode": rng.choice(["include_resources", "exclude_resources"]), "type": kind, "key": key, "values": values}
        for kind, key, values in rng.sample(
            [("name", "", ["a", "c"]), ("tag", "env", ["prod"]), ("id", "", ["id-b"])], rng.randint(0, 2)
        )
    ]
    return {
        "kind": "integration", "integration": str(rng.choice(servers).pk), "resource_type": "database",
        "permissions": rng.choice([["READ_ONLY"], ["ADMIN", "READ_ONLY"], ["NOT_THERE"]]), "selectors": selectors,
    }  # fmt: skip


def flow(rng: random.Random, key: str, crowd: list[User], servers: list[Integration]) -> dict[str, Any]:
    """Return a flow's document by chance."""
    automatic = rng.random() < 0.15
    mode = "none" if automatic else rng.choice(["none", "any_of", "any_of", "all_of"])
    groups = [] if mode == "none" else [{"tier": 0, **group(rng, crowd)} for _ in range(rng.randint(1, 2))]
    return {
        "id": key, "name": f"Flow {key}", "description": "", "active": rng.random() < 0.85,
        "trigger": "automatic" if automatic else "self_serve",
        "requestors": group(rng, crowd),
        "request_for": {
            "scopes": rng.sample(["self", "others", "direct_reports"], rng.randint(1, 3)),
            "grantees": group(rng, crowd, 0),
        },
        "targets": [target(rng, servers) for _ in range(rng.randint(1, 3))],
        "approval": {"mode": mode, "groups": groups, "escalation_seconds": None},
        "duration_seconds": rng.choice([3600, 7200, None]), "pending_seconds": 3600, "timeframe": None, "checks": [],
        "settings": {"justification_required": False, "approver_reason_required": False, "self_approval": False,
                     "break_glass": rng.random() < 0.2},
    }  # fmt: skip


def all_entitlements() -> list[Entitlement]:
    """Return every entitlement that can be granted now."""
    pairs = [
        (resource.pk, permission.pk)
        for resource in Resource.objects.all()
        for permission in Permission.objects.filter(resource_type=resource.resource_type)
    ]
    return [one for one in entitlements(pairs) if not one.refusal]


def reached(document: dict[str, Any] | None, people: Iterable[PersonFacts], given: list[Entitlement]) -> Pairs:
    """Return who may ask for what, and who may be given what: ("asks" or "given", person, entitlement)."""
    if document is None or not document["active"]:
        return set()
    active = [one for one in people if one.active]
    pairs = [(one.resource_id, one.permission_id) for one in given if covers(document, one)]
    found: Pairs = set()
    for requestor in active:
        if not matches(document["requestors"], requestor):
            continue
        if document["trigger"] == "automatic":
            found |= {("given", requestor.id, pair) for pair in pairs}
            continue
        found |= {("asks", requestor.id, pair) for pair in pairs}
        for grantee in active:
            if for_whom(document, requestor, grantee):
                found |= {("given", grantee.id, pair) for pair in pairs}
    return found


def known(crowd: list[User]) -> list[PersonFacts]:
    """Return what policy knows of everybody."""
    return list(facts_of(crowd).values())
