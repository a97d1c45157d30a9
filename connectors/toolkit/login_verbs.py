"""The verbs about a person, for providers whose grants each get a login of their own that owns nothing.

A provider says how its target is read and changed (`logins.Accounts`). In which order that happens, and what the report
says of it, is here: end first, then give, then make it last, then read back. A login is removed with its grant, because
nothing is lost with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import (
    Desired,
    Ending,
    Found,
    Grant,
    GrantReport,
    Order,
    ReadBack,
    Unit,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run
from connectors.toolkit.logins import Accounts, Given, Login, State, sorted_units


@dataclass(slots=True)
class Ended:
    """What became of ending one login."""

    sessions: int = 0
    error: TargetError | None = None


class Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, at: Accounts) -> None:
        """Read the target."""
        assert order.desired is not None  # the runner has seen to it
        self.order, self.run, self.at = order, run, at
        self.desired: Desired = order.desired
        self.state = at.read()
        self.ended: dict[str, tuple[Login, Ended]] = {}
        self.given: dict[str, Given] = {}
        self.unsettled: TargetError | None = None

    def apply(self) -> Outcome:
        """End what should not be, give what should be, make it last, and read it all back."""
        self._end(self.state.to_end(self.desired))
        before = self.state
        for grant in self.desired.holds:
            self.given[grant.grant_id] = self._give(grant)
        if not self.order.dry_run:
            self.state = self.at.read()
            self._end_the_useless(before)
        return self._finish()

    def read_back(self) -> Outcome:
        """Return what is."""
        return self._outcome()

    def reset(self) -> Outcome:
        """Make new passwords for the grants that want them."""
        for grant in self.desired.holds:
            if not grant.wants_credentials:
                continue
            given, login = Given(), self.state.held(grant)
            self.given[grant.grant_id] = given
            try:
                if login is None or not login.can_login:
                    raise TargetMissing(f"There is no open login {grant.login!r} of this grant.")
                given.password = self.at.set_password(login)
            except LeaseLost:
                raise
            except TargetError as error:
                given.errors = dict.fromkeys(grant.units, error)
        return self._finish()

    def clean_up(self) -> Outcome:
        """Remove what is left of ended grants."""
        logins = {one.name: one for ending in self.desired.gone for one in self.state.of(ending, self.desired)}
        self._end(logins.values())
        return self._finish()

    def _end(self, logins: Iterable[Login]) -> None:
        """End logins; each is tried even if another could not be ended. Only a lost lease stops at once."""
        for login in logins:
            ended = Ended()
            self.ended[login.name] = (login, ended)
            try:
                ended.sessions = self.at.end(login)
            except LeaseLost:
                raise
            except TargetError as error:
                ended.error = error

    def _give(self, grant: Grant) -> Given:
        """Give one grant; what fails leaves the other grants alone."""
        given = Given(self.at.refusals(grant))
        login = self.state.held(grant)
        given.opened = login is None
        has = login.units if login is not None else frozenset()
        # What is held already is not taken because it could not be given anew.
        units = tuple(unit for unit in grant.units if unit not in given.errors or unit in has)
        if login is None and not units:
            return given
        try:
            self.at.give(grant, login, units, given)
        except LeaseLost:
            raise
        except TargetError as error:
            given.errors = dict.fromkeys(grant.units, error)
            given.password = None
        return given

    def _end_the_useless(self, before: State) -> None:
        """End the logins that were made in this run for grants of which not one unit could be given."""
        found = []
        for grant in self.desired.holds:
            login = self.state.held(grant)
            given = self.given[grant.grant_id]
            if login is not None and before.held(grant) is None and given.errors.keys() >= set(grant.units):
                found.append(login)
        self._end(found)

    def _finish(self) -> Outcome:
        """Make it last, read back, and report."""
        try:
            self.at.settle()
        except LeaseLost:
            raise
        except TargetError as error:
            self.unsettled = error
        self.state = self.at.read()
        return self._outcome()

    def _outcome(self) -> Outcome:
        """Return what is, as the target said last."""
        proof = ReadBack(
            self.state.read_at,
            tuple(self._found()),
            tuple(Found(unit, one.name) for one in self.state.standing.values() for unit in sorted_units(one.units)),
            sum(login.sessions for login in self.state.ours.values()),
        )
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending) for ending in self.desired.gone]
        told = {one.grant_id for one in grants}
        unnamed = [(login, ended) for login, ended in self.ended.values() if login.grant_id not in told]
        grants += [_unnamed(login, ended) for login, ended in unnamed]
        return Outcome(tuple(grants), proof)

    def _found(self) -> Iterator[Found]:
        """Yield what was found of ours, and what keeps an ended grant from being proven gone."""
        held = {grant.login for grant in self.desired.holds if self.state.held(grant) is not None}
        for login in self.state.ours.values():
            yield from (Found(unit, login.name, login.grant_id) for unit in sorted_units(login.units | login.partly))
            if login.name not in held:
                if login.there:
                    yield Found(Unit("login", login.name, "LOGIN"), login.name, login.grant_id)
                if login.sessions:
                    yield Found(Unit("login", login.name, "SESSION"), login.name, login.grant_id)
        for place in self.state.unknown:
            for ending in self.desired.gone:
                yield Found(Unit("login", ending.login, f"UNKNOWN AT {place}"), ending.login, ending.grant_id)

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        given = self.given.get(grant.grant_id, Given())
        login = self.state.held(grant)
        warnings, reports = list(given.warnings), []
        for unit in grant.units:
            error = given.errors.get(unit)
            if login is not None and login.can_login and unit in login.units:
                reports.append(UnitReport(unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                continue
            error = error or TargetMissing("The target does not have it.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        if self.unsettled is not None:
            warnings.append(f"It does not outlive a restart of the server: {self.unsettled.message}")
        warnings += [f"{place} was left out: {error.message}" for place, error in self.state.unknown.items()]
        sealed = ""
        if given.password is not None and login is not None:
            sealed = self.run.seal({"password": given.password.reveal()}, grant.grant_id)
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=grant.login if login is not None else "",
            sealed_credentials=sealed,
            details=self.at.details(grant) if login is not None and login.can_login else {},
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _gone(self, ending: Ending) -> GrantReport:
        """Return the report on a grant that should be over."""
        left = self.state.of(ending, self.desired)
        ended = [
            one for login, one in self.ended.values() if login.grant_id == ending.grant_id or login.name == ending.login
        ]
        error = next((one.error for one in ended if one.error is not None), None)
        if left:
            error = error or NotPermitted("The target still has it after it was ended.")
        elif self.state.unknown:
            error = next(iter(self.state.unknown.values()))
        else:
            error = self.unsettled
        warnings = [one.error.message for one in ended if one.error is not None]
        if ending.login in self.state.foreign:
            warnings.append(f"There is a login {ending.login!r} that we did not make. It was left alone.")
        outcome = UnitOutcome.GONE if error is None else UnitOutcome.FAILED
        report = error.report() if error is not None else None
        return GrantReport(
            ending.grant_id,
            tuple(UnitReport(unit, outcome, report) for unit in ending.units),
            login=ending.login,
            sessions_ended=sum(one.sessions for one in ended),
            warnings=tuple(dict.fromkeys(warnings)),
        )


def _unnamed(login: Login, ended: Ended) -> GrantReport:
    """Return the report on a login of ours that the order did not name, and that was ended therefore."""
    words = [f"The login {login.name} bears our marker, but the server does not know its grant as held: it was ended."]
    words += [ended.error.message] if ended.error is not None else []
    return GrantReport(login.grant_id, (), login=login.name, sessions_ended=ended.sessions, warnings=tuple(words))
