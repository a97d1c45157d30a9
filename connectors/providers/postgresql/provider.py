"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import (
    Ending,
    Finding,
    Grant,
    GrantReport,
    Order,
    Page,
    ResourceTypeFact,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run
from connectors.providers.postgresql import checking, discovery
from connectors.providers.postgresql.ending import Ended, end, remove
from connectors.providers.postgresql.giving import Given, details, give, set_password
from connectors.providers.postgresql.holdings import Wanted, units
from connectors.providers.postgresql.names import person_marker
from connectors.providers.postgresql.programs import FOLDER
from connectors.providers.postgresql.reading import Login, State, desired_of, read, read_back
from connectors.providers.postgresql.server import Target, open_sessions, target
from connectors.providers.postgresql.wanting import Resolver
from connectors.toolkit import inventory


class PostgreSQL:
    """PostgreSQL 13 and later."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: here, they are the same on every server."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield databases, roles, schemas and tables."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with open_sessions(order, run) as sessions:
            return _Work(order, run, target(order, sessions)).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with open_sessions(order, run) as sessions:
            return _Work(order, run, target(order, sessions)).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the logins of the grants that want it a new password."""
        with open_sessions(order, run) as sessions:
            return _Work(order, run, target(order, sessions)).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a login lives as long as its grant, so there is no older password than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Drop the logins of ended grants, keeping what they own."""
        with open_sessions(order, run) as sessions:
            return _Work(order, run, target(order, sessions)).clean_up()


class _Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, at: Target) -> None:
        self.order = order
        self.run = run
        self.at = at
        self.desired = desired_of(order)
        self.wanted: dict[str, list[Wanted]] = Resolver(at).resolve(self.desired.holds)
        self.state: State = read(at, order)
        self.ended: dict[str, Ended] = {}
        self.given: dict[str, Given] = {}

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        for login in self.state.to_end(self.desired):
            self.ended[login.name] = end(self.at, login)
        marker = person_marker(self.order.integration_id, self.desired.person)
        for grant in self.desired.holds:
            self.given[grant.grant_id] = give(self.at, self.state, grant, self.wanted[grant.grant_id], marker)
        self._read_again()
        if not self.order.dry_run and self._shut_the_useless():
            self._read_again()
        return self.outcome()

    def reset(self) -> Outcome:
        """Make new passwords."""
        for grant in self.desired.holds:
            if not grant.wants_credentials:
                continue
            given = self.given[grant.grant_id] = Given()
            login = self.state.held(grant)
            if login is None or not login.can_login:
                missing = TargetMissing(f"There is no open login {grant.login!r} of this grant.")
                given.errors = dict.fromkeys(grant.units, missing)
                continue
            try:
                given.password = set_password(self.at, grant.login)
            except LeaseLost:
                raise
            except TargetError as error:
                given.errors = dict.fromkeys(grant.units, error)
        return self.outcome()

    def clean_up(self) -> Outcome:
        """End the logins of `gone` once more, then drop them; one that owns what cannot be handed over stays."""
        logins = {login.name: login for ending in self.desired.gone for login in self._logins(ending)}
        for login in logins.values():
            ended = self.ended[login.name] = end(self.at, login)
            if ended.errors:
                continue
            try:
                remove(self.at, login)
            except LeaseLost:
                raise
            except TargetError as error:
                ended.errors.append(error)
                ended.warnings.append(f"{login.name} could not be dropped; it stays, shut: {error.message}")
        self._read_again()
        return self.outcome(dropped=True)

    def outcome(self, *, dropped: bool = False) -> Outcome:
        """Return what is, as the target said last. `dropped`: a login that is still there is a failure."""
        proof = read_back(self.state, self.wanted)
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending, dropped) for ending in self.desired.gone]
        named = {login.name for ending in self.desired.gone for login in self._logins(ending)}
        unnamed = [name for name in self.ended if name in self.state.ours and name not in named]
        failed = {grant.login for grant in self.desired.holds}
        grants += [self._unnamed(self.state.ours[name]) for name in unnamed if name not in failed]
        return Outcome(tuple(grants), proof)

    def _read_again(self) -> None:
        """Ask the target again."""
        self.state = read(self.at, self.order)

    def _logins(self, ending: Ending) -> list[Login]:
        """Return the logins of an ended grant, never one that a grant in force has."""
        held = {grant.login for grant in self.desired.holds if self.state.held(grant) is not None}
        return [login for login in self.state.of(ending.grant_id, ending.login) if login.name not in held]

    def _shut_the_useless(self) -> bool:
        """End the logins of grants of which not one unit could be given; say whether there were any."""
        found = False
        for grant in self.desired.holds:
            login, given = self.state.held(grant), self.given[grant.grant_id]
            failed = bool(grant.units) and given.errors.keys() >= set(grant.units)
            # A login that people use is not shut because the target could not be asked about it just now.
            if login is None or login.over or not failed or not (given.opened or not login.holdings):
                continue
            given.password = None
            self.ended[login.name] = end(self.at, login)
            found = True
        return found

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        given = self.given.get(grant.grant_id, Given())
        login = self.state.held(grant)
        warnings = list(given.warnings)
        reports = []
        for one in self.wanted[grant.grant_id]:
            error = given.errors.get(one.unit, one.error)
            if login is not None and login.can_login and one.held(login.holdings):
                reports.append(UnitReport(one.unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                continue
            if error is None:
                error = TargetMissing("The target does not have it.") if login is None else _nothing_there(login)
            reports.append(UnitReport(one.unit, UnitOutcome.FAILED, error.report()))
        sealed = ""
        if given.password is not None:
            sealed = self.run.seal({"password": given.password.reveal()}, grant.grant_id)
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=grant.login if login is not None else "",
            sealed_credentials=sealed,
            details=details(self.at, grant) if login is not None and login.can_login else {},
            warnings=tuple(warnings),
        )

    def _gone(self, ending: Ending, dropped: bool) -> GrantReport:
        """Return the report on a grant that should be over."""
        logins = self._logins(ending)
        ended = [self.ended[name] for name in self._names(ending, logins) if name in self.ended]
        left = {unit for login in logins for unit in units(login.holdings, self.state.prepared)}
        open_ = any(login.can_login or login.sessions or dropped for login in logins)
        error = next((error for one in ended for error in one.errors), None)
        reports = []
        for unit in ending.units:
            if unit in left or open_:
                failure = error or NotPermitted("The target still has it after it was revoked.")
                reports.append(UnitReport(unit, UnitOutcome.FAILED, failure.report()))
            else:
                reports.append(UnitReport(unit, UnitOutcome.GONE))
        warnings = [warning for one in ended for warning in one.warnings]
        warnings += [error.message for one in ended for error in one.errors]
        warnings += [
            f"{ending.login} still has {unit.permission} on {unit.resource}: revoke it by hand." for unit in left
        ]
        if ending.login in self.state.foreign:
            warnings.append(f"There is a login {ending.login!r} that we did not make. It was left alone.")
        return GrantReport(
            ending.grant_id,
            tuple(reports),
            login=ending.login,
            sessions_ended=sum(one.sessions for one in ended),
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _names(self, ending: Ending, logins: list[Login]) -> list[str]:
        """Return the names of the logins that were ended for a grant, those that are dropped by now included."""
        return sorted({ending.login, *(login.name for login in logins)})

    def _unnamed(self, login: Login) -> GrantReport:
        """Return the report on a login of ours that the order did not name, and that was ended therefore."""
        ended = self.ended[login.name]
        words = (
            f"The login {login.name} bears our marker, but the server does not know its grant as held: it was ended."
        )
        return GrantReport(
            login.grant_id,
            (),
            login=login.name,
            sessions_ended=ended.sessions,
            warnings=(words, *ended.warnings, *(error.message for error in ended.errors)),
        )


def _nothing_there(login: Login) -> TargetError:
    """Return the error for a unit of which the target has nothing although nothing failed."""
    if not login.can_login:
        return TargetMissing(f"The login {login.name} is shut.")
    return NotPermitted("The target does not have it, although nothing was refused.")


PROVIDER = PostgreSQL()
