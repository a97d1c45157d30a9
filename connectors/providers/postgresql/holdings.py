"""The pieces that logins hold at a PostgreSQL server, and how they make up the units that people ask for.

("role", name) ("database", db) ("schema", db, schema) ("table" or "sequence", db, schema, name) ("other", db, words)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from connectors.contract.orders import Unit
from connectors.engines.holdings import Holdings
from connectors.engines.names import source_id
from connectors.providers.postgresql.names import Prepared

MEMBER = frozenset({"MEMBER"})
CONNECT = frozenset({"CONNECT"})
USAGE = frozenset({"USAGE"})
READ = frozenset({"SELECT"})
WRITE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
BY_LEVEL = {"READ_ONLY": READ, "READ_WRITE": WRITE}

# More tables than this in one schema are reported as the schema.
MANY = 100


def units(holdings: Holdings, prepared: dict[str, Prepared]) -> Iterator[Unit]:
    """Yield holdings as units; what is no unit of ours keeps PostgreSQL's own words."""
    tables = Counter(thing[1:3] for thing in holdings if thing[0] == "table")
    for place, number in tables.items():
        if number > MANY:
            privileges = frozenset[str]().union(*(holdings[t] for t in holdings if t[0] == "table" and t[1:3] == place))
            yield Unit("schema", source_id(*place), _level(privileges))
    for thing, privileges in sorted(holdings.items()):
        if thing[0] == "table" and tables[thing[1:3]] > MANY:
            continue
        if thing[0] == "role" and thing[1] in prepared:
            yield Unit("database", source_id(prepared[thing[1]].database), prepared[thing[1]].level)
        elif thing[0] == "role":
            yield Unit("role", source_id(thing[1]), "MEMBER")
        elif thing[0] == "table":
            yield Unit("table", source_id(*thing[1:]), _level(privileges))
        else:
            yield Unit(thing[0], source_id(*thing[1:]), ", ".join(sorted(privileges)))


def _level(privileges: frozenset[str]) -> str:
    """Return privileges on a table as the level they make up; others keep their names."""
    if privileges == READ:
        return "READ_ONLY"
    return "READ_WRITE" if privileges <= WRITE and privileges > READ else ", ".join(sorted(privileges))
