"""The verbs about a person, by the event contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from math import isinf
from typing import Any

from connectors.contract.errors import LeaseLost, Refused, TargetError, Unreachable
from connectors.contract.orders import Ending, Found, Grant, GrantReport, Order, ReadBack, Unit, UnitOutcome, UnitReport
from connectors.contract.provider import Outcome, Run
from connectors.toolkit.event_contract import Access, Contract, Entry, person, read_access, secrets_of
from connectors.toolkit.events import Function

# Resources in one event.
AT_ONCE = 500


class Work:
    """One order about a person, under way."""

    def __init__(self, function: Function, contract: Contract, order: Order, run: Run) -> None:
        """Ask what is there."""
        assert order.desired is not None
        self._function, self._contract, self._order, self._run = function, contract, order, run
        self._desired = order.desired
        self._person = person(order.desired)
        self._held = {Entry(one.login, one.grant_id, unit) for one in order.desired.holds for unit in one.units}
        self._access = self._read()
        self._errors: dict[Entry, TargetError] = {}
        self._failed: dict[str, TargetError] = {}
        self._secrets: dict[str, dict[str, str]] = {}
        self._warnings: dict[str, list[str]] = defaultdict(list)

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        self._end()
        for grant in self._desired.holds:
            self._give(grant)
        return self._again()

    def reset(self) -> Outcome:
        """Make new credentials for the grants that want them and have a user."""
        for grant in self._desired.holds:
            if grant.wants_credentials and self._access.users.get(grant.login) == grant.grant_id:
                self._attempt_credentials(grant, self._contract.reset_credentials)
        return self._again()

    def clean_up(self) -> Outcome:
        """End once more, then remove the users of ended grants."""
        self._end()
        kept = {grant.login for grant in self._desired.holds}
        over = {ending.grant_id for ending in self._desired.gone}
        named = {ending.login: ending.grant_id for ending in self._desired.gone}
        named |= {name: grant_id for name, grant_id in self._access.users.items() if grant_id in over}
        for username, grant_id in named.items():
            if username in self._access.users and username not in kept:
                self._attempt_drop(username, grant_id)
        return self._again(dropped=True)

    def outcome(self, *, dropped: bool = False) -> Outcome:
        """Return what is, as the function said last. `dropped`: a user that is still there is a failure."""
        ours = [Found(one.unit, one.username, one.grant_id) for one in self._access.listed() if one.grant_id]
        standing = [Found(one.unit, one.username) for one in self._access.listed() if not one.grant_id]
        proof = ReadBack(self._access.read_at, tuple(ours), tuple(standing))
        if self._order.dry_run:
            return Outcome((), proof)
        grants = [self._report_held(grant) for grant in self._desired.holds]
        grants += [self._report_gone(ending, dropped) for ending in self._desired.gone]
        for grant_id in self._warnings.keys() - self._named():
            grants.append(GrantReport(grant_id, (), warnings=tuple(self._warnings[grant_id])))
        return Outcome(tuple(grants), proof)

    def _read(self) -> Access:
        """Ask the function what is there."""
        return read_access(self._function, self._contract, self._desired)

    def _again(self, *, dropped: bool = False) -> Outcome:
        """Ask once more, and return that."""
        if not self._order.dry_run:
            self._access = self._read()
        return self.outcome(dropped=dropped)

    def _named(self) -> set[str]:
        """Return the grants that the order names."""
        return {grant.grant_id for grant in self._desired.holds} | {one.grant_id for one in self._desired.gone}

    def _end(self) -> None:
        """Take what is ours and not held: also what the function does not show, where the order says it was given."""
        gone = {Entry(one.login, one.grant_id, unit) for one in self._desired.gone for unit in one.units}
        found = {one for one in self._access.entries if one.grant_id}
        for entry in found:
            if entry.grant_id not in self._named():
                words = f"{entry.username} has access by a grant that the server does not know as held: it was ended."
                self._warnings[entry.grant_id] = [words]
        for group in _groups((gone | found) - self._held):
            self._attempt_change(group, ending=True)

    def _give(self, grant: Grant) -> None:
        """Make the user of a grant, and give what is missing."""
        there = self._access.users.get(grant.login)
        if grant.login in self._access.details and there != grant.grant_id:
            self._failed[grant.grant_id] = Refused(
                f"There is a user {grant.login!r} that was not made for this grant. It is not taken over.",
                fix="Remove or rename that user, or ask again: a new grant gets a new name.",
            )
            return
        if there is None or grant.wants_credentials:
            program = self._contract.create_credentials if there is None else self._contract.reset_credentials
            if not self._attempt_credentials(grant, program):
                return
            if not grant.wants_credentials and self._secrets.pop(grant.grant_id, {}):
                words = f"The user {grant.login} was gone and was made again: its old credentials no longer work."
                self._warnings[grant.grant_id].append(words)
        wanted = {Entry(grant.login, grant.grant_id, unit) for unit in grant.units}
        for group in _groups(wanted - self._access.entries):
            self._attempt_change(group, ends_at=grant.ends_at)

    def _attempt_change(self, group: list[Entry], *, ending: bool = False, ends_at: float = 0.0) -> None:
        """Give or take a group of entries that differ in their resources only; remember why not."""
        first = group[0]
        values: dict[str, Any] = {
            "grant_id": first.grant_id,
            "username": first.username,
            "resource_type": first.unit.resource_type,
            "resources": [entry.unit.resource for entry in group],
            "permission": first.unit.permission,
        }
        try:
            if ending:
                self._function.change(self._contract.revoke_access, **values)
            else:
                values |= {"person": self._person, "ends_at": _moment(ends_at)}
                self._function.change(self._contract.grant_access, **values)
        except LeaseLost:
            raise
        except TargetError as error:
            self._errors |= dict.fromkeys(group, error)

    def _attempt_credentials(self, grant: Grant, program: Any) -> bool:
        """Make credentials; say whether that went well."""
        first = grant.units[0] if grant.units else Unit("", "", "")
        values: dict[str, Any] = {
            "grant_id": grant.grant_id,
            "username": grant.login,
            "person": self._person,
            "resource_type": first.resource_type,
            "resources": [unit.resource for unit in grant.units if unit.resource_type == first.resource_type],
        }
        try:
            made = secrets_of(self._function.change(program, **values))
        except LeaseLost:
            raise
        except TargetError as error:
            self._failed[grant.grant_id] = error
            return False
        if made:
            self._secrets[grant.grant_id] = made
        return True

    def _attempt_drop(self, username: str, grant_id: str) -> None:
        """Remove a user; remember why not."""
        try:
            self._function.change(
                self._contract.drop_credentials, grant_id=grant_id, username=username, resource_type="", resources=[]
            )
        except LeaseLost:
            raise
        except TargetError as error:
            self._failed[grant_id] = error

    def _report_held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        reports = []
        for unit in grant.units:
            entry = Entry(grant.login, grant.grant_id, unit)
            error = self._failed.get(grant.grant_id) or self._errors.get(entry)
            if entry in self._access.entries and grant.grant_id not in self._failed:
                reports.append(UnitReport(unit, UnitOutcome.HELD))
                continue
            error = error or Unreachable("The function said yes, and does not show it.", fix="It is tried again.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        made = self._secrets.get(grant.grant_id)
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=grant.login,
            sealed_credentials=self._run.seal(made, grant.grant_id) if made else "",
            details={"username": grant.login, **self._access.details.get(grant.login, {})},
            warnings=tuple(self._warnings.get(grant.grant_id, ())),
        )

    def _report_gone(self, ending: Ending, dropped: bool) -> GrantReport:
        """Return the report on a grant that should be over."""
        left = {one.unit for one in self._access.entries if one.grant_id == ending.grant_id}
        kept = dropped and ending.grant_id in self._access.users.values()
        reports = []
        for unit in ending.units:
            if unit not in left and not kept:
                reports.append(UnitReport(unit, UnitOutcome.GONE))
                continue
            error = self._errors.get(Entry(ending.login, ending.grant_id, unit)) or self._failed.get(ending.grant_id)
            error = error or Unreachable("The function still shows it.", fix="It is tried again.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        warnings = [f"It still shows {one.permission} on {one.resource}." for one in left - set(ending.units)]
        return GrantReport(ending.grant_id, tuple(reports), login=ending.login, warnings=tuple(sorted(warnings)))


def _groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return entries in groups that differ in their resources only, none too large for one event."""
    groups: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for one in sorted(entries, key=repr):
        groups[one.username, one.grant_id, one.unit.resource_type, one.unit.permission].append(one)
    return [group[at : at + AT_ONCE] for group in groups.values() for at in range(0, len(group), AT_ONCE)]


def _moment(seconds: float) -> str | None:
    """Return when a grant ends, or None for never."""
    return None if isinf(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
