"""The ledger: a target in an SQLite file. Every statement asks the lease first and is written into the journal.

Where a file `<path>.gate` lies, an order waits before its next statement; `<path>.pace` holds seconds to wait at each.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.contract.errors import CredentialsRejected, Unreachable
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


class Session:
    """The file, opened for one order."""

    def __init__(self, order: Order, run: Run) -> None:
        self.order, self.run, self.path = order, run, order.config["path"]
        if not Path(self.path).exists():
            raise Unreachable("The ledger is not there.")
        self.file = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        self.file.execute("PRAGMA synchronous=OFF")
        run.functions.append(Function("write", "0" * 64))
        (known,) = self.file.execute("SELECT value FROM settings WHERE name = 'password'").fetchone()
        if order.secrets["password"].reveal() != known:
            raise CredentialsRejected("The ledger does not take this password.")

    def do(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement, if the lease allows it, and write it into the journal in the same transaction."""
        gate, pace = Path(f"{self.path}.gate"), Path(f"{self.path}.pace")
        if pace.exists():
            time.sleep(float(pace.read_text()))
        while gate.exists():
            time.sleep(0.02)
        self.run.alive()
        self.file.execute("BEGIN IMMEDIATE")
        rows = self.file.execute(statement, values).fetchall()
        self.file.execute(
            "INSERT INTO journal (at, order_id, epoch, verb, statement) VALUES (?, ?, ?, ?, ?)",
            (time.time(), self.order.order_id, self.order.epoch, str(self.order.verb), statement.split(maxsplit=1)[0]),
        )
        self.file.execute("COMMIT")
        return rows


class Ledger:
    """Keeps what the contract asks, in a file."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """It answers, or not."""
        Session(order, run).do("SELECT 1")
        return (Finding("ok", "It answers."),)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """One type."""
        return (ResourceTypeFact("database", "Database", (PermissionFact("READ_ONLY", "Read only", 2),)),)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """The databases by name, in pages that one can go on after."""
        session, after = Session(order, run), order.resume
        total = session.do("SELECT count(*) FROM databases")[0][0]
        size = order.page_size if total > 10_000 else 50
        while names := [row[0] for row in session.do(
            "SELECT name FROM databases WHERE name > ? ORDER BY name LIMIT ?", after, size
        )]:  # fmt: skip
            after = names[-1]
            facts = tuple(ResourceFact("database", one, one, f"ledger/{one}", {"env": "dev"}) for one in names)
            yield Page(facts, resume=after, total=total)

    def apply(self, order: Order, run: Run) -> Outcome:
        """Hold exactly what is desired, beside what was standing."""
        session, desired = Session(order, run), order.desired
        assert desired is not None
        person = desired.person.person_id
        keep = [grant.grant_id for grant in desired.holds]
        marks = ", ".join("?" * len(keep))
        session.do(f"DELETE FROM holds WHERE person = ? AND grant_id NOT IN ({marks})", person, *keep)
        for one in desired.gone:
            session.do("DELETE FROM logins WHERE login = ?", one.login)
        reports = [self._give(session, person, grant) for grant in desired.holds]
        reports += [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.GONE) for unit in one.units), one.login)
            for one in desired.gone
        ]
        return Outcome(tuple(reports), self._read(session, desired))

    def _give(self, session: Session, person: str, grant: Grant) -> GrantReport:
        units = []
        standing = session.run.baseline(self._standing(session, person), grant.units)
        for unit in grant.units:
            if unit not in standing:
                session.do("INSERT OR IGNORE INTO holds VALUES (?, ?, ?)", person, grant.grant_id, unit.resource)
            units.append(UnitReport(unit, UnitOutcome.HELD))
        sealed = ""
        if grant.wants_credentials:
            password = f"made-{secrets.token_urlsafe(12)}"
            session.do("INSERT OR REPLACE INTO logins VALUES (?, ?, ?)", grant.login, password, grant.ends_at)
            sealed = session.run.seal({"password": password}, grant.grant_id)
        return GrantReport(grant.grant_id, tuple(units), grant.login, sealed, {"username": grant.login})

    def _standing(self, session: Session, person: str) -> list[Unit]:
        rows = session.do("SELECT resource FROM standing WHERE person = ?", person)
        return [Unit("database", name, "READ_ONLY") for (name,) in rows]

    def _read(self, session: Session, desired: Desired) -> ReadBack:
        person = desired.person.person_id
        rows = session.do("SELECT grant_id, resource FROM holds WHERE person = ?", person)
        ours = tuple(Found(Unit("database", name, "READ_ONLY"), "login", grant) for grant, name in rows)
        standing = tuple(Found(unit, "their account") for unit in self._standing(session, person))
        return ReadBack(time.time(), ours, standing)

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Only look."""
        assert order.desired is not None
        return Outcome((), self._read(Session(order, run), order.desired))

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """The same as apply: only who wants credentials gets new ones."""
        return self.apply(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """The same."""
        return self.apply(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Forget the logins."""
        session, desired = Session(order, run), order.desired
        assert desired is not None
        for one in desired.gone:
            session.do("DELETE FROM logins WHERE login = ?", one.login)
        return Outcome((), self._read(session, desired))


PROVIDER = Ledger()
