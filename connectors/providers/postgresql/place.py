"""How access is given and taken at a PostgreSQL server: what `connectors.engines.place` asks of a target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.contract.orders import Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.engines.holdings import Holdings, Wanted, unexplained
from connectors.engines.place import Ended, Given, desired_of
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.connecting import details
from connectors.providers.postgresql.ending import end, remove, shut, take
from connectors.providers.postgresql.holdings import units
from connectors.providers.postgresql.names import Prepared, grant_marker, parse_unit, person_marker, timestamp
from connectors.providers.postgresql.reading import PostgreSQLLogin, PostgreSQLState, read
from connectors.providers.postgresql.server import Target
from connectors.providers.postgresql.wanting import Resolver
from connectors.toolkit.scram import new_password, verifier

# Two spellings of the same moment differ by less than this.
SAME_MOMENT_SECONDS = 0.001
SCHEMA_PROGRAMS = {"READ_ONLY": programs.GRANT_SCHEMA_READ_ONLY, "READ_WRITE": programs.GRANT_SCHEMA_READ_WRITE}
TABLE_PROGRAMS = {"READ_ONLY": programs.GRANT_TABLE_READ_ONLY, "READ_WRITE": programs.GRANT_TABLE_READ_WRITE}


class PostgreSQLPlace:
    """One server, as an order about a person sees it."""

    def __init__(self, at: Target, order: Order) -> None:
        """Ask nothing yet."""
        self._at = at
        self._order = order
        self._prepared: dict[str, Prepared] = {}

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant."""
        return Resolver(self._at).resolve(grants)

    def read(self) -> PostgreSQLState:
        """Read everything about the person."""
        state = read(self._at, self._order)
        self._prepared = state.prepared
        return state

    def units(self, holdings: Holdings) -> Iterable[Unit]:
        """Return holdings that were read last as units."""
        return units(holdings, self._prepared)

    def create(self, grant: Grant, given: Given) -> None:
        """Make the login. Nobody learns the password of one that was not asked for."""
        password = new_password()
        marker = person_marker(self._order.integration_id, desired_of(self._order).person)
        self._at.home.change(
            programs.CREATE_LOGIN,
            login=grant.login,
            verifier=Secret(verifier(password)),
            ends_at=timestamp(grant.ends_at),
            marker=grant_marker(marker, grant.grant_id),
        )
        given.made(grant, Secret(password))

    def reopen(self, login: PostgreSQLLogin, grant: Grant, given: Given) -> None:
        """Make a login that is there usable until the grant's end."""
        same_end = login.valid_until == grant.ends_at or abs(login.valid_until - grant.ends_at) < SAME_MOMENT_SECONDS
        given.opened = not login.can_login
        if not login.can_login or not same_end:
            self._at.home.change(programs.OPEN_LOGIN, login=grant.login, ends_at=timestamp(grant.ends_at))
        if grant.wants_credentials:
            given.password = self.set_password(grant.login)
        elif login.shut:
            given.warnings.append(f"The login {grant.login} had been shut: it needs a new password.")

    def take_surplus(self, grant: Grant, holdings: Holdings, wanted: list[Wanted], ended: Ended) -> None:
        """Take what no wanted unit accounts for."""
        surplus = unexplained(holdings, wanted)
        take(self._at, grant.login, surplus, ended)
        for thing in surplus:
            holdings.pop(thing)

    def give_unit(self, grant: Grant, one: Wanted) -> None:
        """Give the login of a grant one unit."""
        names, level, login = parse_unit(one.unit), one.unit.permission, grant.login
        if one.unit.resource_type in ("database", "role"):
            program = programs.GRANT_ROLE if self._at.options_on_membership else programs.GRANT_ROLE_UNTIL_15
            ((_, role),) = one.core
            self._at.home.change(program, role=role, login=login)
            return
        self._at.home.change(programs.GRANT_CONNECT, database=names[0], login=login)
        session = self._at.sessions.on(names[0])
        if one.unit.resource_type == "schema":
            session.change(SCHEMA_PROGRAMS[level], schema=names[1], login=login)
            return
        session.change(TABLE_PROGRAMS[level], schema=names[1], table=names[2], login=login)
        for thing in one.content:
            session.change(programs.GRANT_SEQUENCE, schema=thing[2], sequence=thing[3], login=login)

    def shut(self, login: PostgreSQLLogin) -> Ended:
        """Let nobody sign in with a login of ours any more."""
        return shut(self._at, login)

    def end(self, login: PostgreSQLLogin) -> Ended:
        """End one login of ours."""
        return end(self._at, login)

    def remove(self, login: PostgreSQLLogin) -> None:
        """Drop a login of ours that has ended; what it owns is kept."""
        remove(self._at, login)

    def set_password(self, login: str) -> Secret:
        """Give a login of ours a new password and return it."""
        password = new_password()
        self._at.home.change(programs.SET_PASSWORD, login=login, verifier=Secret(verifier(password)))
        return Secret(password)

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""
        return details(self._at, grant)
