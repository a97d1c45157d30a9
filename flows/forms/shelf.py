"""What the targets of a page choose from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from flows.models import AccessScope, Bundle
from flows.reach import uuids
from integrations.models import Integration, Permission, ResourceType

_RISKS = ((3, "low"), (6, "medium"), (9, "high"))


class Shelf:
    """What the rows of one page choose from: integrations, and types and permissions of those that are chosen.

    Five queries, however many rows.
    """

    def __init__(self, chosen: Iterable[str], *, bundles: bool = True) -> None:
        """Read what is there."""
        # There is nothing to ask for in a directory.
        systems = Integration.objects.filter(directory__isnull=True)
        self.integrations = [(str(pk), name) for pk, name in systems.values_list("pk", "name")]
        self.bundles_offered = bundles
        self.bundles = [(str(pk), name) for pk, name in Bundle.objects.values_list("pk", "name")] if bundles else []
        self.scopes = [(str(pk), name) for pk, name in AccessScope.objects.values_list("pk", "name")]
        self.types: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.permissions: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        ids = uuids(chosen)
        if not ids:
            return
        for where, kind, name in (
            ResourceType.objects.filter(integration__in=ids).order_by("name").values_list("integration", "type", "name")
        ):
            self.types[str(where)].append((kind, name))
        for one in Permission.objects.filter(resource_type__integration__in=ids).select_related("resource_type"):
            place = (str(one.resource_type.integration_id), one.resource_type.type)
            risk = next(word for limit, word in _RISKS if one.risk_level <= limit)
            self.permissions[place].append((one.source_id, f"{one.name}, {risk} risk"))
