"""Reads from the target what a person holds there: on logins that we made, and on the person's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Order
from connectors.engines.holdings import Thing
from connectors.engines.names import standing_names
from connectors.engines.place import Login, State, desired_of
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.names import Prepared, person_marker, prepared
from connectors.providers.postgresql.server import Target

# A login shut by shut_login.sql is valid until this moment.
SHUT = 0.0


@dataclass(slots=True)
class PostgreSQLLogin(Login):
    """A login. `owns` maps databases to whether they can be entered ("" is the server)."""

    valid_until: float = SHUT
    owns: dict[str, bool] = field(default_factory=dict)

    @property
    def shut(self) -> bool:
        """Say whether nobody can log in any more."""
        return not self.can_login and self.valid_until == SHUT


@dataclass(slots=True)
class PostgreSQLState(State[PostgreSQLLogin]):
    """What was read in one go, with what the roles in it are prepared for."""

    prepared: dict[str, Prepared] = field(default_factory=dict)


def read(at: Target, order: Order) -> PostgreSQLState:
    """Read everything about one person."""
    desired = desired_of(order)
    marker = person_marker(order.integration_id, desired.person)
    named = {grant.login for grant in desired.holds} | {ending.login for ending in desired.gone}
    own = set(standing_names(desired))
    rows = at.home.rows(programs.LOGINS, marker=marker, names=sorted(named | own))
    state = PostgreSQLState(at.home.rows(programs.CLOCK)[0]["read_at"])
    for row in rows:
        if row["marker"].startswith(marker):
            state.ours[row["login"]] = _login(row, row["marker"].removeprefix(marker))
        elif row["login"] in own and not row["marker"].startswith("latchkey "):
            state.standing[row["login"]] = _login(row, "")
    state.foreign = frozenset(row["login"] for row in rows if row["login"] in named) - state.ours.keys()
    _fill(at, state)
    return state


def _login(row: dict[str, Any], grant_id: str) -> PostgreSQLLogin:
    """Return a login of which nothing but itself is known yet."""
    return PostgreSQLLogin(row["login"], grant_id, row["can_login"], valid_until=row["valid_until"])


def _fill(at: Target, state: PostgreSQLState) -> None:
    """Read what the logins hold, own, and are doing."""
    logins = state.standing | state.ours
    if not logins:
        return
    names = sorted(logins)
    for row in at.home.rows(programs.MEMBERSHIPS, logins=names):
        held = "MEMBER" if row["inherits"] else "MEMBER WITHOUT INHERIT"
        logins[row["login"]].holdings["role", row["role"]] = frozenset({held})
        if (what := prepared(row["marker"])) is not None:
            state.prepared[row["role"]] = what
    for row in at.home.rows(programs.DATABASE_PRIVILEGES, logins=names):
        logins[row["login"]].holdings["database", row["database"]] = frozenset(row["privileges"])
    for row in at.home.rows(programs.SESSIONS, logins=names):
        logins[row["login"]].sessions.add(row["pid"])
    _fill_from_databases(at, logins)


def _fill_from_databases(at: Target, logins: dict[str, PostgreSQLLogin]) -> None:
    """Read what lies inside databases; only those are entered in which there is something."""
    places = at.home.rows(programs.PLACES, logins=sorted(logins))
    for row in places:
        if row["owns"]:
            logins[row["login"]].owns[row["database"]] = row["may_connect"]
    for database in sorted({row["database"] for row in places if row["has_privileges"]}):
        here = [row["login"] for row in places if row["database"] == database and row["has_privileges"]]
        try:
            rows = at.sessions.on(database).rows(programs.OBJECT_PRIVILEGES, logins=here)
        except TargetMissing:
            continue  # dropped since we asked: whatever was there went with it
        except LeaseLost:
            raise
        except TargetError as error:
            # There is something, and we cannot see what. To leave it out would be to say that it is gone.
            for name in here:
                logins[name].holdings["other", database, "privileges that cannot be read"] = frozenset({error.message})
            continue
        for row in rows:
            logins[row["login"]].holdings[_thing(database, row)] = frozenset(row["privileges"])


def _thing(database: str, row: dict[str, Any]) -> Thing:
    """Return the thing that a row of object_privileges.sql is about."""
    return (row["kind"], database, *filter(None, (row["schema"], row["name"])))
