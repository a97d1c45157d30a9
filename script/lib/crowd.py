"""An organisation of the size to plan for, for benchmarks: people, inventory, flows, and a year of requests."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from access_requests.models import AccessGroup, AccessRequest, AccessSession, AccessUnit, Approval, Proof, Transition
from accounts.models import Group, GroupMembership, User
from flows.models import AccessFlow, FlowVersion
from integrations.models import Integration, Permission, Resource, ResourceType
from tests.cast import Cast
from tests.portal import making

BATCH = 5_000
PER_INTEGRATION = 20_000
CHANCE = 20261122


@dataclass(frozen=True)
class Size:
    """How many of each; the default is what product scale asks for."""

    people: int = 20_000
    resources: int = 1_000_000
    flows: int = 2_000
    matching: int = 200
    requests: int = 100_000


@dataclass(frozen=True)
class Crowd:
    """What was made."""

    cast: Cast
    version: FlowVersion
    integrations: tuple[Integration, ...]


def gather(cast: Cast, size: Size) -> Crowd:
    """Make it all, on PostgreSQL; statistics are fresh afterwards. A million rows take minutes."""
    systems = tuple(_systems(size.resources))
    engineers = _people(cast, size.people)
    version = _flows(cast, systems, engineers, size)
    _requests(cast, version, systems, size.requests)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Crowd(cast, version, systems)


def _systems(resources: int) -> Iterator[Integration]:
    for number in range(max(1, resources // PER_INTEGRATION)):
        made = making.integration(f"system-{number:03}", ())
        kind = made.resource_types.get(type="database")
        _inventory(made, kind, min(resources, PER_INTEGRATION))
        yield made


def _inventory(of: Integration, kind: ResourceType, rows: int) -> None:
    """Fill one integration: names of four words out of many, two tags each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_resource
              (integration_id, resource_type_id, source_id, name, path, status, risk_level,
               context, refusals, fingerprint)
            SELECT %s, %s, 'r' || n, (%s::text[])[1 + n %% 8] || '_' || (%s::text[])[1 + (n / 8) %% 7] || '_' || n,
              %s || '/' || (%s::text[])[1 + n %% 8] || '/' || (%s::text[])[1 + (n / 8) %% 7] || '_' || n,
              'active', 1 + n %% 9, '{}', '{}', ''
            FROM generate_series(1, %s) AS n
            """,
            [of.pk, kind.pk, FIRST, SECOND, of.name, FIRST, SECOND, rows],
        )
        cursor.execute(
            """
            INSERT INTO integrations_tag (resource_id, type, key, value)
            SELECT r.id, 'database', t.key,
              CASE t.key WHEN 'env' THEN (%s::text[])[1 + r.id %% 3] ELSE 't' || r.id %% 50 END
            FROM integrations_resource r CROSS JOIN (VALUES ('env'), ('team')) AS t(key) WHERE r.resource_type_id = %s
            """,
            [["prod", "staging", "dev"], kind.pk],
        )


FIRST = ["orders", "ledger", "billing", "users", "events", "search", "mail", "stock"]
SECOND = ["main", "archive", "replica", "staging", "reports", "import", "audit"]


def _people(cast: Cast, number: int) -> Group:
    """Make people with managers, and a group the requester is in."""
    users = [User(email=f"person{n}@example.com", name=f"Person {n}", manager=cast.approver) for n in range(number)]
    User.objects.bulk_create(users, batch_size=BATCH)
    group = Group.objects.create(name="engineers")
    members = [cast.requester, *users[:200]]
    GroupMembership.objects.bulk_create(GroupMembership(group=group, user=user) for user in members)
    return group


def _flows(cast: Cast, systems: tuple[Integration, ...], engineers: Group, size: Size) -> FlowVersion:
    """Make one flow by its action, and the others as copies of its document; returns the first flow's version."""
    first = making.flow(systems[0], cast.requester, cast.approver, name="Flow 0")
    pattern = FlowVersion.objects.get(flow=first)
    rows = [
        AccessFlow(name=f"Flow {n}", grant_duration_minutes=240, approval_mode="any_of") for n in range(1, size.flows)
    ]
    AccessFlow.objects.bulk_create(rows, batch_size=BATCH)
    versions = [
        _version(pattern, row, n, systems=systems, engineers=engineers, size=size) for n, row in enumerate(rows, 1)
    ]
    FlowVersion.objects.bulk_create(versions, batch_size=BATCH)
    for row, version in zip(rows, versions, strict=True):
        row.current = version
    AccessFlow.objects.bulk_update(rows, ["current"], batch_size=500)
    return pattern


