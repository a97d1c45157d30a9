"""How access is given and taken at a MySQL server: what `connectors.engines.logins` asks of a target."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from connectors.contract.errors import (
    LeaseLost,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.engines.holdings import Holdings, Thing, Wanted, explained, unexplained
from connectors.engines.logins import Ended, Given, State
from connectors.engines.mysql.connecting import details
from connectors.engines.mysql.levels import (
    DEFINING,
    GROUPS,
    MEMBER,
    OF_LEVEL,
    is_system,
    parse_unit,
    pattern,
    privileges,
    units,
)
from connectors.engines.mysql.offers import Offers, offers
from connectors.engines.mysql.reading import MySQLLogin, read
from connectors.engines.mysql.roles import roles
from connectors.engines.mysql.server import Target
from connectors.toolkit.scram import new_password

# How long a session may take to end after it was told to.
PATIENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05
# Two spellings of the same moment differ by less than this.
SAME_MOMENT_SECONDS = 0.001
PREPARE = "Run setup/2_database.sql in it, with the level that people may ask for."


class MySQLPlace:
    """One server, as an order about a person sees it."""

    def __init__(self, at: Target, order: Order) -> None:
        """Ask nothing yet."""
        self._at = at
        self._order = order

    @cached_property
    def _offers(self) -> Offers:
        """Return what the connector may pass on."""
        return offers(self._at)

    @cached_property
    def _databases(self) -> frozenset[str]:
        """Return the databases that are there."""
        return frozenset(row["name"] for row in self._at.session.rows(self._at.programs.databases))

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant."""
        return {grant.grant_id: [self._resolved(unit) for unit in grant.units] for grant in grants}

    def _resolved(self, unit: Unit) -> Wanted:
        """Return one unit, resolved."""
        try:
            found = parse_unit(unit)
            return self._role(unit, found[0]) if unit.resource_type == "role" else self._data(unit, found)
        except LeaseLost:
            raise
        except TargetError as error:
            return Wanted(unit, error=error)

    def _role(self, unit: Unit, name: str) -> Wanted:
        """Return membership in a role."""
        found = roles(self._at, [name])
        if not found:
            raise TargetMissing(f"There is no role {name!r} that could be asked for.")
        kind = Refused if found[0].harm else NotPermitted
        refusal = kind(f"Role {name!r}: {found[0].refusal}") if found[0].refusal else None
        return Wanted(unit, {("role", name): MEMBER}, refusal=refusal)

    def _data(self, unit: Unit, found: tuple[str, ...]) -> Wanted:
        """Return a level of a database or table."""
        kind, database = unit.resource_type, found[0]
        if is_system(database):
            raise Refused(f"The database {database!r} is the server's own: whoever may use it may do everything.")
        if database not in self._databases:
            raise TargetMissing(f"There is no database {database!r} any more.")
        if kind == "table" and not self._at.session.rows(self._at.programs.table, database=database, table=found[1]):
            raise TargetMissing(f"There is no table {found[1]!r} in {database!r} that the connector could see.")
        needed = privileges(kind, unit.permission)
        lacking = self._offers.missing(needed, *found)
        words = f"The connector may not pass on {', '.join(sorted(lacking))} in {database!r}."
        refusal = NotPermitted(words, fix=PREPARE) if lacking else None
        return Wanted(unit, {(kind, *found): needed}, refusal=refusal)

    def read(self) -> State[MySQLLogin]:
        """Read everything about the person."""
        return read(self._at, self._order)

    def units(self, state: State[MySQLLogin], holdings: Holdings) -> Iterable[Unit]:
        """Return holdings as units."""
        return units(holdings)

    def create(self, grant: Grant, given: Given) -> None:
        """Make the login. Nobody learns the password of one that was not asked for."""
        password = new_password()
        desired = self._order.desired
        assert desired is not None
        self._at.session.change(
            self._at.programs.create_login,
            login=grant.login,
            verifier=Secret(self._at.dialect.verifier(password)),
            integration=self._order.integration_id,
            person=desired.person.person_id,
            grant_id=grant.grant_id,
            ends_at=_moment(grant.ends_at),
        )
        if grant.wants_credentials:
            given.password = Secret(password)
        else:
            given.warnings.append(
                f"The login {grant.login} was gone and was made again: its old password no longer works."
            )

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

    def set_password(self, login: str) -> Secret:
        """Give a login of ours a new password and return it."""
        password = new_password()
        verifier = Secret(self._at.dialect.verifier(password))
        self._at.session.change(self._at.programs.set_password, login=login, verifier=verifier)
        return Secret(password)

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""
        return details(self._at, grant)

    def give_unit(self, grant: Grant, one: Wanted) -> None:
        """Give the login of a grant one unit."""
        found, kind = parse_unit(one.unit), one.unit.resource_type
        session, programs = self._at.session, self._at.programs
        if kind == "role":
            session.change(programs.grant_role, role=found[0], login=grant.login)
            session.change(programs.set_default_role, login=grant.login, role=self._default_role(grant))
            return
        for group in OF_LEVEL[one.unit.permission]:
            if kind == "database":
                session.change(programs.give_database[group], database=pattern(found[0]), login=grant.login)
            else:
                session.change(programs.give_table[group], database=found[0], table=found[1], login=grant.login)

    def _default_role(self, grant: Grant) -> str | None:
        """Return the role that is active after signing in: none of several where only one can be."""
        asked: list[str] = []
        for unit in grant.units:
            with suppress(Misconfigured):  # one unit that makes no sense is reported as failed, and no more
                asked += parse_unit(unit) if unit.resource_type == "role" else ()
        return asked[0] if len(asked) == 1 or not self._at.dialect.one_role else None

    def take_surplus(self, grant: Grant, holdings: Holdings, wanted: list[Wanted], ended: Ended) -> None:
        """Take what no wanted unit accounts for: exactly that where the connector may, else everything but roles."""
        allowed = explained(wanted)
        surplus = unexplained(holdings, wanted)
        for thing in [thing for thing in surplus if thing[0] == "role"]:
            ended.attempt(partial(self._take_role, grant.login, thing[1]))
            holdings.pop(thing)
        steps: list[Callable[[], None]] = []
        for thing in surplus.keys() & holdings.keys():
            found = self._steps(grant.login, thing, holdings[thing], allowed.get(thing, frozenset()))
            if found is None:
                steps = [partial(self._take_everything, grant.login)]
                surplus = {thing: has for thing, has in holdings.items() if thing[0] != "role"}
                break
            steps += found
        try:
            for step in steps:
                step()
        except LeaseLost:
            raise
        except TargetError:
            ended.attempt(partial(self._take_everything, grant.login))
            surplus = {thing: has for thing, has in holdings.items() if thing[0] != "role"}
        for thing in surplus:
            holdings.pop(thing, None)

    def _steps(
        self, login: str, thing: Thing, has: frozenset[str], allowed: frozenset[str]
    ) -> list[Callable[[], None]] | None:
        """Return how to take what is too much on one thing; None where no program takes exactly that."""
        steps: list[Callable[[], None]] = []
        left = has - allowed
        for group, members in GROUPS.get(thing[0], {}).items():
            if not members & left:
                continue
            if members & allowed:
                return None
            left -= members
            steps.append(partial(self._take_group, login, thing, group))
        return None if left else steps

    def _take_group(self, login: str, thing: Thing, group: str) -> None:
        """Take one group of privileges on one thing."""
        session, programs = self._at.session, self._at.programs
        if thing[0] == "database":
            session.change(programs.take_database[group], database=pattern(thing[1]), login=login)
        else:
            session.change(programs.take_table[group], database=thing[1], table=thing[2], login=login)

    def _take_role(self, login: str, role: str) -> None:
        """Take a role."""
        self._at.session.change(self._at.programs.revoke_role, role=role, login=login)

    def _take_everything(self, login: str) -> None:
        """Take every privilege, whoever gave it; roles stay."""
        self._at.session.change(self._at.programs.revoke_everything, login=login)

    def end(self, login: MySQLLogin) -> Ended:
        """End one login of ours; a second time finds nothing to do."""
        ended, session, programs = Ended(), self._at.session, self._at.programs
        if not login.there:
            return ended
        if login.can_login:
            ended.attempt(partial(session.change, programs.shut_login, login=login.name))
        ended.warnings += self._made(login)
        held_roles = [thing[1] for thing in login.holdings if thing[0] == "role"]
        for role in held_roles:
            ended.attempt(partial(self._take_role, login.name, role))
        if held_roles:
            ended.attempt(partial(session.change, programs.set_default_role, login=login.name, role=None))
        if len(login.holdings) > len(held_roles):
            ended.attempt(partial(self._take_everything, login.name))
        ended.attempt(partial(self._end_sessions, login, ended))
        return ended

    def _made(self, login: MySQLLogin) -> list[str]:
        """Return warnings about what works with the rights of this login, if it can have made anything."""
        able = any(thing[0] == "role" or has & DEFINING for thing, has in login.holdings.items())
        if not able:
            return []
        try:
            rows = self._at.session.rows(self._at.programs.defined_by, login=login.name)
        except LeaseLost:
            raise
        except TargetError as error:
            return [f"It could not be found out what was made by {login.name}: {error.message}"]
        return [
            f"The {row['kind']} {row['name']} in {row['database_name']} works with the rights of {login.name}, which "
            "end now: give it another definer. Until then the login stays, shut."
            for row in rows
        ]

    def _end_sessions(self, login: MySQLLogin, ended: Ended) -> None:
        """End the sessions of a login until none is left. Raises Unreachable when one does not end in time."""
        session, programs = self._at.session, self._at.programs
        seen: set[int] = set()
        patience = time.monotonic() + PATIENCE_SECONDS
        while found := {row["session"] for row in session.rows(programs.sessions, logins=login.name)}:
            seen |= found
            ended.sessions = len(seen)
            if time.monotonic() > patience:
                raise Unreachable(f"{len(found)} session(s) of {login.name} do not end.", fix="It is tried again.")
            session.change(programs.end_sessions, login=login.name)
            if session.dry_run:
                return
            time.sleep(LOOK_AGAIN_SECONDS)

    def remove(self, login: MySQLLogin) -> None:
        """Drop a login of ours that has ended. Raises Refused while something works with its rights."""
        self._at.session.change(self._at.programs.drop_login, login=login.name)


def _moment(seconds: float) -> float | None:
    """Return a moment as the server keeps it: nothing for one that never comes."""
    return None if math.isinf(seconds) else seconds


def _same(one: float | None, other: float | None) -> bool:
    """Say whether two ends are the same."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < SAME_MOMENT_SECONDS
