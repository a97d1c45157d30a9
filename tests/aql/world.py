"""An inventory by chance, and what a query selects of it, said as plainly as can be and without the product's code."""

from __future__ import annotations

import random
from typing import Any

from integrations.aql import And, Not, Or, Term
from integrations.models import Connector, Integration, Permission, Resource, ResourceType, Tag
from tests.aql.cases import NASTY

KEYS = ["env", "Env", "team", 'a"b', "a.b", "$.a", "é", "", "a\\b", "0"]
NAMES = [*NASTY, "orders", "Orders", "orders-prod", "ledger", "ordersorders"]
TYPES, PROVIDERS = ["database", "table", "Table"], ["aws-rds", "AWS prod", "postgresql"]
STATUSES = ["active", "active", "active", "disabled", "warning"]
PLAIN = ("resource_type", "resource_name", "resource_path", "resource", "resource_status", "resource_source_id",
         "permission", "permission_name", "integration", "integration_name")  # fmt: skip


def make(rng: random.Random, resources: int = 30) -> list[tuple[Resource, Permission]]:
    """Make an inventory of so many resources in place of the one that is there; return its entitlements."""
    for model in (Resource, Integration, Connector):
        model.objects.all().delete()
    connector = Connector.objects.create(name="here")
    kinds = []
    for number in range(3):
        one = Integration.objects.create(
            name=rng.choice(["AWS prod", "Beta", "gamma%", "aws-rds"]) + "!" * number, type=rng.choice(PROVIDERS),
            connector=connector, status=rng.choice(STATUSES),
        )  # fmt: skip
        for kind in rng.sample(TYPES, 2):
            made = ResourceType.objects.create(integration=one, type=kind, name=kind.title())
            kinds.append(made)
            for source in rng.sample(["READ", "WRITE", "70", "Read only"], rng.randint(0, 3)):
                Permission.objects.create(
                    resource_type=made, source_id=source, name=rng.choice([source, "Read only", "Admin"]),
                    risk_level=rng.randint(1, 9), tags=_document(rng), context=_document(rng),
                )  # fmt: skip
    for number in range(resources):
        _a_resource(rng.choice(kinds), number, rng)
    found = Resource.objects.select_related("integration", "resource_type").prefetch_related("tags")
    permissions = list(Permission.objects.order_by("pk"))
    return [
        (one, each)
        for one in found.order_by("pk")
        for each in permissions
        if each.resource_type_id == one.resource_type_id
    ]


def _document(rng: random.Random) -> dict[str, Any]:
    values = [*NAMES, 1, 0, True, None, 1.5, ["a"], {"a": "a"}]
    return {key: rng.choice(values) for key in rng.sample(KEYS, rng.randint(0, 3))}


def _a_resource(kind: ResourceType, number: int, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    made = Resource.objects.create(
        integration=kind.integration, resource_type=kind, source_id=f"s{number}/{rng.choice(['', name])}", name=name,
        path=rng.choice([name, f"a/{name}", ""]), status="missing" if rng.random() < 0.2 else "active",
        risk_level=rng.randint(1, 9), context=_document(rng),
    )  # fmt: skip
    for key in rng.sample(KEYS, rng.randint(0, 4)):
        Tag.objects.create(resource=made, type=kind.type, key=key, value=rng.choice(NAMES[:-3]))


def values(entitlements: list[tuple[Resource, Permission]], rng: random.Random) -> dict[str, list[str]]:
    """Return what fields may be compared with so that something is found, and something that is not there."""
    found: dict[str, list[str]] = {"keys": [*KEYS, "gone"], "risk": ["low", "medium", "high", "1", "5", "9"]}
    some = rng.sample(entitlements, min(8, len(entitlements)))
    for field in PLAIN:
        term = Term(field, "=", ("",))
        found[field] = [one for pair in some for one in held(term, *pair)] + ["007", "", "²", "9" * 30]
    for field in ("resource_tag", "resource_context", "permission_tag", "permission_context"):
        found[field] = [*NAMES, "1", "true", "null"]
    return found


def held(term: Term, resource: Resource, permission: Permission) -> list[str]:
    """Return what an entitlement has of a field."""
    kind, system = resource.resource_type, resource.integration
    if term.field == "resource_tag":
        return [tag.value for tag in resource.tags.all() if tag.key == term.key]
    documents = {"resource_context": resource.context, "permission_tag": permission.tags,
                 "permission_context": permission.context}  # fmt: skip
    if term.field in documents:
        value = documents[term.field].get(term.key)
        return [value] if isinstance(value, str) else []
    return {
        "resource_type": [kind.type], "resource_name": [resource.name], "resource_path": [resource.path],
        "resource": [str(resource.pk)], "resource_status": [resource.status],
        "resource_source_id": [resource.source_id], "permission": [str(permission.pk), permission.source_id],
        "permission_name": [permission.name], "integration": [str(system.pk), system.name, system.type],
        "integration_name": [system.name],
    }[term.field]  # fmt: skip


def naively(node: Term | Not | And | Or, resource: Resource, permission: Permission) -> bool:
    """Whether an entitlement is selected."""
    if isinstance(node, Not):
        return not naively(node.part, resource, permission)
    if isinstance(node, And):
        return min(naively(part, resource, permission) for part in node.parts)
    if isinstance(node, Or):
        return max(naively(part, resource, permission) for part in node.parts)
    if node.field.endswith("risk_level"):
        level = resource.risk_level if node.field.startswith("resource") else permission.risk_level
        words = {"low": "123", "medium": "456", "high": "789"}
        found = [str(level) in words.get(value, value) for value in node.values]
    else:
        found = [_is(node.operator, one, value) for one in held(node, resource, permission) for value in node.values]
    return not any(found) if node.operator in ("!=", "not_in", "not_contains") else any(found)


def _is(operator: str, one: str, value: str) -> bool:
    if operator in ("=", "!=", "in", "not_in"):
        return one == value
    if operator in ("contains", "not_contains"):
        return one.find(value) >= 0
    return one[: len(value)] == value if operator == "starts_with" else one[max(len(one) - len(value), 0) :] == value
