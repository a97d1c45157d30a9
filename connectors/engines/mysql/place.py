"""How access is given and taken at a MySQL server: what `connectors.engines.place` asks of a target."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from connectors.contract.orders import Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.engines.holdings import Holdings, Wanted
from connectors.engines.mysql.connecting import default_role, details
from connectors.engines.mysql.ending import end, shut, take_surplus
from connectors.engines.mysql.levels import OF_LEVEL, parse_unit, pattern, units
from connectors.engines.mysql.reading import MySQLLogin, read
from connectors.engines.mysql.server import Target
from connectors.engines.mysql.wanting import Resolver
from connectors.engines.place import Ended, Given, State, desired_of
from connectors.toolkit.scram import new_password

# Two spellings of the same moment differ by less than this.
SAME_MOMENT_SECONDS = 0.001


class MySQLPlace:
    """One server, as an order about a person sees it."""

    def __init__(self, at: Target, order: Order) -> None:
        """Ask nothing yet."""
        self._at = at
        self._order = order

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant."""
        return Resolver(self._at).resolve(grants)

    def read(self) -> State[MySQLLogin]:
        """Read everything about the person."""
        return read(self._at, self._order)

    def units(self, holdings: Holdings) -> Iterable[Unit]:
        """Return holdings as units."""
        return units(holdings)

    def create(self, grant: Grant, given: Given) -> None:
        """Make the login. Nobody learns the password of one that was not asked for."""
        password = new_password()
        self._at.session.change(
            self._at.programs.create_login,
            login=grant.login,
            verifier=Secret(self._at.dialect.verifier(password)),
            integration=self._order.integration_id,
            person=desired_of(self._order).person.person_id,
            grant_id=grant.grant_id,
            ends_at=_moment(grant.ends_at),
        )
        given.made(grant, Secret(password))

    def reopen(self, login: MySQLLogin, grant: Grant, given: Given) -> None:
        """Make a login that is there usable until the grant's end; make it again where its account was dropped."""
        given.opened = not login.can_login
        if not login.there:
            self.create(grant, given)
            return
        if not login.can_login or not _same(login.ends_at, _moment(grant.ends_at)):
            self._at.session.change(self._at.programs.open_login, login=login.name, ends_at=_moment(grant.ends_at))
        if grant.wants_credentials:
            given.password = self.set_password(login.name)

    def take_surplus(self, grant: Grant, holdings: Holdings, wanted: list[Wanted], ended: Ended) -> None:
        """Take what no wanted unit accounts for."""
        take_surplus(self._at, grant, holdings, wanted, ended)

    def give_unit(self, grant: Grant, one: Wanted) -> None:
        """Give the login of a grant one unit."""
        found, kind = parse_unit(one.unit), one.unit.resource_type
        session, programs = self._at.session, self._at.programs
        if kind == "role":
            session.change(programs.grant_role, role=found[0], login=grant.login)
            session.change(
                programs.set_default_role, login=grant.login, role=default_role(grant, self._at.dialect.one_role)
            )
            return
        for group in OF_LEVEL[one.unit.permission]:
            if kind == "database":
                session.change(programs.give_database[group], database=pattern(found[0]), login=grant.login)
            else:
                session.change(programs.give_table[group], database=found[0], table=found[1], login=grant.login)

    def shut(self, login: MySQLLogin) -> Ended:
        """Lock a login of ours."""
        return shut(self._at, login)

    def end(self, login: MySQLLogin) -> Ended:
        """End one login of ours."""
        return end(self._at, login)

    def remove(self, login: MySQLLogin) -> None:
        """Drop a login of ours that has ended. Raises Refused while something works with its rights."""
        self._at.session.change(self._at.programs.drop_login, login=login.name)

    def set_password(self, login: str) -> Secret:
        """Give a login of ours a new password and return it."""
        password = new_password()
        verifier = Secret(self._at.dialect.verifier(password))
        self._at.session.change(self._at.programs.set_password, login=login, verifier=verifier)
        return Secret(password)

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""
        return details(self._at, grant)


def _moment(seconds: float) -> float | None:
    """Return a moment as the server keeps it: nothing for one that never comes."""
    return None if math.isinf(seconds) else seconds


def _same(one: float | None, other: float | None) -> bool:
    """Say whether two ends are the same."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < SAME_MOMENT_SECONDS
