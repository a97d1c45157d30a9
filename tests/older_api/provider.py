"""An older Terraform provider in small: what it is to want, what it sends, what it keeps, and what it would change.

It keeps of an answer what a configuration has a name for. Sets have no order; nothing, null and an empty set are one;
what the configuration leaves to the server (`computed`) is taken as it comes. Whoever answers otherwise than was
planned is refused at once, as Terraform does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.older_api.conftest import Held

Part = dict[str, Any]


def plain(value: Any) -> Any:
    """Return a value without order and without what means nothing."""
    if isinstance(value, dict):
        kept = {key: plain(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return sorted((plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def difference(wanted: Any, there: Any) -> list[str]:
    """Return what of the wanted is otherwise; what nothing is wanted of is left to the server inside of parts."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return [
            f"{key}.{each}" if each else key
            for key in wanted
            for each in ([""] if key not in there else difference(wanted[key], there[key]))
            if key not in there or wanted[key] != there[key]
        ]
    return [] if wanted == there else [""]


@dataclass
class Resource:
    """One resource in a configuration, and in the state."""

    call: Held
    path: str
    # Attributes that the server may fill in where the configuration says nothing; all others have to stay nothing.
    computed: tuple[str, ...] = ()
    # From an answer what the state keeps, told what the configuration names.
    keeps: Callable[[Part, Part], Part] = lambda answer, config: answer
    state: Part = field(default_factory=dict)
    pk: str = ""

    def apply(self, config: Part) -> Part:
        """Create, or update in place; return the answer."""
        method, path = ("PUT", f"{self.path}/{{id}}") if self.pk else ("POST", self.path)
        answer: Part = self.call(method, path, config, **({"id": self.pk} if self.pk else {}))
        self.pk, self.state = answer["id"], self.keeps(answer, config)
        assert self.changes(config) == [], "the provider produced an inconsistent result after apply"
        return answer

    def refresh(self, config: Part) -> None:
        """Read."""
        self.state = self.keeps(self.call("GET", f"{self.path}/{{id}}", id=self.pk), config)

    def plan(self, config: Part) -> list[str]:
        """Return what a plan would change."""
        self.refresh(config)
        return self.changes(config)

    def changes(self, config: Part) -> list[str]:
        """Return where state and configuration differ."""
        wanted, there = plain(config), plain(self.state)
        extra = set(there) - set(wanted) - {"id", *self.computed}
        return sorted(difference(wanted, there)) + sorted(extra)

    def imported(self, config: Part) -> Resource:
        """Return the resource as an import by its id makes it."""
        found = Resource(self.call, self.path, self.computed, self.keeps, pk=self.pk)
        found.refresh(config)
        return found

    def destroy(self) -> None:
        """Delete, see that it is gone, and that a second deletion says so."""
        assert self.call("DELETE", f"{self.path}/{{id}}", id=self.pk)["message"]
        assert self.call("GET", f"{self.path}/{{id}}", status=404, id=self.pk)["code"] == "not_found"
        self.call("DELETE", f"{self.path}/{{id}}", status=404, id=self.pk)
