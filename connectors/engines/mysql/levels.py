"""The levels people ask for, the privileges they are made of, and what databases are called in a grant."""

from __future__ import annotations

import re

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit
from connectors.engines import names
from connectors.engines.holdings import Holdings

MEMBER = frozenset({"MEMBER"})
LENGTHS = {"database": 1, "table": 2, "role": 1}
LEVELS = {
    "database": ("READ_ONLY", "READ_WRITE", "ADMIN"),
    "table": ("READ_ONLY", "READ_WRITE", "ADMIN"),
    "role": ("MEMBER",),
}
# What each program of a group gives. ADMIN leaves out what defines a view, routine, trigger or event: these work for
# others with the rights of whoever made them.
READ = frozenset({"SELECT"})
WRITE = frozenset({"INSERT", "UPDATE", "DELETE"})
GROUPS = {
    "database": {
        "read": READ,
        "write": WRITE,
        "admin": frozenset(
            {
                "CREATE",
                "ALTER",
                "INDEX",
                "DROP",
                "REFERENCES",
                "CREATE TEMPORARY TABLES",
                "LOCK TABLES",
                "EXECUTE",
                "SHOW VIEW",
            }
        ),
    },
    "table": {
        "read": READ,
        "write": WRITE,
        "admin": frozenset({"CREATE", "ALTER", "INDEX", "DROP", "REFERENCES", "SHOW VIEW"}),
    },
}
OF_LEVEL = {"READ_ONLY": ("read",), "READ_WRITE": ("read", "write"), "ADMIN": ("read", "write", "admin")}
DEFINING = frozenset({"CREATE VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER"})

# The servers' own, and ours: whoever may write there may do everything.
SYSTEM = frozenset({"mysql", "information_schema", "performance_schema", "sys", "latchkey"})
WILD = re.compile(r"([\\_%])")


def privileges(kind: str, level: str) -> frozenset[str]:
    """Return the privileges of a level."""
    return frozenset[str]().union(*(GROUPS[kind][group] for group in OF_LEVEL[level]))


def parse_unit(unit: Unit) -> tuple[str, ...]:
    """Return the names in a unit. Raises Misconfigured for what is none of ours."""
    found = names.parse_unit(unit, LENGTHS, LEVELS)
    if any(len(name) > 64 for name in found):
        raise Misconfigured(f"{unit.resource!r} has a name that is longer than 64 characters.")
    return found


def is_system(database: str) -> bool:
    """Say whether a database is the server's own, or ours. Some servers do not tell upper from lower case."""
    return database.lower() in SYSTEM


def pattern(database: str) -> str:
    """Return the pattern that means this database and no other: _ and % stand for any characters in a grant."""
    return WILD.sub(r"\\\1", database)


def plain(found: str) -> str | None:
    """Return the database that a pattern means, or None where it may mean several."""
    name = re.sub(r"\\([\\_%])", r"\1", found)
    return name if pattern(name) == found else None


def matches(found: str, database: str) -> bool:
    """Say whether a database is among those that a pattern means."""
    parts = re.findall(r"\\.|.", found, re.DOTALL)
    wild = {"_": ".", "%": ".*"}
    expression = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(expression, database, re.DOTALL) is not None


def units(holdings: Holdings) -> list[Unit]:
    """Return holdings as units; what is no unit of ours keeps the server's own words."""
    return [
        Unit(thing[0], names.source_id(*thing[1:]), _level(thing[0], has)) for thing, has in sorted(holdings.items())
    ]


def _level(kind: str, has: frozenset[str]) -> str:
    """Return privileges as the level they make up; others keep their names."""
    for level in LEVELS.get(kind, ()):
        if (MEMBER if kind == "role" else privileges(kind, level)) == has:
            return level
    return ", ".join(sorted(has))
