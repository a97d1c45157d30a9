"""A change of a group before it is made, and what the floors above foretell of it; each registers itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from accounts.models import Group


@dataclass(frozen=True, slots=True)
class Regrouped:
    """A group as it would be: its name (None: deleted), who joins, who leaves (ids of people)."""

    group: str
    name: str
    name_after: str | None
    joining: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()

    @property
    def changes(self) -> bool:
        """Whether anything would be otherwise."""
        return bool(self.joining or self.leaving) or self.name != self.name_after

    @property
    def digest(self) -> str:
        """What a confirmation names: another change has another."""
        told = [self.group, self.name, self.name_after, sorted(self.joining), sorted(self.leaving)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Foretold:
    """What follows from a change, as a part of a page; `costs` says that somebody loses something by it."""

    shown: SafeString
    costs: bool


Foretell = Callable[[Regrouped, Any], Foretold]
_foretelling: dict[str, Foretell] = {}


def register_foretelling(name: str, foretell: Foretell) -> None:
    """Let a floor above say what follows from a change of a group; called from its ready()."""
    _foretelling[name] = foretell


def foretold(change: Regrouped, user: Any) -> list[Foretold]:
    """Return what the floors above say to `user` of a change that is not made yet."""
    return [foretell(change, user) for foretell in _foretelling.values()] if change.changes else []


def ended(group: Group) -> Regrouped:
    """Return the change that deletes a group."""
    return Regrouped(str(group.pk), group.name, None)
