"""Connectors as they are answered: a page in two queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from integrations.api.stores import Part
from integrations.models import Connector, ConnectorInstance
from integrations.queries import SILENT_AFTER, is_outdated

CONNECTED, DISCONNECTED = "CONNECTED", "DISCONNECTED"


def _alive(at: datetime) -> QuerySet[ConnectorInstance]:
    return ConnectorInstance.objects.filter(stopped_at__isnull=True, last_seen_at__gt=at - SILENT_AFTER)


def with_status(rows: QuerySet[Connector], statuses: list[str], at: datetime) -> QuerySet[Connector]:
    """Return the connectors that are as one of the statuses says at the moment; all where none is named."""
    if not statuses:
        return rows
    heard = Exists(_alive(at).filter(connector=OuterRef("pk")))
    wanted = {CONNECTED, DISCONNECTED} & set(statuses)
    if wanted == {CONNECTED}:
        return rows.filter(heard)
    if wanted == {DISCONNECTED}:
        return rows.exclude(heard)
    return rows if wanted else rows.none()


def shown(rows: Iterable[Connector], at: datetime) -> list[Part]:
    """Return connectors as they are answered."""
    found = list(rows)
    alive: dict[Any, list[ConnectorInstance]] = defaultdict(list)
    for one in _alive(at).filter(connector__in=found).order_by("-last_seen_at"):
        alive[one.connector_id].append(one)
    silent = [one.pk for one in found if one.pk not in alive]
    last = (
        ConnectorInstance.objects.filter(connector__in=silent).order_by("connector_id", "last_seen_at")
        if silent
        else ()
    )
    latest = {one.connector_id: one for one in last} | {pk: running[0] for pk, running in alive.items()}
    return [_shown(one, alive[one.pk], latest.get(one.pk)) for one in found]


def _shown(row: Connector, running: list[ConnectorInstance], latest: ConnectorInstance | None) -> Part:
    told: Part = {
        "id": str(row.pk),
        "name": row.name,
        "status": CONNECTED if running else DISCONNECTED,
        "version": latest.version if latest else "",
        "is_latest_version": latest is not None and not is_outdated(latest.version),
        "cloud_provider_type": str((latest.surroundings or {}).get("cloud", "") if latest else "").upper(),
        "sessions": [_session(one) for one in running],
    }
    return told | ({"last_connected": latest.last_seen_at} if latest else {})


def _session(one: ConnectorInstance) -> Part:
    return {
        "id": str(one.pk),
        "metadata": {"connector_version": one.version},
        "last_connected_time": one.last_seen_at,
    }
