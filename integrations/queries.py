"""Named reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from connectors.contract.manifest import Manifest
from connectors.registry import BUILT_IN
from integrations.choices import (
    OPEN_ORDERS,
    TROUBLED,
    ConnectorHealth,
    IntegrationStatus,
    OrderState,
    OrderVerb,
    ResourceStatus,
    SyncState,
)
from integrations.models import Connector, ConnectorInstance, Integration, Order, Permission, Resource, SyncRun

# An instance says every ten seconds that it is alive; after this long it is taken for silent.
SILENT_AFTER = timedelta(seconds=60)
# Instances of one connector that are read to judge it; the rest ran long ago.
_INSTANCES_READ = 20
# The latest syncs among which failed ones are looked for.
_SYNCS_READ = 200


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One (resource, permission) pair with what policy looks at. `refusal` says why it cannot be granted, if so."""

    integration_id: str
    integration_name: str
    integration_type: str
    resource_id: int
    resource_type: str
    resource_source_id: str
    resource_name: str
    resource_path: str
    tags: tuple[tuple[str, str], ...]
    permission_id: int
    permission_source_id: str
    permission_name: str
    refusal: str = ""


def catalogue() -> dict[str, Manifest]:
    """Return the manifests of all providers by id."""
    return BUILT_IN.manifests()


def manifest(type_: str) -> Manifest:
    """Return one provider's manifest. Raises connectors' Misconfigured for an unknown type."""
    return BUILT_IN.manifest(type_)


def has_logins(integration: Integration) -> bool:
    """Whether access there means a login of its own for each grant."""
    return manifest(integration.type).has_logins


def entitlements(pairs: Iterable[tuple[int, int]]) -> list[Entitlement]:
    """Return the entitlements named by (resource id, permission id), in order; unknown or mismatched ones are left out.

    Four queries, whatever the number of pairs.
    """
    wanted = list(dict.fromkeys(pairs))
    resources = {
        row.pk: row
        for row in Resource.objects.filter(pk__in={resource for resource, _ in wanted})
        .select_related("integration", "resource_type")
        .prefetch_related("tags")
    }
    permissions = {row.pk: row for row in Permission.objects.filter(pk__in={each for _, each in wanted})}
    found = []
    for resource_id, permission_id in wanted:
        resource, permission = resources.get(resource_id), permissions.get(permission_id)
        if resource and permission and permission.resource_type_id == resource.resource_type_id:
            found.append(_entitlement(resource, permission))
    return found


def _entitlement(resource: Resource, permission: Permission) -> Entitlement:
    return Entitlement(
        integration_id=str(resource.integration_id),
        integration_name=resource.integration.name,
        integration_type=resource.integration.type,
        resource_id=resource.pk,
        resource_type=resource.resource_type.type,
        resource_source_id=resource.source_id,
        resource_name=resource.name,
        resource_path=resource.path,
        tags=tuple(sorted((tag.key, tag.value) for tag in resource.tags.all())),
        permission_id=permission.pk,
        permission_source_id=permission.source_id,
        permission_name=permission.name,
        refusal=_refusal(resource, permission),
    )


def _refusal(resource: Resource, permission: Permission) -> str:
    """Return why this cannot be granted now, in words, or nothing."""
    if resource.integration.status == IntegrationStatus.DISABLED:
        return f"The integration {resource.integration.name} is disabled."
    if resource.status == ResourceStatus.MISSING:
        return "The last sync did not find it any more."
    return str(resource.refusals.get(permission.source_id, ""))


def inventory(integration: Integration, text: str = "") -> QuerySet[Resource]:
    """Return the resources of an integration in reading order, narrowed to those whose path contains `text`."""
    found = Resource.objects.filter(integration=integration).select_related("resource_type")
    return found.filter(Q(path__icontains=text) | Q(name__icontains=text)) if text else found


def open_order(integration_id: uuid.UUID, person_id: uuid.UUID) -> Order | None:
    """Return the open order about a person in an integration."""
    return Order.objects.filter(integration=integration_id, person=person_id, state__in=OPEN_ORDERS).first()


def unabsorbed(integration_id: uuid.UUID, person_id: uuid.UUID) -> QuerySet[Order]:
    """Return settled orders about a person whose report is still to be taken in, oldest first."""
    return Order.objects.filter(
        integration=integration_id, person=person_id, state=OrderState.DONE, absorbed_at__isnull=True
    ).order_by("settled_at")


def waiting_with_error(integration_id: uuid.UUID, person_id: uuid.UUID) -> dict[str, str]:
    """Return the last error of the open order about a person (kind, message, fix), or nothing."""
    order = open_order(integration_id, person_id)
    return dict(order.error) if order else {}


@dataclass(frozen=True, slots=True)
class Queued:
    """The open orders of one verb."""

    verb: OrderVerb
    queued: int
    leased: int
    oldest: datetime


def queue() -> list[Queued]:
    """Return the open orders by verb. Two queries, each by a unique index that holds only open orders."""
    found = []
    for about_system in (False, True):
        rows = Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=about_system).order_by().values("verb")
        told = rows.annotate(
            queued=Count("pk", filter=Q(state=OrderState.QUEUED)),
            leased=Count("pk", filter=Q(state=OrderState.LEASED)),
            oldest=Min("created_at"),
        )
        found += [Queued(OrderVerb(one["verb"]), one["queued"], one["leased"], one["oldest"]) for one in told]
    order = list(OrderVerb)
    return sorted(found, key=lambda one: order.index(one.verb))


def open_orders_of(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[tuple[uuid.UUID, uuid.UUID], Order]:
    """Return the open order of each (integration id, person id) that has one. One query."""
    wanted = set(pairs)
    rows = Order.objects.filter(
        state__in=OPEN_ORDERS,
        person__in={person for _, person in wanted},
        integration__in={integration for integration, _ in wanted},
    ).defer("desired", "result")
    found = {(row.integration_id, row.person_id): row for row in rows if row.person_id is not None}
    return {pair: row for pair, row in found.items() if pair in wanted}


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
    else:
        health = ConnectorHealth.MIXED if len(versions) > 1 else ConnectorHealth.WELL
    return SeenConnector(connector, health, len(alive), versions, latest[0].last_seen_at if latest else None)


def troubled() -> QuerySet[Integration]:
    """Return the integrations that somebody has to look at, worst first."""
    return Integration.objects.filter(status__in=TROUBLED).order_by("status", "name")


def failed_syncs() -> QuerySet[SyncRun]:
    """Return which of the latest syncs failed, latest first."""
    latest = SyncRun.objects.order_by("-pk").values("pk")[:_SYNCS_READ]
    return SyncRun.objects.filter(pk__in=latest, state=SyncState.FAILED).select_related("integration").order_by("-pk")
