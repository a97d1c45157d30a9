"""What the portal's tests need to exist: an integration with databases, access flows, requests in any state."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from access_requests import actions
from access_requests.choices import CredentialsStatus, EndReason, RequestState, UnitState
from access_requests.lifecycle import move
from access_requests.models import AccessGroup, AccessRequest, AccessSession, Extension, Proof
from accounts.models import User
from audit.actor import person, system
from audit.choices import Source
from connectors.toolkit import sealing
from flows import actions as flow_actions
from flows.models import AccessFlow, FlowVersion
from integrations.choices import IntegrationStatus
from integrations.models import Connector, Integration, Permission, Resource, ResourceType

PERMISSIONS = (("READ_ONLY", "Read only", 3), ("READ_WRITE", "Read and write", 6), ("ADMIN", "Admin", 9))
PASSWORD = "Vt7-mQ4x-LpZ9-wc2K"
WHEN = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def integration(name: str = "payments-prod", databases: tuple[str, ...] = ("orders", "ledger")) -> Integration:
    """Make a PostgreSQL integration with databases, as a sync would leave it."""
    connector, _ = Connector.objects.get_or_create(name="embedded")
    made = Integration.objects.create(
        name=name,
        type="postgresql",
        connector=connector,
        status=IntegrationStatus.ACTIVE,
        config={"hostname": "db.example.com", "port": 5432},
    )
    kind = ResourceType.objects.create(integration=made, type="database", name="Database")
    Permission.objects.bulk_create(
        Permission(resource_type=kind, source_id=source_id, name=words, risk_level=risk)
        for source_id, words, risk in PERMISSIONS
    )
    for database in databases:
        resource(made, database)
    return made


def resource(of: Integration, name: str, **fields: Any) -> Resource:
    """Add a database to an integration."""
    kind = of.resource_types.get(type="database")
    return Resource.objects.create(integration=of, resource_type=kind, source_id=name, name=name, path=name, **fields)


def pair(name: str, permission: str = "READ_ONLY") -> tuple[int, int]:
    """Return (resource id, permission id) of a database by its name."""
    found = Resource.objects.get(name=name)
    return found.pk, found.resource_type.permissions.get(source_id=permission).pk


def flow(
    of: Integration,
    requester: User,
    approver: User | None = None,
    *,
    name: str = "Payments data",
    permissions: tuple[str, ...] = ("READ_ONLY", "READ_WRITE"),
    selectors: tuple[dict[str, Any], ...] = (),
    **columns: Any,
) -> AccessFlow:
    """Make an access flow for one requester; without an approver nobody has to approve."""
    groups = [{"conditions": [{"type": "user", "values": [approver.email]}]}] if approver else []
    document = {
        "requestors": {"conditions": [{"type": "user", "values": [requester.email]}]},
        "targets": [
            {
                "integration": str(of.pk),
                "resource_type": "database",
                "permissions": list(permissions),
                "selectors": list(selectors),
            }
        ],
        "approval": {"groups": groups},
    }
    settled = {"grant_duration_minutes": 240, "approval_mode": "any_of" if groups else "none", **columns}
    return flow_actions.define({"name": name, **settled}, document, actor=system())


def ask(
    requester: User, *names: str, permission: str = "READ_ONLY", why: str = "INC-4821", **rest: Any
) -> AccessRequest:
    """Ask for databases that one flow gives; an hour unless told otherwise."""
    rest.setdefault("duration_seconds", 3600)
    pairs = [pair(name, permission) for name in names]
    (made,) = actions.ask(requester, pairs, actor=person(requester, Source.PORTAL), justification=why, **rest)
    return made


def approved(access: AccessRequest, approver: User, reason: str = "") -> AccessRequest:
    """Have the approver say yes."""
    return actions.approve(access, approver=approver, actor=person(approver, Source.PORTAL), reason=reason)


def sealed(group: AccessGroup, secret: dict[str, str]) -> str:
    """Seal credentials for a grant as a connector does."""
    key = sealing.public_key(settings.SEALING_KEYS[0].rpartition(":")[2])
    return sealing.seal(key, json.dumps(secret).encode(), str(group.pk).encode())


def active(access: AccessRequest, *, at: datetime | None = None, password: str = PASSWORD) -> AccessRequest:
    """Make an approved request active, as the reports of a connector would: units held, session, credentials unseen."""
    moment = at or datetime.now(UTC)
    move(access, RequestState.GRANTING, actor=system(), at=moment)
    for group in access.access_groups.all():
        group.login, group.dispatched_at = f"lk_{group.pk.hex[:12]}", moment
        group.backstop_at = moment + timedelta(seconds=access.duration_seconds or 0)
        group.save()
        group.units.update(state=UnitState.ACTIVE)
        session(group, password)
    ends_at = moment + timedelta(seconds=access.duration_seconds) if access.duration_seconds else None
    move(access, RequestState.ACTIVE, actor=system(), at=moment, activated_at=moment, ends_at=ends_at)
    return AccessRequest.objects.get(pk=access.pk)


def session(group: AccessGroup, password: str = PASSWORD) -> AccessSession:
    """Make the session of a grant, with details as the PostgreSQL provider gives them."""
    login = group.login
    return AccessSession.objects.create(
        group=group,
        credentials_status=CredentialsStatus.AVAILABLE,
        sealed_credentials=sealed(group, {"password": password}),
        details={
            "host": "db.example.com",
            "port": 5432,
            "database": "orders",
            "databases": ["orders"],
            "username": login,
            "sslmode": "verify-full",
            "command": f"psql 'host=db.example.com port=5432 dbname=orders user={login} sslmode=verify-full'",
            "uri": f"postgresql://{login}@db.example.com:5432/orders?sslmode=verify-full",
        },
    )


def ending(access: AccessRequest, *, due_at: datetime, overdue: bool = False) -> AccessRequest:
    """Make an active request one that is being revoked."""
    told = {"due_at": due_at, "end_reason": EndReason.TIME, "overdue_since": due_at if overdue else None}
    move(access, RequestState.REVOKING, actor=system(), at=due_at, reason=EndReason.TIME.label, **told)
    for group in access.access_groups.all():
        group.units.update(state=UnitState.REVOKING)
    return access


def ended(access: AccessRequest, *, due_at: datetime, lag: float = 1.4) -> AccessRequest:
    """Make an active request one whose end is proven."""
    at = due_at + timedelta(seconds=lag)
    ending(access, due_at=due_at)
    for group in access.access_groups.all():
        Proof.objects.create(
            group=group,
            due_at=due_at,
            ended_at=at,
            lag_seconds=lag,
            read_at=at,
            connector="embedded, this process",
            found=[],
            functions=[{"name": "revoke.sql", "digest": "9f" * 32}, {"name": "read_back.sql", "digest": "77" * 32}],
            sessions_ended=1,
        )
        group.units.update(state=UnitState.ENDED)
        AccessGroup.objects.filter(pk=group.pk).update(ended_at=at)
        AccessSession.objects.filter(group=group).update(
            ended_at=at, sealed_credentials="", credentials_status=CredentialsStatus.NOT_APPLICABLE
        )
    move(access, RequestState.REVOKED, actor=system(), at=at, ended_at=at, ended_how="proven")
    return access


def unknown() -> uuid.UUID:
    """Return an id that nothing has."""
    return uuid.uuid4()


def extendable(of: AccessFlow, times: int = 2, seconds: int = 7200) -> None:
    """Let a flow give extensions."""
    version = FlowVersion.objects.get(pk=AccessFlow.objects.get(pk=of.pk).current_id)
    version.document["settings"] |= {"max_extensions": times, "extension_seconds": seconds}
    version.save(update_fields=["document"])


def more_time(access: AccessRequest, requester: User, seconds: int = 1800, why: str = "Not done yet.") -> Extension:
    """Ask for more time."""
    actor = person(requester, Source.PORTAL)
    return actions.extend(access, user=requester, actor=actor, seconds=seconds, justification=why)
