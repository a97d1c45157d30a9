"""The simulated provider: the contract, kept in memory."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.contract.errors import TargetMissing, Unreachable
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
    ResourceTypeFact,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run

if TYPE_CHECKING:
    from tests.simulated import Target


def target_of(order: Order) -> Target:
    """Return the target of an order; looked up by name, for the registry imports this folder under one of its own."""
    targets: dict[str, Target] = sys.modules["tests.simulated"].TARGETS
    return targets[order.integration_id]


class Simulated:
    """Keeps what the contract asks, on a dictionary."""

    def _begin(self, order: Order, run: Run) -> Target:
        target = target_of(order)
        target.seen.append(f"{order.verb}:{order.epoch}")
        if target.down is not None:
            raise target.down
        if target.faults:
            raise target.faults.pop(0)
        run.alive()
        run.functions.append(Function("simulate", "0" * 64))
        return target

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """All well, unless told otherwise."""
        self._begin(order, run)
        return (Finding("ok", "It answers."),)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """One type."""
        permissions = (PermissionFact("READ_ONLY", "Read only", 2), PermissionFact("ADMIN", "Admin", 8))
        return (ResourceTypeFact("database", "Database", permissions),)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """The databases, in pages."""
        target = self._begin(order, run)
        for start in range(0, len(target.databases), order.page_size):
            yield Page(tuple(target.databases[start : start + order.page_size]))

    def apply(self, order: Order, run: Run) -> Outcome:
        """Hold exactly what is desired."""
        target, desired = self._begin(order, run), order.desired
        assert desired is not None
        mine = target.holds[desired.person.person_id]
        reports = [self._grant(target, mine, grant, run) for grant in desired.holds]
        drain = self._shut(target, desired)
        keep = {grant.grant_id for grant in desired.holds} | target.stuck | drain.keys()
        cut = {grant_id: target.sessions.pop(grant_id, 0) for grant_id in mine if grant_id not in keep}
        for grant_id in cut:
            del mine[grant_id]
        reports += [
            GrantReport(
                one.grant_id,
                tuple(
                    UnitReport(unit, UnitOutcome.HELD if one.grant_id in drain else UnitOutcome.GONE)
                    for unit in one.units
                ),
                one.login,
                sessions_ended=cut.get(one.grant_id, 0),
                sessions_left=drain.get(one.grant_id, 0),
            )
            for one in desired.gone
        ]
        return Outcome(tuple(reports), self._read(target, desired))

    def _shut(self, target: Target, desired: Desired) -> dict[str, int]:
        """Let no new session of what drains begin; return how many go on, where any does."""
        told = [] if target.outdated else [one.grant_id for one in desired.gone if one.drain_until is not None]
        target.shut |= set(told)
        return {grant_id: target.sessions[grant_id] for grant_id in told if target.sessions.get(grant_id)}

    def _grant(self, target: Target, mine: dict[str, set], grant: Grant, run: Run) -> GrantReport:
        units, held = [], set()
        for unit in grant.units:
            if unit in target.ungrantable | target.unsteady:
                gone, broke = TargetMissing(f"{unit.resource} is not there."), Unreachable("The line broke.")
                error = (broke if unit in target.unsteady else gone).report()
                units.append(UnitReport(unit, UnitOutcome.FAILED, error))
            else:
                held.add(unit)
                units.append(UnitReport(unit, UnitOutcome.HELD))
        mine[grant.grant_id] = held
        target.ends[grant.grant_id] = grant.ends_at
        sealed = ""
        if grant.wants_credentials:
            target.passwords[grant.login] = secrets.token_urlsafe(12)
            sealed = run.seal({"password": target.passwords[grant.login]}, grant.grant_id)
        details = {"host": "simulated", "username": grant.login}
        return GrantReport(grant.grant_id, tuple(units), grant.login, sealed, details)

    def _read(self, target: Target, desired: Desired) -> ReadBack:
        mine = target.holds[desired.person.person_id]
        ours = tuple(Found(unit, "login", grant_id) for grant_id, units in mine.items() for unit in units)
        standing = tuple(Found(unit, "standing_login") for unit in target.standing)
        return ReadBack(time.time(), ours, standing, target.sessions.get(desired.person.person_id, 0))

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Only look."""
        target = self._begin(order, run)
        assert order.desired is not None
        return Outcome((), self._read(target, order.desired))

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """The same as apply: only who wants credentials gets new ones."""
        return self.apply(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """The same."""
        return self.apply(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Forget the logins."""
        target = self._begin(order, run)
        assert order.desired is not None
        for one in order.desired.gone:
            target.passwords.pop(one.login, None)
        return Outcome((), self._read(target, order.desired))


PROVIDER = Simulated()
