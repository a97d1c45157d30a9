"""Many requests of many kinds, as rows: what filters, figures and CSV are tried on."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from access_requests.choices import ApprovalStatus, EndReason, RequestState, UnitState
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Approval
from accounts.models import User
from flows.models import FlowVersion
from integrations.models import Integration, Permission, Resource

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
_S = RequestState
_BEGUN = (_S.ACTIVE, _S.REVOKING, _S.REVOKED)


def scatter(rng: random.Random, people: list[User], versions: list[FlowVersion], count: int, days: float) -> None:
    """Make requests over so many days before NOW, in every state, with units, approvals and late ends."""
    resources = list(Resource.objects.select_related("resource_type"))
    for _ in range(count):
        at = NOW - timedelta(seconds=rng.uniform(0, days * 86400))
        access = _request(rng, people, rng.choice(versions), at)
        for integration in rng.sample(list(Integration.objects.all()), rng.randint(0, 2)):
            here = [one for one in resources if one.integration_id == integration.pk]
            group = AccessGroup.objects.create(request=access, integration=integration)
            for resource in rng.sample(here, rng.randint(0, min(2, len(here)))):
                _unit(rng, group, resource)
        if rng.random() < 0.6:
            Approval.objects.create(request=access, approver=rng.choice(people), why="asked", **_answer(rng, access))


def _request(rng: random.Random, people: list[User], version: FlowVersion, at: datetime) -> AccessRequest:
    state = rng.choice(list(RequestState))
    due = at + timedelta(hours=rng.uniform(0, 4))
    ended = due + timedelta(seconds=rng.choice([0.2, 5, 59, 61, 900]))
    return AccessRequest.objects.create(
        requestor=rng.choice(people),
        grantee=rng.choice(people),
        flow_version=version,
        state=state,
        requested_at=at,
        justification=rng.choice(["", "INC-4821 orders are stuck", "ledger 100% wrong", "_"]),
        duration_seconds=3600,
        decided_at=at + timedelta(seconds=rng.randint(0, 9000)) if state not in {_S.PENDING, _S.LAPSED} else None,
        activated_at=at if state in _BEGUN else None,
        ends_at=due if state in _BEGUN else None,
        due_at=due if state in {_S.REVOKING, _S.REVOKED} else None,
        ended_at=ended if state == _S.REVOKED else None,
        ended_how="proven" if state == _S.REVOKED else "",
        end_reason=EndReason.TIME if state == _S.REVOKED else "",
    )


def _unit(rng: random.Random, group: AccessGroup, resource: Resource) -> None:
    permission = rng.choice(list(Permission.objects.filter(resource_type=resource.resource_type)))
    AccessUnit.objects.create(
        group=group,
        resource=resource,
        permission=permission,
        state=rng.choice(list(UnitState)),
        resource_type="database",
        resource_source_id=resource.source_id,
        resource_path=resource.path,
        permission_source_id=permission.source_id,
        permission_name=permission.name,
    )


def _answer(rng: random.Random, access: AccessRequest) -> dict[str, object]:
    if access.decided_at is None:
        return {"status": ApprovalStatus.PENDING}
    return {"status": rng.choice(["approved", "rejected"]), "decided_at": access.decided_at, "reason": "Fine."}


def table(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def fetch(user: User, url: str, data: dict[str, str] | None = None, *, post: bool = True) -> tuple[int, bytes]:
    """Fetch a download as a browser does, through the asynchronous stack; return status and content."""

    async def ask() -> tuple[int, bytes]:
        client = AsyncClient()
        await client.aforce_login(user)
        response = await (client.post(url, data or {}) if post else client.get(url, data or {}))
        if not response.streaming:
            return response.status_code, response.content
        return response.status_code, b"".join([part async for part in response.streaming_content])

    return async_to_sync(ask)()
