"""Reads from the target what a person holds there: on logins that we made, and on the person's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Desired, Found, Grant, Order, ReadBack, Unit
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.holdings import Holdings, Thing, Wanted, unexplained, units
from connectors.providers.postgresql.names import Prepared, person_marker, prepared, source_id, standing_names
from connectors.providers.postgresql.server import Target

# A login shut by shut_login.sql is valid until this moment.
SHUT = 0.0


@dataclass(slots=True)
class Login:
    """A login, as the target has it now. `owns` maps databases to whether they can be entered ("" is the server)."""

    name: str
    grant_id: str
    can_login: bool
    valid_until: float
    holdings: Holdings = field(default_factory=dict)
    sessions: set[int] = field(default_factory=set)
    owns: dict[str, bool] = field(default_factory=dict)

    @property
    def shut(self) -> bool:
        """Say whether nobody can log in any more."""
        return not self.can_login and self.valid_until == SHUT

    @property
    def over(self) -> bool:
        """Say whether nothing is left of the access."""
        return not (self.can_login or self.holdings or self.sessions)


@dataclass(slots=True)
class State:
    """What was read in one go. `foreign` are logins that bear a name of the order, but not this person's marker."""

    read_at: float
    ours: dict[str, Login]
    standing: dict[str, Login]
    foreign: frozenset[str]
    prepared: dict[str, Prepared] = field(default_factory=dict)

    def held(self, grant: Grant) -> Login | None:
        """Return the login of a grant."""
        login = self.ours.get(grant.login)
        return login if login is not None and login.grant_id == grant.grant_id else None

    def of(self, grant_id: str, name: str) -> list[Login]:
        """Return our logins that have this name or belong to this grant."""
        return [login for login in self.ours.values() if name == login.name or grant_id == login.grant_id]

    def to_end(self, desired: Desired) -> list[Login]:
        """Return our logins that the person should not have."""
        kept = {login.name for grant in desired.holds if (login := self.held(grant)) is not None}
        return [login for name, login in self.ours.items() if name not in kept]


def desired_of(order: Order) -> Desired:
    """Return what an order about a person wants; the runner has seen to it that there is one."""
    assert order.desired is not None
    return order.desired


def read(at: Target, order: Order) -> State:
    """Read everything about one person."""
    desired = desired_of(order)
    marker = person_marker(order.integration_id, desired.person)
    named = {grant.login for grant in desired.holds} | {ending.login for ending in desired.gone}
    own = set(standing_names(desired))
    rows = at.home.rows(programs.LOGINS, marker=marker, names=sorted(named | own))
    state = State(at.home.rows(programs.CLOCK)[0]["read_at"], {}, {}, frozenset())
    for row in rows:
        if row["marker"].startswith(marker):
            state.ours[row["login"]] = _login(row, row["marker"].removeprefix(marker))
        elif row["login"] in own and not row["marker"].startswith("latchkey "):
            state.standing[row["login"]] = _login(row, "")
    state.foreign = frozenset(row["login"] for row in rows if row["login"] in named) - state.ours.keys()
    _fill(at, state)
    return state


def _login(row: dict[str, Any], grant_id: str) -> Login:
    """Return a login of which nothing but itself is known yet."""
    return Login(row["login"], grant_id, row["can_login"], row["valid_until"])


def _fill(at: Target, state: State) -> None:
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


def _fill_from_databases(at: Target, logins: dict[str, Login]) -> None:
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


def read_back(state: State, wanted: dict[str, list[Wanted]]) -> ReadBack:
    """Return the state as a proof; `wanted` has the resolved units of every grant that should be held."""
    ours: list[Found] = []
    for login in state.ours.values():
        should = wanted.get(login.grant_id, [])
        found = [one.unit for one in should if one.held(login.holdings)]
        found += units(unexplained(login.holdings, [one for one in should if one.held(login.holdings)]), state.prepared)
        ours += [Found(unit, login.name, login.grant_id) for unit in [*found, *_open_doors(login, bool(should))]]
    standing = [
        Found(unit, login.name) for login in state.standing.values() for unit in units(login.holdings, state.prepared)
    ]
    return ReadBack(
        read_at=state.read_at,
        ours=tuple(ours),
        standing=tuple(standing),
        live_sessions=sum(len(login.sessions) for login in state.ours.values()),
    )


def _open_doors(login: Login, should_be_open: bool) -> Iterable[Unit]:
    """Yield what keeps an ended login from being shut: it can log in, or somebody is still in."""
    if should_be_open:
        return
    if login.can_login:
        yield Unit("login", source_id(login.name), "LOGIN")
    if login.sessions:
        yield Unit("login", source_id(login.name), "SESSION")
