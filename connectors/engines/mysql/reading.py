"""Reads from the server what a person holds there: on logins that we made, and on the person's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.contract.orders import Order
from connectors.engines.holdings import Holdings, Thing
from connectors.engines.mysql.levels import plain
from connectors.engines.mysql.server import Target, installed
from connectors.engines.names import marker_id, standing_names
from connectors.engines.place import Login, State, desired_of

# Our logins are for every host.
ANYWHERE = "%"
Account = tuple[str, str]


@dataclass(slots=True)
class MySQLLogin(Login):
    """A login. `ends_at` is None where it has no end; `there` says whether its account still is."""

    ends_at: float | None = None
    there: bool = True


def read(at: Target, order: Order) -> State[MySQLLogin]:
    """Read everything about one person."""
    desired = desired_of(order)
    integration, person = marker_id(order.integration_id), marker_id(desired.person.person_id)
    named = {grant.login for grant in desired.holds} | {ending.login for ending in desired.gone}
    own = set(standing_names(desired))
    state: State[MySQLLogin] = State(float(installed(at)["read_at"]))
    rows = at.session.rows(at.programs.logins, integration=integration, person=person, names=sorted(named | own))
    for row in rows:
        if (row["integration"], row["person"]) == (integration, person):
            state.ours[row["login"]] = _login(row)
    accounts = at.session.rows(at.programs.accounts, names=sorted(named | own))
    marked = {row["login"] for row in rows}
    for row in accounts:
        if row["user"] in own - marked:
            state.standing[_name(row)] = MySQLLogin(_name(row), "", not row["locked"])
    state.foreign = frozenset((marked | {row["user"] for row in accounts}) & named - state.ours.keys())
    _fill(at, state, {_name(row): _account(row) for row in accounts})
    return state


def holdings_of(at: Target, accounts: Iterable[Account]) -> dict[Account, Holdings]:
    """Return what accounts hold, memberships in roles included."""
    wanted = set(accounts)
    found: dict[Account, Holdings] = {}
    if not wanted:
        return found
    users = sorted({user for user, _ in wanted})
    for row in at.session.rows(at.programs.holdings, logins=users):
        if _account(row) in wanted:
            _add(found.setdefault(_account(row), {}), _thing(row), str(row["privileges"]).split(","))
    for row in at.session.rows(at.programs.memberships, logins=users):
        if _account(row) in wanted:
            held = ["MEMBER", "ADMIN OPTION"] if row["with_admin"] else ["MEMBER"]
            _add(found.setdefault(_account(row), {}), ("role", row["role"]), held)
    return found


def _add(holdings: Holdings, thing: Thing, privileges: Iterable[str]) -> None:
    """Add to what is held of a thing; the tables of the server call the right to pass on GRANT."""
    words = {word.strip() for word in privileges}
    words = {"GRANT OPTION" if word == "GRANT" else word for word in words if word}
    holdings[thing] = holdings.get(thing, frozenset()) | words


def _thing(row: dict[str, Any]) -> Thing:
    """Return the thing that a row of holdings is about."""
    kind, database = row["kind"], row["database_name"]
    if kind == "database" and (name := plain(database)) is not None:
        return ("database", name)
    if kind == "database":
        return ("pattern", database)
    return (kind, *filter(None, (database, row["object_name"], row["column_name"])))


def _account(row: dict[str, Any]) -> Account:
    """Return the account that a row is about."""
    return row["user"], row["host"]


def _name(row: dict[str, Any]) -> str:
    """Return what the login of an account is called in a state."""
    return str(row["user"]) if row["host"] == ANYWHERE else f"{row['user']}@{row['host']}"


def _login(row: dict[str, Any]) -> MySQLLogin:
    """Return a login of which nothing but itself is known yet."""
    there = row["locked"] is not None
    return MySQLLogin(row["login"], row["grant_id"], there and not row["locked"], ends_at=row["ends_at"], there=there)


def _fill(at: Target, state: State[MySQLLogin], accounts: dict[str, Account]) -> None:
    """Read what the logins hold, and which sessions ours have."""
    ours = {name: (name, ANYWHERE) for name, login in state.ours.items() if login.there}
    logins = state.standing | state.ours
    by_account = {account: logins[name] for name, account in (accounts | ours).items() if name in logins}
    for account, holdings in holdings_of(at, by_account).items():
        by_account[account].holdings = holdings
    if not ours:
        return
    for row in at.session.rows(at.programs.sessions, logins=",".join(sorted(ours))):
        state.ours[row["login"]].sessions.add(row["session"])
