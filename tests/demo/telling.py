"""The engineer's part of the demo, by rows: what the guide looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from access_requests.models import AccessRequest
from accounts.models import User
from audit.actor import Actor
from demo import history, people
from integrations.models import Integration
from tests.portal import making


def begun() -> Actor:
    """Return who makes the demo."""
    return history.platform()


def engineer_asks(database: str, flow: str) -> AccessRequest:
    """Have the engineer ask for a database of the real server, by a flow of this name that asks nobody."""
    engineer = User.objects.get(email=people.ENGINEER)
    approver = None if database == "orders" else User.objects.get(email=people.APPROVER)
    target = Integration.objects.filter(name="payments-prod").first() or making.integration()
    chosen = {"mode": "include_resources", "type": "name", "values": [database]}
    making.flow(target, engineer, approver, name=flow, selectors=(chosen,))
    return making.ask(engineer, database)


def told(access: AccessRequest, state: str) -> None:
    """Put the request into a state, with what the database wants of it."""
    now = datetime.now(UTC)
    AccessRequest.objects.filter(pk=access.pk).update(
        state=state,
        activated_at=now,
        ends_at=now + timedelta(hours=1),
        due_at=now,
        ended_at=now if state == "revoked" else None,
        ended_how="proven" if state == "revoked" else "",
    )
