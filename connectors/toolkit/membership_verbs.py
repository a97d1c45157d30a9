"""The verbs about a person, for directories in which a grant is a membership: one order, under way."""

from __future__ import annotations

from functools import partial

from connectors.contract.errors import NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Ending, Grant, GrantReport, Order, UnitOutcome, UnitReport
from connectors.contract.provider import Outcome, Run
from connectors.toolkit.membership_changes import Changes, drop, give, revoke
from connectors.toolkit.membership_state import State, read
from connectors.toolkit.memberships import GROUP, Directory, Record, marker, refusal


class Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, directory: Directory) -> None:
        """Read what is. The configuration's `account_attribute` names the attribute of people with their account."""
        assert order.desired is not None  # the runner has seen to it
        self.order = order
        self.run = run
        self.directory = directory
        self.desired = order.desired
        self.held = {unit for grant in self.desired.holds for unit in grant.units}
        self.state: State = self._read()
        self.changes = Changes()
        # What the person had before; without an answer, all that they have and we did not give.
        self.standing = self.state.not_ours()
        self.ended: list[Record] = []

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        self._end([one for one in self.state.records if not self._wanted(one)])
        self._ask_what_was_standing()
        self._give()
        if not self.order.dry_run:
            self.state = self._read()
        return self.outcome()

    def clean_up(self) -> Outcome:
        """End the records of ended grants once more."""
        gone = {ending.grant_id for ending in self.desired.gone} - {grant.grant_id for grant in self.desired.holds}
        self._end([one for one in self.state.records if one.grant_id in gone])
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return what is, as the directory said last."""
        proof = self.state.read_back()
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending) for ending in self.desired.gone]
        named = {grant.grant_id for grant in self.desired.holds} | {one.grant_id for one in self.desired.gone}
        unnamed = dict.fromkeys(one.grant_id for one in self.ended if one.grant_id not in named)
        return Outcome((*grants, *map(self._unnamed, unnamed)), proof)

    def _read(self) -> State:
        """Ask the directory."""
        attribute = str(self.order.config.get("account_attribute") or "")
        return read(self.directory, self.order.integration_id, self.desired.person, attribute)

    def _wanted(self, one: Record) -> bool:
        """Say whether a record belongs to a grant in force. While it cannot be told whose the account is, it does."""
        holds = any(
            grant.grant_id == one.grant_id and any(unit.resource == one.group for unit in grant.units)
            for grant in self.desired.holds
        )
        return holds and (self.state.account is None or self.state.account.guid == one.account)

    def _ask_what_was_standing(self) -> None:
        """Let the server remember what the person had before; our records say what is ours."""
        if self.order.dry_run or self.state.account is None:
            return
        wanted = self.held | {unit for ending in self.desired.gone for unit in ending.units}
        self.standing = self.run.baseline(self.state.not_ours(), wanted)

    def _end(self, stale: list[Record]) -> None:
        """Take memberships, look whether they are gone, and only then forget them."""
        if not stale:
            return
        self.ended += stale
        revoke(self.state, stale, self.changes)
        if not self.order.dry_run:
            self.state = self._read()
        drop(self.state, stale, self.changes, unseen=self.order.dry_run)
        if not self.order.dry_run:
            self.state = self._read()

    def _give(self) -> None:
        """Give what should be held, group by group."""
        marked = marker(self.order.integration_id, self.desired.person)
        for unit in sorted(self.held, key=lambda one: one.resource):
            if refusal(unit) is None:
                grants = [grant for grant in self.desired.holds if unit in grant.units]
                ours = unit not in self.standing
                step = partial(give, self.state, marked, unit.resource, grants, self.changes, take_over=ours)
                self.changes.attempt(unit.resource, step)

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        holder = self.state.account
        links = {one.group for one in self.state.records if self.state.is_member(*one.link) and self._wanted(one)}
        if holder is not None:
            links |= self.state.groups[holder.guid]
        reports, warnings = [], []
        for unit in grant.units:
            error = refusal(unit) or self.changes.errors.get(unit.resource)
            if refusal(unit) is None and unit.resource in links:
                reports.append(UnitReport(unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                continue
            error = error or self.state.problem or TargetMissing("The directory does not have this membership.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        if holder is not None and holder.disabled:
            warnings.append(f"The account {holder.name} is disabled: the membership opens nothing until it is enabled.")
        if holder is None and self.state.problem is not None:
            warnings.append(self.state.problem.message)
        return GrantReport(grant.grant_id, tuple(reports), details=self._details(grant), warnings=tuple(warnings))

    def _details(self, grant: Grant) -> dict[str, str]:
        """Return what the person has to know: who they are there, and how the membership begins to count."""
        if self.state.account is None:
            return {}
        names = sorted({self.changes.names.get(unit.resource, unit.resource) for unit in grant.units})
        return {
            "domain": self.directory.domain,
            "username": self.state.account.sign_in or self.state.account.name,
            "groups": ", ".join(names),
            "command": "klist purge",
            "note": "Windows looks at memberships when you sign in: sign out and in, or purge your tickets.",
        }

    def _gone(self, ending: Ending) -> GrantReport:
        """Return the report on a grant that should be over."""
        left = {one.group for one in self.state.records if one.grant_id == ending.grant_id and not self._wanted(one)}
        reports = []
        for unit in ending.units:
            error = self.changes.errors.get(unit.resource)
            if unit.resource_type == GROUP and unit.resource in left:
                failure = error or NotPermitted("The directory still has this membership after it was taken.")
                reports.append(UnitReport(unit, UnitOutcome.FAILED, failure.report()))
                continue
            reports.append(UnitReport(unit, UnitOutcome.GONE))
        named = {unit.resource for unit in ending.units}
        warnings = [f"Our record of {group} is left: {self._why(group)}" for group in sorted(left - named)]
        return GrantReport(ending.grant_id, tuple(reports), warnings=tuple(warnings))

    def _why(self, group: str) -> str:
        """Return why something is left."""
        error: TargetError | None = self.changes.errors.get(group)
        return error.message if error is not None else "it was not taken."

    def _unnamed(self, grant_id: str) -> GrantReport:
        """Return the report on memberships of ours that the order did not name, and that were ended therefore."""
        groups = sorted({one.group for one in self.ended if one.grant_id == grant_id})
        left = {one.group for one in self.state.records if one.grant_id == grant_id}
        words = [
            f"Our record of {group} belongs to a grant that the server does not hold: "
            + (self._why(group) if group in left else "the membership was ended.")
            for group in groups
        ]
        return GrantReport(grant_id, (), warnings=tuple(words))
