"""Connectors and integrations: how they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from connectors import VERSION
from integrations.choices import (
    TROUBLED,
    ConnectorHealth,
    IntegrationStatus,
    OrderState,
    SyncState,
)
from integrations.models import (
    Connector,
    ConnectorInstance,
    Integration,
    IntegrationOwner,
    SyncRun,
)

# An instance says every ten seconds that it is alive; after this long it is taken for silent.
SILENT_AFTER = timedelta(seconds=60)


def owns_something(user: User) -> bool:
    """Whether the person is an owner of an integration, by themselves or in a group. One query."""
    mine = Q(user=user) | Q(group__memberships__user=user)
    return IntegrationOwner.objects.filter(mine).exists()


# Instances of one connector that are read to judge it; the rest ran long ago.
_INSTANCES_READ = 20


# The latest syncs among which failed ones are looked for.
_SYNCS_READ = 200


def owner_name(owner: IntegrationOwner) -> str:
    """Return how an owner is written: an e-mail address, or a group's name."""
    return owner.user.email if owner.user is not None else str(owner.group)


@dataclass(frozen=True, slots=True)
class SeenConnector:
    """A connector with what its instances say of it."""

    connector: Connector
    health: ConnectorHealth
    alive: int
    versions: tuple[str, ...]
    last_seen_at: datetime | None


def connectors(at: datetime) -> list[SeenConnector]:
    """Return every connector by name with how it is at the moment. One query for each, and one."""
    return [seen(connector, at) for connector in Connector.objects.all()]


def seen(connector: Connector, at: datetime) -> SeenConnector:
    """Return how a connector is: by its latest instances, for a crashed one never says that it stopped."""
    latest = list(ConnectorInstance.objects.filter(connector=connector).order_by("-last_seen_at")[:_INSTANCES_READ])
    alive = [one for one in latest if one.stopped_at is None and one.last_seen_at > at - SILENT_AFTER]
    versions = tuple(sorted({one.version for one in alive}))
    if not latest:
        health = ConnectorHealth.NEVER
    elif not alive:
        health = ConnectorHealth.SILENT
    elif len(versions) > 1:
        health = ConnectorHealth.MIXED
    else:
        health = ConnectorHealth.OUTDATED if is_outdated(versions[0]) else ConnectorHealth.WELL
    return SeenConnector(connector, health, len(alive), versions, latest[0].last_seen_at if latest else None)


def is_outdated(version: str) -> bool:
    """Whether an instance is older than this server; one that is newer is upgraded before us, which is fine."""
    return _numbers(version) < _numbers(VERSION)


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers; what is no number counts as nothing."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def instances(connector: Connector) -> QuerySet[ConnectorInstance]:
    """Return the running copies of a connector, last seen first, each with `running`: the orders it holds."""
    held = Count("orders", filter=Q(orders__state=OrderState.LEASED))
    return ConnectorInstance.objects.filter(connector=connector).order_by("-last_seen_at").annotate(running=held)


def through(connector: Connector) -> QuerySet[Integration]:
    """Return the integrations that run through a connector."""
    return Integration.objects.filter(connector=connector).order_by("name")


def troubled() -> QuerySet[Integration]:
    """Return the integrations that somebody has to look at, worst first."""
    return Integration.objects.filter(status__in=TROUBLED).order_by("status", "name")


# Somebody has to look at these.
_TO_SEE_TO = (SyncState.FAILED, SyncState.WAITING)


def failed_syncs() -> QuerySet[SyncRun]:
    """Return which of the latest syncs failed, or wait for somebody's yes, latest first."""
    latest = SyncRun.objects.order_by("-pk").values("pk")[:_SYNCS_READ]
    return SyncRun.objects.filter(pk__in=latest, state__in=_TO_SEE_TO).select_related("integration").order_by("-pk")


def any_integration() -> bool:
    """Whether a system is connected at all. One query."""
    return Integration.objects.exists()


def oldest_sync() -> datetime | None:
    """Return when the system that was read longest ago was read, of those switched on; None where none was."""
    read = Integration.objects.exclude(status=IntegrationStatus.DISABLED).filter(synced_at__isnull=False)
    return read.order_by("synced_at").values_list("synced_at", flat=True).first()
