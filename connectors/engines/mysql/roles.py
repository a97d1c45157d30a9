"""Roles that can be asked for, and why some of them cannot be given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.engines.holdings import Holdings
from connectors.engines.mysql.levels import SYSTEM, matches
from connectors.engines.mysql.reading import ANYWHERE, holdings_of
from connectors.engines.mysql.server import Target

# What a role may hold for the whole server. Anything else there reaches the server's own tables, other accounts, or
# files, or stops the server.
HARMLESS = frozenset(
    {
        "SHOW DATABASES",
        "PROCESS",
        "SHOW VIEW",
        "SHOW_ROUTINE",
        "LOCK TABLES",
        "CREATE TEMPORARY TABLES",
        "REPLICATION CLIENT",
        "BINLOG MONITOR",
        "SLAVE MONITOR",
        "REPLICA MONITOR",
    }
)


@dataclass(slots=True)
class Role:
    """A role. `harm` says why nobody should be given it; `may_give`: the connector holds it WITH ADMIN OPTION."""

    name: str
    may_give: bool
    leads_to: set[str] = field(default_factory=set)
    harm: str = ""

    @property
    def refusal(self) -> str:
        """Return why membership cannot be given, or an empty string."""
        return self.harm or ("" if self.may_give else "The connector does not hold it WITH ADMIN OPTION.")


def roles(at: Target, names: Iterable[str] | None = None) -> list[Role]:
    """Return these roles, or all of them, by name."""
    found = {row["name"]: Role(row["name"], bool(row["may_give"])) for row in at.session.rows(at.programs.roles)}
    asked = sorted(found if names is None else found.keys() & set(names))
    if not asked:
        return []
    for row in at.session.rows(at.programs.role_paths, names=asked):
        found[row["role"]].leads_to.add(row["leads_to"])
    # MariaDB's roles have no host, MySQL's are for every host unless they say so.
    host = "" if at.dialect.is_mariadb else ANYWHERE
    reached = {name for role in asked for name in found[role].leads_to}
    held = holdings_of(at, [(name, host) for name in reached])
    for name in asked:
        harms = [(end, harm(held.get((end, host), {}))) for end in sorted(found[name].leads_to)]
        found[name].harm = next(
            (words if end == name else f"It leads to {end}: {words}" for end, words in harms if words), ""
        )
    return [found[name] for name in asked]


def harm(holdings: Holdings) -> str:
    """Return why what a role holds is more than a grant should give, or an empty string."""
    for thing, has in sorted(holdings.items()):
        where = "/".join(thing[1:]) or "the whole server"
        if "GRANT OPTION" in has:
            return f"It may pass on what it holds on {where}."
        if "ADMIN OPTION" in has:
            return f"It may give the role {where} to others."
        if thing[0] == "server" and (more := has - HARMLESS):
            return f"It has {', '.join(sorted(more))} on the whole server, the server's own tables included."
        if thing[0] in ("database", "table", "column", "routine") and thing[1].lower() in ("mysql", "latchkey"):
            return f"It may use the database {thing[1]}."
        if thing[0] == "pattern" and any(matches(thing[1], database) for database in SYSTEM):
            return f"It may use every database like {thing[1]}, the server's own included."
    return ""
