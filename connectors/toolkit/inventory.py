"""What every provider says of what there is to ask for: pages of resources, and the manifest's types as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.contract.orders import Page, PermissionFact, ResourceFact, ResourceTypeFact
from connectors.manifests import read_manifest


def pages(resources: Iterable[ResourceFact], size: int) -> Iterator[Page]:
    """Gather resources into pages."""
    page: list[ResourceFact] = []
    for resource in resources:
        page.append(resource)
        if len(page) == size:
            yield Page(tuple(page))
            page = []
    if page:
        yield Page(tuple(page))


def resource_types(folder: Path) -> tuple[ResourceTypeFact, ...]:
    """Return the resource types of the manifest in a provider's folder."""
    return tuple(
        ResourceTypeFact(
            kind.id, kind.name, tuple(PermissionFact(p.id, p.name, p.risk_level) for p in kind.permissions)
        )
        for kind in read_manifest(folder).resource_types
    )