def _version(
    pattern: FlowVersion, row: AccessFlow, n: int, *, systems: tuple[Integration, ...], engineers: Group, size: Size
) -> FlowVersion:
    document = copy.deepcopy(pattern.document)
    document["id"], document["name"] = str(row.pk), row.name
    group = engineers.name if n % (size.flows // size.matching) == 0 else f"group {n}"
    document["requestors"]["conditions"] = [{"type": "group", "operator": "is", "source": "", "values": [group]}]
    target = document["targets"][0]
    target["integration"] = str(systems[n % len(systems)].pk)
    if n % 3 == 1:
        tag = {"mode": "include_resources", "type": "tag", "key": "team", "values": [f"t{n % 50}"]}
        target["selectors"] = [tag]
    elif n % 3 == 2:
        target["selectors"] = [
            {
                "mode": "include_resources",
                "type": "name",
                "key": "",
                "values": [f"orders_main_{n * 8}", f"ledger_main_{n * 8 + 1}"],
            }
        ]
    return FlowVersion(
        flow=row, number=1, document=document, sentence=f"Engineers may ask for system {n}.", digest=f"{n:064}"
    )


def _requests(cast: Cast, version: FlowVersion, systems: tuple[Integration, ...], number: int) -> None:
    """Make requests over a year, nearly all over: each with a group, a unit, an answer, moves, and a proof."""
    chance, now = random.Random(CHANCE), datetime.now(UTC)
    people = list(User.objects.filter(email__startswith="person")[:2_000]) or [cast.requester]
    pool = list(Resource.objects.filter(integration__in=systems[:5])[:1_000])
    allowed = {p.resource_type_id: p for p in Permission.objects.filter(source_id="READ_ONLY")}
    for start in range(0, number, BATCH):
        many = range(start, min(number, start + BATCH))
        made = [_request(cast, version, chance.choice(people), n=n, number=number, now=now) for n in many]
        AccessRequest.objects.bulk_create(made)
        _rest(made, cast, pool, allowed, chance)


def _request(cast: Cast, version: FlowVersion, who: User, *, n: int, number: int, now: datetime) -> AccessRequest:
    """Return request n of all, oldest first; the last thousand are alive, and one in fifty is the cast's own."""
    mine = n % 50 == 0
    asked = now - timedelta(days=365) * (number - n) / number
    person = (cast.requester if n % 100 else cast.approver) if mine else who
    values: dict[str, Any] = {"justification": f"INC-{n}: a reason", "duration_seconds": 3600, "requested_at": asked}
    begun, over = asked + timedelta(minutes=3), asked + timedelta(minutes=63)
    if number - n <= 100:
        values |= {"state": "pending", "lapses_at": now + timedelta(days=1)}
    elif number - n <= 1_000:
        values |= {"state": "active", "activated_at": now, "decided_at": now, "ends_at": now + timedelta(hours=1)}
    elif n % 12 == 0:
        values |= {"state": "rejected", "decided_at": begun, "ended_at": begun, "note": "not now"}
    else:
        values |= {
            "state": "revoked", "decided_at": begun, "activated_at": begun, "ends_at": over, "due_at": over,
            "ended_at": over + timedelta(seconds=2), "ended_how": "proven", "end_reason": "time",
        }  # fmt: skip
    return AccessRequest(requestor=person, grantee=person, flow_version=version, **values)


def _rest(
    made: list[AccessRequest], cast: Cast, pool: list[Resource], allowed: dict[int, Permission], chance: random.Random
) -> None:
    """Make what belongs to the requests."""
    picked = [chance.choice(pool) for _ in made]
    groups = [
        AccessGroup(request=one, integration_id=resource.integration_id, login=f"lk_{uuid.uuid4().hex[:20]}")
        for one, resource in zip(made, picked, strict=True)
    ]
    AccessGroup.objects.bulk_create(groups)
    AccessUnit.objects.bulk_create(
        [_unit(group, one, allowed[one.resource_type_id]) for group, one in zip(groups, picked, strict=True)]
    )
    Approval.objects.bulk_create([_answer(one, cast.approver) for one in made])
    Transition.objects.bulk_create(
        Transition(
            request=one, from_state=a, to_state=b, at=one.requested_at, actor_kind="system", operation=uuid.uuid4()
        )
        for one in made
        for a, b in (("initializing", "pending"), ("pending", one.state))
        if a != b
    )
    Proof.objects.bulk_create([_proof(group, one) for group, one in zip(groups, made, strict=True) if one.ended_how])
    alive = [group for group, one in zip(groups, made, strict=True) if one.state == "active"]
    AccessSession.objects.bulk_create(
        AccessSession(group=group, details={"command": "psql", "uri": "x"}) for group in alive
    )


def _unit(group: AccessGroup, resource: Resource, permission: Permission) -> AccessUnit:
    state = {"active": "active", "pending": "pending"}.get(group.request.state, "ended")
    return AccessUnit(
        group=group, resource=resource, permission=permission, state=state, resource_type="database",
        resource_source_id=resource.source_id, resource_path=resource.path,
        permission_source_id=permission.source_id, permission_name=permission.name,
    )  # fmt: skip


def _answer(request: AccessRequest, approver: User) -> Approval:
    status = {"pending": "pending", "rejected": "rejected"}.get(request.state, "approved")
    when = None if status == "pending" else request.decided_at
    return Approval(request=request, approver=approver, why="You are asked", status=status, decided_at=when)


def _proof(group: AccessGroup, request: AccessRequest) -> Proof:
    ended = request.ended_at or request.requested_at
    return Proof(
        group=group, due_at=request.due_at or ended, ended_at=ended, lag_seconds=2.0, read_at=ended,
        connector="embedded", functions=[{"name": "revoke.sql", "digest": "9f" * 32}],
    )  # fmt: skip
