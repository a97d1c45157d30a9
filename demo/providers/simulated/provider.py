"""The contract, kept in memory. The story tells the provider what ails its systems, and what time it is there."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from connectors.contract.errors import Misconfigured, TargetMissing, Unreachable
from connectors.contract.orders import (
    Desired,
    Finding,
    Found,
    Function,
    Grant,
    GrantReport,
    Order,
    Page,
    PermissionFact,
    ReadBack,
    ResourceFact,
    ResourceTypeFact,
    Unit,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run

_DIGEST = sha256(Path(__file__).read_bytes()).hexdigest()
_PERMISSIONS = (
    PermissionFact("READ_ONLY", "Read only", 3),
    PermissionFact("READ_WRITE", "Read and write", 6),
    PermissionFact("ADMIN", "Admin", 9),
)


class Simulated:
    """Servers with databases that answer as real ones would, and are none.

    `down` are ids of integrations that do not answer, `missing` are pairs of an integration's id and a database that is
    gone for now; `now` is the systems' own clock, in seconds since the epoch.
    """

    def __init__(self) -> None:
        """Hold nothing, ail from nothing."""
        self.holds: dict[tuple[str, str], dict[str, frozenset[Unit]]] = defaultdict(dict)
        self.down: set[str] = set()
        self.missing: set[tuple[str, str]] = set()
        self.now: Callable[[], float] = time.time

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Say that it answers."""
        self._enter(order, run)
        return (Finding("ok", "It answers: it is simulated."),)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the one type."""
        return (ResourceTypeFact("database", "Database", _PERMISSIONS),)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the databases that the configuration names, each with its owner as a tag."""
        self._enter(order, run)
        owned = dict(pair.split("=", 1) for pair in _words(order, "owners"))
        tags = {name: {"owner": owner} for name, owner in owned.items()}
        names = _words(order, "databases")
        yield Page(tuple(ResourceFact("database", name, name, name, tags.get(name, {})) for name in names))

    def apply(self, order: Order, run: Run) -> Outcome:
        """Hold what is desired, and nothing else."""
        self._enter(order, run)
        desired = _desired(order)
        held = self.holds[order.integration_id, desired.person.person_id]
        for grant_id in held.keys() - {grant.grant_id for grant in desired.holds}:
            del held[grant_id]
        reports = [self._give(order, grant, held, run) for grant in desired.holds]
        reports += [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.GONE) for unit in one.units), one.login)
            for one in desired.gone
        ]
        return Outcome(tuple(reports), self._read(order, desired))

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Only look."""
        self._enter(order, run)
        return Outcome((), self._read(order, _desired(order)))

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """The same as apply: whoever wants credentials gets new ones."""
        return self.apply(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """The same."""
        return self.apply(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Look that nothing is left; logins are not kept beyond their grants."""
        return self.read_back(order, run)

    def _enter(self, order: Order, run: Run) -> None:
        """Note what runs. Raises Unreachable while the story has the system down, LeaseLost after the lease."""
        run.alive()
        if order.integration_id in self.down:
            raise Unreachable(f"{order.config['hostname']} does not answer.", fix="It is tried again.")
        run.functions.append(Function(f"simulated_{order.verb}", _DIGEST))

    def _give(self, order: Order, grant: Grant, held: dict[str, frozenset[Unit]], run: Run) -> GrantReport:
        """Hold the units of one grant, but for those whose database is gone."""
        gone = {unit for unit in grant.units if (order.integration_id, unit.resource) in self.missing}
        units = [UnitReport(unit, UnitOutcome.HELD) for unit in grant.units if unit not in gone]
        for unit in sorted(gone, key=str):
            error = TargetMissing(f"The database {unit.resource} does not exist.").report()
            units.append(UnitReport(unit, UnitOutcome.FAILED, error))
        held[grant.grant_id] = frozenset(grant.units) - gone
        sealed = ""
        if grant.wants_credentials and held[grant.grant_id]:
            sealed = run.seal({"password": secrets.token_urlsafe(15)}, grant.grant_id)
        details = {"host": str(order.config["hostname"]), "username": grant.login}
        return GrantReport(grant.grant_id, tuple(units), grant.login, sealed, details)

    def _read(self, order: Order, desired: Desired) -> ReadBack:
        """Return what the person holds now, by the systems' own clock."""
        held = self.holds[order.integration_id, desired.person.person_id]
        ours = [Found(unit, "login", grant_id) for grant_id, units in held.items() for unit in sorted(units, key=str)]
        return ReadBack(self.now(), tuple(ours))


def _words(order: Order, field: str) -> list[str]:
    return [word.strip() for word in str(order.config.get(field) or "").split(",") if word.strip()]


def _desired(order: Order) -> Desired:
    if order.desired is None:
        raise Misconfigured("This order names no person.")
    return order.desired


PROVIDER = Simulated()
