"""The contract where access lies on accounts that people have anyway: what was standing is never taken."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.contract.errors import TargetMissing
from connectors.contract.orders import (
    Finding,
    Found,
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
    from tests.simulated_accounts import Accounts


class SimulatedAccounts:
    """Gives and takes memberships of one account a person."""

    def _begin(self, order: Order, run: Run) -> Accounts:
        accounts: dict[str, Accounts] = sys.modules["tests.simulated_accounts"].ACCOUNTS
        run.alive()
        accounts[order.integration_id].seen.append(str(order.verb))
        return accounts[order.integration_id]

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """All well."""
        self._begin(order, run)
        return (Finding("ok", "It answers."),)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """One type."""
        return (ResourceTypeFact("group", "Group", (PermissionFact("MEMBER", "Member", 5),)),)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """The groups."""
        yield Page(tuple(self._begin(order, run).groups))

    def apply(self, order: Order, run: Run) -> Outcome:
        """Take what ends, but for what was standing; give what is held; read back."""
        target, desired = self._begin(order, run), order.desired
        assert desired is not None
        mine = target.members[desired.person.person_id]
        held = {unit for grant in desired.holds for unit in grant.units}
        ended = {unit for ending in desired.gone for unit in ending.units}
        run.alive()
        standing = run.baseline(set(mine), held | ended)
        for unit in sorted(mine & (ended - held - standing), key=str):
            run.alive()
            if unit.resource not in target.stuck:
                mine.discard(unit)
        for unit in sorted(held - mine, key=str):
            run.alive()
            if unit.resource not in target.refused:
                mine.add(unit)
        run.alive()
        return self._outcome(target, order, run)

    def _outcome(self, target: Accounts, order: Order, run: Run) -> Outcome:
        desired = order.desired
        assert desired is not None
        mine = target.members[desired.person.person_id]
        standing = run.baseline((), ())
        by_unit = {unit: one.grant_id for one in (*desired.gone, *desired.holds) for unit in one.units}
        ours = {unit: by_unit[unit] for unit in mine if unit in by_unit and unit not in standing}
        reports = [GrantReport(one.grant_id, tuple(_held(unit, mine) for unit in one.units)) for one in desired.holds]
        reports += [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.GONE) for unit in one.units))
            for one in desired.gone
        ]
        found = tuple(Found(unit, "account", grant) for unit, grant in ours.items())
        beside = tuple(Found(unit, "account") for unit in sorted(mine - ours.keys(), key=str))
        return Outcome(tuple(reports), ReadBack(time.time(), found, beside))

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Only look."""
        return self._outcome(self._begin(order, run), order, run)

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """There are none."""
        return self.read_back(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """There are none."""
        return self.read_back(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Nothing is left behind."""
        return self.read_back(order, run)


def _held(unit: object, mine: set) -> UnitReport:
    if unit in mine:
        return UnitReport(unit, UnitOutcome.HELD)
    return UnitReport(unit, UnitOutcome.FAILED, TargetMissing("The account is not in the group.").report())


PROVIDER = SimulatedAccounts()
