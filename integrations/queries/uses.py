"""What the floors above say of integrations and resources; each registers itself, so none is named here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.models import (
    Integration,
    Resource,
)

# How many dependants of one kind are named.
DEPENDANTS_NAMED = 20


@dataclass(frozen=True, slots=True)
class Dependant:
    """Something that keeps an integration from being deleted: what it is, and where the admin site shows it.

    `permission` is what it takes to read of it, `model` its name in addresses; `key` names one row, `query` many.
    """

    words: str
    permission: str
    model: str
    key: str = ""
    query: str = ""


FindDependants = Callable[[Integration], Iterable[Dependant]]


_finders: dict[str, FindDependants] = {}


def register_dependants(name: str, find: FindDependants) -> None:
    """Let a floor above say what depends on an integration; called from its ready(). Again changes nothing."""
    _finders[name] = find


def dependants(integration: Integration) -> list[Dependant]:
    """Return what stands in the way of deleting an integration. Each floor names a bounded number."""
    below = Integration.objects.filter(parent=integration)[:DEPENDANTS_NAMED]
    own = [
        Dependant(f"integration {one}", "integrations.view_integration", "integrations_integration", str(one.pk))
        for one in below
    ]
    return own + [one for find in _finders.values() for one in find(integration)]


@dataclass(frozen=True, slots=True)
class Use:
    """What a floor above says of a resource: a title, a sentence, and some rows that the admin site shows."""

    title: str
    told: str
    rows: tuple[Dependant, ...] = ()


FindUse = Callable[[Resource, Any], Use | None]


_uses: dict[str, FindUse] = {}


def register_use(name: str, find: FindUse) -> None:
    """Let a floor above say how a resource is used; called from its ready(). It says nothing to who may not know."""
    _uses[name] = find


def uses(resource: Resource, user: Any) -> list[Use]:
    """Return what the floors above tell `user` of a resource."""
    found = (find(resource, user) for find in _uses.values())
    return [use for use in found if use is not None]


@dataclass(frozen=True, slots=True)
class Panel:
    """What a floor above shows on an integration's page: a template and what it is told."""

    template: str
    told: Mapping[str, Any]


ReadPanel = Callable[[Integration, Any], Panel | None]


_panels: dict[str, ReadPanel] = {}


def register_panel(name: str, read: ReadPanel) -> None:
    """Let a floor above show something on an integration's page; nothing to who may not see it."""
    _panels[name] = read


def panels(integration: Integration, user: Any) -> list[Panel]:
    """Return what the floors above show `user` of an integration."""
    found = (read(integration, user) for read in _panels.values())
    return [panel for panel in found if panel is not None]
