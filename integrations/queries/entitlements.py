"""What can be asked for, as policy looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations.choices import (
    IntegrationStatus,
    ResourceStatus,
)
from integrations.models import (
    Permission,
    Resource,
)


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
    permission_risk: int = 1
    resource_type_name: str = ""
    resource_status: str = ResourceStatus.ACTIVE.value
    resource_risk: int = 1
    resource_context: tuple[tuple[str, str], ...] = ()
    permission_tags: tuple[tuple[str, str], ...] = ()
    permission_context: tuple[tuple[str, str], ...] = ()
    # Who answers for it, as (type, value) of a condition: what a tag names; else the integration's own owners.
    owner: tuple[str, str] | None = None
    integration_owners: tuple[tuple[str, str], ...] = ()


def entitlements(pairs: Iterable[tuple[int, int]]) -> list[Entitlement]:
    """Return the entitlements named by (resource id, permission id), in order; unknown or mismatched ones are left out.

    Five queries, whatever the number of pairs.
    """
    wanted = list(dict.fromkeys(pairs))
    resources = _resources({resource for resource, _ in wanted})
    permissions = {row.pk: row for row in Permission.objects.filter(pk__in={each for _, each in wanted})}
    found = []
    for resource_id, permission_id in wanted:
        resource, permission = resources.get(resource_id), permissions.get(permission_id)
        if resource and permission and permission.resource_type_id == resource.resource_type_id:
            found.append(_entitlement(resource, permission))
    return found


def entitlements_on(resource_ids: Iterable[int]) -> list[Entitlement]:
    """Return every entitlement on some resources, in the order of the ids; on each the one of least risk first.

    Four queries.
    """
    wanted = list(dict.fromkeys(resource_ids))
    resources = _resources(wanted)
    permissions: dict[int, list[Permission]] = defaultdict(list)
    types = {resource.resource_type_id for resource in resources.values()}
    for row in Permission.objects.filter(resource_type__in=types).order_by("risk_level", "name", "pk"):
        permissions[row.resource_type_id].append(row)
    found = [resources[pk] for pk in wanted if pk in resources]
    return [_entitlement(one, permission) for one in found for permission in permissions[one.resource_type_id]]


def _resources(ids: Iterable[int]) -> dict[int, Resource]:
    rows = Resource.objects.filter(pk__in=ids).select_related("integration", "resource_type")
    rows = rows.prefetch_related("tags", "integration__owners")
    return {row.pk: row for row in rows}


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
        permission_risk=permission.risk_level,
        resource_type_name=resource.resource_type.name,
        resource_status=resource.status,
        resource_risk=resource.risk_level,
        resource_context=texts(resource.context),
        permission_tags=texts(permission.tags),
        permission_context=texts(permission.context),
        owner=_owner(resource),
        integration_owners=_integration_owners(resource),
    )


def _owner(resource: Resource) -> tuple[str, str] | None:
    """Return whom a tag of the resource names as its owner, if its integration says which tag does that."""
    integration = resource.integration
    if not integration.owner_tag_key:
        return None
    value = next((tag.value for tag in resource.tags.all() if tag.key == integration.owner_tag_key), "")
    return (integration.owner_tag_type or "group", value) if value else None


def _integration_owners(resource: Resource) -> tuple[tuple[str, str], ...]:
    owners = resource.integration.owners.all()
    return tuple(sorted(("user", str(one.user_id)) if one.user_id else ("group", str(one.group_id)) for one in owners))


def texts(document: Any) -> tuple[tuple[str, str], ...]:
    """Return what a document says in texts, by key, in order; numbers and lists in it are not looked at."""
    pairs = document.items() if isinstance(document, dict) else ()
    return tuple(sorted((key, value) for key, value in pairs if isinstance(value, str)))


def _refusal(resource: Resource, permission: Permission) -> str:
    """Return why this cannot be granted now, in words, or nothing."""
    if resource.integration.status == IntegrationStatus.DISABLED:
        return f"The integration {resource.integration.name} is disabled."
    if resource.status == ResourceStatus.MISSING:
        return "The last sync did not find it any more."
    return str(resource.refusals.get(permission.source_id, ""))
