"""A target that lives in this process: what it holds, and the faults it is told to have, per integration id."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from connectors.contract.orders import ResourceFact, Unit


@dataclass
class Target:
    """What one simulated system holds. `faults` are raised one per order, oldest first; `seen` are the orders run."""

    holds: dict[str, dict[str, set[Unit]]] = field(default_factory=lambda: defaultdict(dict))
    passwords: dict[str, str] = field(default_factory=dict)
    # When the target itself ends each grant, in seconds since the epoch.
    ends: dict[str, float] = field(default_factory=dict)
    standing: list[Unit] = field(default_factory=list)
    databases: list[ResourceFact] = field(default_factory=list)
    ungrantable: set[Unit] = field(default_factory=set)
    # Units while which are given the line breaks.
    unsteady: set[Unit] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    # How many sessions are open, by person.
    sessions: dict[str, int] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    # Open sessions by grant; `shut` are the grants whose login lets no new one begin. What is outdated drains nothing.
    sessions: dict[str, int] = field(default_factory=dict)
    shut: set[str] = field(default_factory=set)
    outdated: bool = False
    down: Exception | None = None
    seen: list[str] = field(default_factory=list)

    def held_by(self, person_id: str) -> set[Unit]:
        """Return everything the person holds through us."""
        return {unit for units in self.holds[person_id].values() for unit in units}


TARGETS: dict[str, Target] = defaultdict(Target)
