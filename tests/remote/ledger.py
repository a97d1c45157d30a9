"""The ledger as tests see it: the target's own file, beside the provider that writes it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.contract.orders import Unit

PROVIDERS = Path(__file__).resolve().parent / "providers"
TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE databases (name TEXT PRIMARY KEY);
CREATE TABLE holds (person TEXT, grant_id TEXT, resource TEXT, PRIMARY KEY (person, grant_id, resource));
CREATE TABLE standing (person TEXT, resource TEXT);
CREATE TABLE logins (login TEXT PRIMARY KEY, password TEXT, ends_at REAL);
CREATE TABLE journal (number INTEGER PRIMARY KEY, at REAL, order_id TEXT, epoch INT, verb TEXT, statement TEXT);
"""


@dataclass
class Ledger:
    """A ledger's file."""

    path: Path
    password: str = "the-connectors-own-password"

    def create(self, *databases: str) -> Ledger:
        """Make the file with some databases in it."""
        with sqlite3.connect(self.path) as file:
            file.execute("PRAGMA journal_mode=WAL")
            file.executescript(TABLES)
            file.execute("INSERT INTO settings VALUES ('password', ?)", (self.password,))
            file.executemany("INSERT INTO databases VALUES (?)", [(name,) for name in databases])
        file.close()
        return self

    def ask(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement as the target's owner."""
        file = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            return file.execute(statement, values).fetchall()
        finally:
            file.close()

    def held(self) -> list[tuple[str, str]]:
        """Return what is held: grant and database."""
        return [(str(grant), str(name)) for grant, name in self.ask("SELECT grant_id, resource FROM holds")]

    def passwords(self) -> list[str]:
        """Return the passwords that were made for grantees and hold."""
        return [str(row[0]) for row in self.ask("SELECT password FROM logins")]

    def journal(self) -> list[tuple[float, str, int, str, str]]:
        """Return every statement: when, for which order and epoch, verb, first word."""
        return self.ask("SELECT at, order_id, epoch, verb, statement FROM journal ORDER BY number")

    def shut(self) -> None:
        """Have orders wait before their next statement."""
        Path(f"{self.path}.gate").touch()

    def open(self) -> None:
        """Let them go on."""
        Path(f"{self.path}.gate").unlink(missing_ok=True)

    def pace(self, seconds: float) -> None:
        """Make each statement take so long; 0 for none."""
        path = Path(f"{self.path}.pace")
        path.write_text(str(seconds)) if seconds else path.unlink(missing_ok=True)


def unit(name: str) -> Unit:
    """Return the unit that reading a database is."""
    return Unit("database", name, "READ_ONLY")
