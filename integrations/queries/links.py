"""Remote connectors: their tokens, their instances, what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from connectors.contract.orders import Function
from connectors.registry import BUILT_IN
from integrations.choices import ConnectorKind, OrderState
from integrations.models import Connector, ConnectorInstance, ConnectorToken, Order
from integrations.queries.systems import SILENT_AFTER


def tokens(connector: Connector) -> QuerySet[ConnectorToken]:
    """Return a connector's tokens, newest first, the revoked ones too."""
    return ConnectorToken.objects.filter(connector=connector)


def remote_connectors() -> QuerySet[Connector]:
    """Return the connectors that run elsewhere."""
    return Connector.objects.filter(kind=ConnectorKind.REMOTE).order_by("name")


def alive_instances(connector: Connector, at: datetime) -> QuerySet[ConnectorInstance]:
    """Return the instances that were heard of lately and have not said goodbye, last seen first."""
    rows = ConnectorInstance.objects.filter(connector=connector, stopped_at__isnull=True)
    return rows.filter(last_seen_at__gt=at - SILENT_AFTER).order_by("-last_seen_at")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a connector at the moment."""

    due: int
    leased: int
    waiting_with_error: int


def backlog(connector: Connector, at: datetime) -> Backlog:
    """Return how many orders are due, under way, and waiting for another try after an error. Three queries."""
    rows = Order.objects.filter(integration__connector=connector)
    queued = rows.filter(state=OrderState.QUEUED)
    return Backlog(
        due=queued.filter(next_try_at__lte=at).count(),
        leased=rows.filter(state=OrderState.LEASED).count(),
        waiting_with_error=queued.filter(next_try_at__gt=at, error__has_key="kind").count(),
    )


@dataclass(frozen=True, slots=True)
class Allowed:
    """One program of ours at one instance: `state` is as shipped, replaced by the owner, or not allowed."""

    program: str
    digest: str
    state: str


def allowed(instance: ConnectorInstance) -> list[tuple[str, list[Allowed]]]:
    """Return, by provider, what an instance said it may run, beside what this server ships."""
    found = []
    for provider in sorted(BUILT_IN.manifests()):
        rows = [_allowed(instance, provider, one) for one in BUILT_IN.functions(provider)]
        rows += [
            Allowed(name.partition("/")[2], digest, "its own")
            for name, digest in sorted(instance.functions.items())
            if name.startswith(f"{provider}/") and name.partition("/")[2] not in {row.program for row in rows}
        ]
        found.append((provider, rows))
    known = {name for name, _ in found}
    others: dict[str, list[Allowed]] = {}
    for name, digest in sorted(instance.functions.items()):
        provider, _, program = name.partition("/")
        if provider not in known:
            others.setdefault(provider, []).append(Allowed(program, digest, "its own"))
    return found + sorted(others.items())


def _allowed(instance: ConnectorInstance, provider: str, shipped: Function) -> Allowed:
    digest = instance.functions.get(f"{provider}/{shipped.name}", "")
    if not digest:
        return Allowed(shipped.name, "", "not allowed")
    return Allowed(shipped.name, digest, "as shipped" if digest == shipped.digest else "replaced")


def latest_errors(connector: Connector, limit: int = 20) -> list[Order]:
    """Return the orders of a connector that failed or wait after an error, latest first."""
    rows = Order.objects.filter(integration__connector=connector, error__has_key="kind")
    return list(rows.select_related("integration", "leased_by").order_by("-created_at")[:limit])
