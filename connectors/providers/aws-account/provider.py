"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

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
from connectors.toolkit import inventory

from . import checking, discovery, programs
from .account import Account, open_account
from .ending import Ended, end, remove
from .giving import Given, details, give, new_key
from .reading import Login, State, desired_of, read, read_back
from .wanting import Wanted, resolve


class AWSAccount:
    """One AWS account, in one region."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: they are the same in every account."""
        return inventory.resource_types(programs.FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield what there is, type after type."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with open_account(order, run) as at:
            return _Work(order, run, at, look=True).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with open_account(order, run) as at:
            return _Work(order, run, at).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the users of the grants that want it a new key."""
        with open_account(order, run) as at:
            return _Work(order, run, at).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a user lives as long as its grant, so there is no older key than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Delete the users of ended grants."""
        with open_account(order, run) as at:
            return _Work(order, run, at).clean_up()


class _Work:
    """One order about a person, under way. `look`: the resources that are asked for are looked at."""

    def __init__(self, order: Order, run: Run, at: Account, *, look: bool = False) -> None:
        self.order = order
        self.run = run
        self.at = at
        self.desired = desired_of(order)
        self.state: State = read(at, order)
        # What is to end needs no look: it ends also where what it was for is gone.
        self.wanted: dict[str, list[Wanted]] = {one.grant_id: _named(at, one) for one in self.desired.gone}
        self.look = look
        self.ended: dict[str, Ended] = {}
        self.given: dict[str, Given] = {}
        if not look:
            self.wanted |= {grant.grant_id: resolve(at, grant, look=False) for grant in self.desired.holds}

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        for login in self.state.to_end(self.desired):
            self._end(login)
        for grant in self.desired.holds:
            self._give(grant)
        self.state = read(self.at, self.order)
        if not self.order.dry_run and self._end_the_useless():
            self.state = read(self.at, self.order)
        return self.outcome()

    def reset(self) -> Outcome:
        """Make new keys."""
        for grant in self.desired.holds:
            if not grant.wants_credentials:
                continue
            given = self.given[grant.grant_id] = Given()
            login = self.state.held(grant)
            if login is None or login.shut(self.state.read_at):
                missing = TargetMissing(f"There is no open user {grant.login!r} of this grant.")
                given.errors = dict.fromkeys(grant.units, missing)
                continue
            try:
                given.key = new_key(self.at, login)
            except LeaseLost:
                raise
            except TargetError as error:
                given.errors = dict.fromkeys(grant.units, error)
        return self.outcome()

    def clean_up(self) -> Outcome:
        """End the users of `gone` once more, then delete them."""
        logins = {login.name: login for ending in self.desired.gone for login in self._logins(ending)}
        for login in logins.values():
            ended = self._end(login)
            if not ended.errors:
                ended.attempt(partial(remove, self.at, login))
        self._drop_loose()
        self.state = read(self.at, self.order)
        return self.outcome(removed=True)

    def outcome(self, *, removed: bool = False) -> Outcome:
        """Return what is, as AWS said last. `removed`: a user that is still there is a failure."""
        proof = read_back(self.state, self.wanted, [grant.grant_id for grant in self.desired.holds])
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending, removed) for ending in self.desired.gone]
        known = {login.name for ending in self.desired.gone for login in self._logins(ending)}
        known |= {grant.login for grant in self.desired.holds}
        grants += [
            self._unnamed(self.state.ours[name]) for name in self.ended if name in self.state.ours.keys() - known
        ]
        return Outcome(tuple(grants), proof)

    def _give(self, grant: Grant) -> None:
        """Give one grant; what is wrong with it stays its own."""
        try:
            self.wanted[grant.grant_id] = wanted = resolve(self.at, grant, look=True)
            self.given[grant.grant_id] = give(self.at, self.state, grant, wanted)
        except LeaseLost:
            raise
        except TargetError as error:
            self.wanted[grant.grant_id] = [Wanted(unit, error=error) for unit in grant.units]
            self.given[grant.grant_id] = Given(dict.fromkeys(grant.units, error))

    def _end(self, login: Login) -> Ended:
        """End one user."""
        units = [unit for one in self.desired.gone if one.login == login.name for unit in one.units]
        connected = any(unit.permission == "CONNECT" for unit in units)
        self.ended[login.name] = end(self.at, login, connected=connected)
        return self.ended[login.name]

    def _end_the_useless(self) -> bool:
        """End the users of grants of which not one unit is there, and delete loose policies; say if there were any."""
        useless = []
        for grant in self.desired.holds:
            login, units = self.state.held(grant), self.wanted[grant.grant_id]
            if login is not None and units and not login.over(self.state.read_at):
                held = any(login.holds(one, self.state.read_at) for one in units)
                failed = self.given[grant.grant_id].errors.keys() >= set(grant.units)
                useless += [login] if failed and not held and not login.pieces(self.state.read_at) else []
        for login in useless:
            self._end(login)
            for given in (self.given[grant.grant_id] for grant in self.desired.holds if grant.login == login.name):
                given.key = None
        return self._drop_loose() or bool(useless)

    def _drop_loose(self) -> bool:
        """Delete managed policies of this person that no user has; say whether there were any."""
        for arn in self.state.loose:
            Ended().attempt(partial(self.at.cloud.change, programs.DROP_POLICY, policy=arn))
        return bool(self.state.loose)

    def _logins(self, ending: Ending) -> list[Login]:
        """Return the users of an ended grant, never one that a grant in force has."""
        held = {grant.login for grant in self.desired.holds if self.state.held(grant) is not None}
        return [login for login in self.state.of(ending.grant_id, ending.login) if login.name not in held]

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        given, login, now = self.given.get(grant.grant_id, Given()), self.state.held(grant), self.state.read_at
        warnings, reports = list(given.warnings), []
        for one in self.wanted[grant.grant_id]:
            error = given.errors.get(one.unit, one.error)
            if login is not None and login.holds(one, now):
                reports.append(UnitReport(one.unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                continue
            error = error or TargetMissing("AWS does not have it." if login is None else "The user does not have it.")
            reports.append(UnitReport(one.unit, UnitOutcome.FAILED, error.report()))
        sealed = ""
        if given.key is not None:
            opened = {"access_key_id": given.key[0], "secret_access_key": given.key[1].reveal()}
            sealed = self.run.seal(opened, grant.grant_id)
        is_open = login is not None and not login.shut(now)
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=login.name if login is not None else "",
            sealed_credentials=sealed,
            details=details(self.at, grant) if is_open else {},
            warnings=tuple(warnings),
        )

    def _gone(self, ending: Ending, removed: bool) -> GrantReport:
        """Return the report on a grant that should be over."""
        logins, now = self._logins(ending), self.state.read_at
        ended = [self.ended[name] for name in sorted({ending.login, *(one.name for one in logins)} & self.ended.keys())]
        error = next((error for one in ended for error in one.errors), None)
        left = any(not login.over(now) or removed for login in logins)
        failure = error or NotPermitted("AWS still has it after it was taken.")
        reports = [
            UnitReport(unit, UnitOutcome.FAILED if left else UnitOutcome.GONE, failure.report() if left else None)
            for unit in ending.units
        ]
        warnings = [error.message for one in ended for error in one.errors]
        warnings += [
            f"Sessions of {unit.resource} that were begun before the end last until they run out by themselves."
            for unit in ending.units
            if unit.resource_type == "iam-role" and ended
        ]
        return GrantReport(
            ending.grant_id,
            tuple(reports),
            login=ending.login,
            sessions_ended=sum(one.sessions for one in ended),
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _unnamed(self, login: Login) -> GrantReport:
        """Return the report on a user of ours that the order did not name, and that was ended therefore."""
        words = (
            f"The user {login.name} is marked as ours, but the server does not know its grant as held: it was ended."
        )
        errors = (error.message for error in self.ended[login.name].errors)
        return GrantReport(login.grant_id, (), login=login.name, warnings=(words, *errors))


def _named(at: Account, ending: Ending) -> list[Wanted]:
    """Return the units of an ended grant."""
    return resolve(at, Grant(ending.grant_id, ending.login, ending.units, 0.0), look=False)


PROVIDER = AWSAccount()
