"""The verbs about a person where every grant gets a login of its own: what is done, and in which order.

How it is done at one kind of target is a `Place`. Ending comes first, then giving, then the target is read again, and
the report is what it says. Only a lost lease stops at once: what one login or unit fails with leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from connectors.contract.errors import LeaseLost, NotPermitted, Refused, TargetError, TargetMissing
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
from connectors.engines.holdings import Holdings, Wanted, unexplained
from connectors.engines.names import source_id
from connectors.engines.place import AnyLogin, Ended, Given, Login, Place, desired_of, drains


class Work(Generic[AnyLogin]):
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, place: Place[AnyLogin]) -> None:
        """Look at the target."""
        self.order = order
        self.run = run
        self.place = place
        self.desired = desired_of(order)
        self.wanted = place.resolve(self.desired.holds)
        self.state = place.read()
        self.ended: dict[str, Ended] = {}
        self.given: dict[str, Given] = {}

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        for login in self.state.to_end(self.desired):
            self.ended[login.name] = self.place.shut(login) if drains(self.desired, login) else self.place.end(login)
        for grant in self.desired.holds:
            self.given[grant.grant_id] = self._give(grant, self.wanted[grant.grant_id])
        self.state = self.place.read()
        if not self.order.dry_run and self._end_more():
            self.state = self.place.read()
        return self.outcome()

    def reset(self) -> Outcome:
        """Make new passwords for the grants that want them."""
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
                given.password = self.place.set_password(grant.login)
            except LeaseLost:
                raise
            except TargetError as error:
                given.errors = dict.fromkeys(grant.units, error)
        return self.outcome()

    def clean_up(self) -> Outcome:
        """End the logins of `gone` once more, then drop them; one that cannot be dropped without harm stays."""
        logins = {login.name: login for ending in self.desired.gone for login in self._logins(ending)}
        for login in logins.values():
            ended = self.ended[login.name] = self.place.end(login)
            if ended.errors:
                continue
            try:
                self.place.remove(login)
            except LeaseLost:
                raise
            except TargetError as error:
                ended.errors.append(error)
                ended.warnings.append(f"{login.name} could not be dropped; it stays, shut: {error.message}")
        self.state = self.place.read()
        return self.outcome(dropped=True)

    def outcome(self, *, dropped: bool = False) -> Outcome:
        """Return what is, as the target said last. `dropped`: a login that is still there is a failure."""
        proof = self._read_back()
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending, dropped) for ending in self.desired.gone]
        named = {login.name for ending in self.desired.gone for login in self._logins(ending)}
        unnamed = [name for name in self.ended if name in self.state.ours and name not in named]
        failed = {grant.login for grant in self.desired.holds}
        grants += [self._unnamed(self.state.ours[name]) for name in unnamed if name not in failed]
        return Outcome(tuple(grants), proof)

    def _give(self, grant: Grant, wanted: list[Wanted]) -> Given:
        """Make the login of a grant hold its units and nothing else; a unit that fails leaves the others alone."""
        given = Given({one.unit: one.error for one in wanted if one.error is not None})
        if wanted and len(given.errors) == len(wanted):
            return given  # not one unit can be resolved: no login is made for nothing
        try:
            holdings = self._open(grant, given)
        except LeaseLost:
            raise
        except TargetError as error:
            given.errors = {one.unit: error for one in wanted}
            return given
        self._take_surplus(grant, holdings, wanted, given)
        for one in wanted:
            if one.error is None and not one.complete(holdings):
                self._give_unit(grant, one, given)
        return given

    def _open(self, grant: Grant, given: Given) -> Holdings:
        """Make or open the login of a grant and return what it holds. Raises Refused for one that is not its own."""
        login = self.state.held(grant)
        if login is not None:
            self.place.reopen(login, grant, given)
            return login.holdings
        if grant.login in self.state.foreign or grant.login in self.state.ours:
            raise Refused(
                f"There is a login {grant.login!r} that was not made for this grant. It is not taken over.",
                fix="Rename or drop it, or ask again: a new grant gets a new name.",
            )
        self.place.create(grant, given)
        given.opened = True
        return {}

    def _take_surplus(self, grant: Grant, holdings: Holdings, wanted: list[Wanted], given: Given) -> None:
        """Take what the login holds beyond the grant. Where a unit is not resolved, nothing is surplus for sure."""
        unsure = any(one.error is not None and not isinstance(one.error, TargetMissing) for one in wanted)
        if unsure or not unexplained(holdings, wanted):
            return
        ended = Ended()
        self.place.take_surplus(grant, holdings, wanted, ended)
        given.warnings += [error.message for error in ended.errors]

    def _give_unit(self, grant: Grant, one: Wanted, given: Given) -> None:
        """Give one unit, or remember why not."""
        try:
            if one.refusal is not None:
                raise one.refusal
            self.place.give_unit(grant, one)
        except LeaseLost:
            raise
        except TargetError as error:
            given.errors[one.unit] = error

    def _logins(self, ending: Ending) -> list[AnyLogin]:
        """Return the logins of an ended grant, never one that a grant in force has."""
        held = {grant.login for grant in self.desired.holds if self.state.held(grant) is not None}
        return [login for login in self.state.of(ending.grant_id, ending.login) if login.name not in held]

    def _end_more(self) -> bool:
        """End what drains and has no session left, and logins of grants of which not one unit could be given.

        It is asked when the target was read again, after what drains was shut: no session can begin there any more. Say
        whether there was anything.
        """
        found = [one for one in self.state.to_end(self.desired) if drains(self.desired, one) and not _doors(one)]
        for grant in self.desired.holds:
            login, given = self.state.held(grant), self.given[grant.grant_id]
            failed = bool(grant.units) and given.errors.keys() >= set(grant.units)
            # A login that people use is not shut because the target could not be asked about it just now.
            if login is None or login.over or not failed or not (given.opened or not login.holdings):
                continue
            given.password = None
            found.append(login)
        for login in found:
            self.ended[login.name] = self.place.end(login)
        return bool(found)

    def _read_back(self) -> ReadBack:
        """Return the state as a proof."""
        ours: list[Found] = []
        for login in self.state.ours.values():
            should = self.wanted.get(login.grant_id, [])
            held = [one for one in should if one.held(login.holdings)]
            found = [one.unit for one in held]
            found += self.place.units(unexplained(login.holdings, held))
            found += [] if should else _open_doors(login)
            ours += [Found(unit, login.name, login.grant_id) for unit in found]
        standing = [
            Found(unit, login.name)
            for login in self.state.standing.values()
            for unit in self.place.units(login.holdings)
        ]
        sessions = sum(len(login.sessions) for login in self.state.ours.values())
        return ReadBack(self.state.read_at, tuple(ours), tuple(standing), sessions)

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
            error = error or _nothing_there(login)
            reports.append(UnitReport(one.unit, UnitOutcome.FAILED, error.report()))
        sealed = ""
        if given.password is not None:
            sealed = self.run.seal({"password": given.password.reveal()}, grant.grant_id)
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=grant.login if login is not None else "",
            sealed_credentials=sealed,
            details=self.place.details(grant) if login is not None and login.can_login else {},
            warnings=tuple(warnings),
        )

    def _gone(self, ending: Ending, dropped: bool) -> GrantReport:
        """Return the report on a grant that should be over."""
        logins = self._logins(ending)
        # The logins that were ended for it; those that are dropped by now included.
        names = sorted({ending.login, *(login.name for login in logins)})
        ended = [self.ended[name] for name in names if name in self.ended]
        left = {unit for login in logins for unit in self.place.units(login.holdings)}
        open_ = any(login.can_login or login.sessions or dropped for login in logins)
        go_on = 0 if dropped else _sessions_left(self.desired, logins)
        error = next((error for one in ended for error in one.errors), None)
        failure = error or NotPermitted("The target still has it after it was revoked.")
        reports = [
            UnitReport(unit, UnitOutcome.FAILED, failure.report())
            if unit in left or open_
            else UnitReport(unit, UnitOutcome.GONE)
            for unit in ending.units
        ]
        if go_on:
            reports, left = [UnitReport(unit, UnitOutcome.HELD) for unit in ending.units], set()
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
            sessions_left=go_on,
        )

    def _unnamed(self, login: AnyLogin) -> GrantReport:
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


def _open_doors(login: Login) -> list[Unit]:
    """Return what keeps an ended login from being shut: it can log in, or somebody is still in."""
    return [Unit("login", source_id(login.name), door) for door in _doors(login)]


def _doors(login: Login) -> list[str]:
    return [name for name, open_ in (("LOGIN", login.can_login), ("SESSION", bool(login.sessions))) if open_]


def _sessions_left(desired: Desired, logins: Sequence[Login]) -> int:
    """Return how many sessions of an ended grant may go on; none where a new one could begin."""
    if any(login.can_login or not drains(desired, login) for login in logins):
        return 0
    return sum(len(login.sessions) for login in logins)


def _nothing_there(login: Login | None) -> TargetError:
    """Return the error for a unit of which the target has nothing although nothing failed."""
    if login is None:
        return TargetMissing("The target does not have it.")
    if not login.can_login:
        return TargetMissing(f"The login {login.name} is shut.")
    return NotPermitted("The target does not have it, although nothing was refused.")
