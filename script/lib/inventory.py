"""An inventory of a million resources and two thousand access flows, made in the database's own fastest way."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from accounts.models import Group, GroupMembership, User
from flows.document import digest
from flows.models import AccessFlow, FlowVersion
from integrations.choices import IntegrationStatus
from integrations.models import Connector, Integration, Permission, ResourceType

RESOURCES, INTEGRATIONS, FLOWS, MATCHING = 1_000_000, 400, 2_000, 200
WORDS = [
    "orders",
    "ledger",
    "payment",
    "invoice",
    "customer",
    "stock",
    "price",
    "audit",
    "event",
    "session",
    "account",
    "report",
    "archive",
    "import",
    "export",
    "staging",
    "daily",
    "monthly",
    "summary",
    "history",
    "detail",
    "index",
    "queue",
    "batch",
]
TYPES = (("database", "Database", 0.02), ("schema", "Schema", 0.08), ("table", "Table", 0.90))
PERMISSIONS = (("READ_ONLY", "Read only", 3), ("READ_WRITE", "Read and write", 6), ("ADMIN", "Admin", 9))
COLUMNS = "integration_id, resource_type_id, source_id, name, path, status, risk_level, context, refusals, fingerprint"


def fill(resources: int = RESOURCES, flows: int = FLOWS, matching: int = MATCHING) -> User:
    """Make the inventory and the flows; return the person whom `matching` of them match."""
    rng = random.Random(4)
    kinds = _systems(rng)
    with connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        names = ["integrations_resource_trigrams", "integrations_resource_searched"] if postgresql else []
        kept = []
        for name in names:  # indexes are made faster than kept
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
            kept += [row[0] for row in cursor.fetchall()]
            cursor.execute(f"DROP INDEX IF EXISTS {name}")
        _write(cursor, "integrations_resource", COLUMNS, _resources(kinds, resources, rng))
        cursor.execute("SELECT id, name FROM integrations_resource WHERE id % 4 = 0")
        tags = [(pk, "table", "team", name.split("_")[0]) for pk, name in cursor.fetchall()]
        _write(cursor, "integrations_tag", "resource_id, type, key, value", iter(tags))
        for statement in kept:
            cursor.execute(statement)
    person = _flows(kinds, flows, matching, rng)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if postgresql else "ANALYZE")
    return person


def _systems(rng: random.Random) -> list[tuple[Integration, dict[str, ResourceType], int]]:
    """Make the integrations, each with its types and permissions and its share of the resources: few are large."""
    connector = Connector.objects.create(name="bench")
    made = []
    for number in range(INTEGRATIONS):
        name = f"{rng.choice(WORDS)}-{rng.choice(['prod', 'dev', 'eu', 'us'])}-{number}"
        one = Integration.objects.create(
            name=name, type="postgresql", connector=connector, status=IntegrationStatus.ACTIVE
        )
        kinds = {kind: ResourceType.objects.create(integration=one, type=kind, name=label) for kind, label, _ in TYPES}
        Permission.objects.bulk_create(
            Permission(resource_type=kind, source_id=source, name=label, risk_level=risk)
            for kind in kinds.values()
            for source, label, risk in PERMISSIONS
        )
        made.append((one, kinds, 50 if number == 7 else 10 if number % 40 == 0 else 1))
    return made


def _resources(kinds: list[Any], count: int, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    whole = sum(weight for _, _, weight in kinds)
    number = 0
    for integration, types, weight in kinds:
        for kind, _, share in TYPES:
            for _ in range(round(count * weight / whole * share)):
                number += 1
                name = f"{rng.choice(WORDS)}_{rng.choice(WORDS)}_{number}"
                path = f"{integration.name}/{rng.choice(WORDS)}/{name}"
                key = integration.pk.hex if connection.vendor == "sqlite" else integration.pk
                yield key, types[kind].pk, f"s{number}", name, path, "active", 3, "{}", "{}", ""


def _write(cursor: Any, table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join(["%s"] * len(columns.split(",")))
    with transaction.atomic():
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(rows))


def _flows(kinds: list[Any], count: int, matching: int, rng: random.Random) -> User:
    """Make flows of every shape; the person is in the groups that the first `matching` name."""
    person = User.objects.create(email="bench@example.com", name="Bench")
    groups = [Group.objects.create(name=f"team {number}") for number in range(100)]
    GroupMembership.objects.bulk_create(GroupMembership(group=group, user=person) for group in groups[:10])
    flows, versions = [], []
    for number in range(count):
        group = groups[number % 10] if number < matching else groups[10 + number % 90]
        flow = AccessFlow(pk=uuid.uuid4(), name=f"Flow {number}", grant_duration_minutes=240)
        document = _document(flow, group.name, [_target(rng, kinds) for _ in range(2)], number)
        flows.append(flow)
        versions.append(FlowVersion(flow=flow, number=1, document=document, sentence="", digest=digest(document)))
    AccessFlow.objects.bulk_create(flows)
    for flow, version in zip(flows, FlowVersion.objects.bulk_create(versions), strict=True):
        flow.current = version
    AccessFlow.objects.bulk_update(flows, ["current"], batch_size=200)
    return person


def _document(flow: AccessFlow, group: str, targets: list[dict[str, Any]], number: int) -> dict[str, Any]:
    conditions = [{"type": "group", "operator": "is", "source": "", "values": [group]}]
    if number % 5 == 0:
        conditions.append({"type": "city", "operator": "is_not", "source": "", "values": ["Atlantis"]})
    if number % 10 == 3:
        targets = [{"kind": "bundle", "bundle": str(uuid.uuid4()), "name": f"Kit {number}", "targets": targets}]
    return {
        "id": str(flow.pk), "name": flow.name, "active": True, "trigger": "self_serve",
        "requestors": {"operator": "and", "conditions": conditions}, "targets": targets,
        "approval": {"mode": "none", "groups": []}, "duration_seconds": 14400, "pending_seconds": 86400,
        "settings": {"justification_required": False, "approver_reason_required": False, "self_approval": False,
                     "labels": []},
    }  # fmt: skip


def _target(rng: random.Random, kinds: list[Any]) -> dict[str, Any]:
    integration, _, _ = rng.choice(kinds)
    if rng.random() < 0.125:
        return {"kind": "query", "query": _query(rng, integration.name)}
    chance = rng.random()
    selectors: list[dict[str, Any]] = []
    if chance < 0.2:
        selectors = [_selector("include", "tag", [rng.choice(WORDS)], "team")]
    elif chance < 0.3:
        selectors = [_selector("include", "id", [f"s{rng.randrange(RESOURCES)}" for _ in range(10)])]
    elif chance < 0.35:
        selectors = [_selector("exclude", "tag", ["audit"], "team")]
    return {
        "kind": "integration", "integration": str(integration.pk), "resource_type": rng.choice(TYPES)[0],
        "permissions": ["READ_ONLY", "READ_WRITE"], "bundle": "", "access_scope": "", "query": "",
        "selectors": selectors,
    }  # fmt: skip


def _query(rng: random.Random, integration: str) -> str:
    """Return a query of one of the shapes that people write."""
    team, kind = rng.choice(WORDS), rng.choice(TYPES)[0]
    return rng.choice(
        [
            f'integration = "{integration}" and resource_type = "{kind}"',
            f'integration_name = "{integration}" and resource_tag["team"] = "{team}" and not permission = "ADMIN"',
            f'resource_type = "table" and resource_tag["team"] = "{team}" and resource_name contains "77"',
            f'integration in ("{integration}") and resource_name starts_with "{team}" and permission_name != "Admin"',
        ]
    )


def _selector(mode: str, kind: str, values: list[str], key: str = "") -> dict[str, Any]:
    return {"mode": f"{mode}_resources", "type": kind, "key": key, "values": json.loads(json.dumps(values))}
