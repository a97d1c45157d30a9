"""A target without a target: it says that all was done, and tells of as many objects as its configuration names."""

from __future__ import annotations

import time
from collections.abc import Iterator

from connectors.contract.orders import (
    Finding,
    Found,
    Function,
    GrantReport,
    Order,
    Page,
    PermissionFact,
    ReadBack,
    ResourceFact,
    ResourceTypeFact,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run


class Nothing:
    """Keeps the contract's form, and nothing else."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """All well."""
        return (Finding("ok", "There is nothing to answer."),)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """One type."""
        return (ResourceTypeFact("database", "Database", (PermissionFact("READ_ONLY", "Read only", 2),)),)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """So many objects, made page by page, after the one that was told last."""
        total = int(order.config["objects"])
        for begin in range(int(order.resume or 0), total, order.page_size):
            run.alive()
            end = min(begin + order.page_size, total)
            yield Page(tuple(_object(number) for number in range(begin, end)), resume=str(end), total=total)

    def apply(self, order: Order, run: Run) -> Outcome:
        """Say that everything is as it is desired."""
        assert order.desired is not None
        run.alive()
        run.functions.append(Function("nothing", "0" * 64))
        holds, gone = order.desired.holds, order.desired.gone
        reports = [
            GrantReport(
                one.grant_id,
                tuple(UnitReport(unit, UnitOutcome.HELD) for unit in one.units),
                one.login,
                run.seal({"password": "made"}, one.grant_id) if one.wants_credentials else "",
                {"username": one.login},
            )
            for one in holds
        ]
        reports += [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.GONE) for unit in one.units), one.login)
            for one in gone
        ]
        ours = tuple(Found(unit, one.login, one.grant_id) for one in holds for unit in one.units)
        return Outcome(tuple(reports), ReadBack(time.time(), ours))

    read_back = reset_credentials = rotate = clean_up = apply


def _object(number: int) -> ResourceFact:
    """Return an object as a database with a hundred schemas tells of one."""
    name = f"object {number}"
    return ResourceFact("database", name, name, f"server/schema {number % 100}/{name}", {"env": "dev"}, {"owner": "o"})


PROVIDER = Nothing()
