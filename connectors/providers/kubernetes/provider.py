"""The verbs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.contract.errors import NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import (
    Ending,
    Finding,
    Grant,
    GrantReport,
    Order,
    Page,
    ResourceTypeFact,
    Unit,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run
from connectors.providers.kubernetes import checking, discovery, showing
from connectors.providers.kubernetes.accounts import Giving, ends_at
from connectors.providers.kubernetes.deciding import Question, not_yet_allowed
from connectors.providers.kubernetes.ending import Ended, end
from connectors.providers.kubernetes.giving import Given, give
from connectors.providers.kubernetes.names import Subject, moment
from connectors.providers.kubernetes.programs import FOLDER
from connectors.providers.kubernetes.reading import State, desired_of, read, read_back
from connectors.providers.kubernetes.server import Target, target, told
from connectors.providers.kubernetes.wanting import resolve
from connectors.toolkit import inventory

NO_RESET = "there are no credentials of ours to reset."


class Kubernetes:
    """Kubernetes 1.20 and later, with RBAC."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: here, they are the same in every cluster."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the cluster, namespaces, roles and cluster roles."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with target(order, run) as at:
            return _Work(order, run, at).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with target(order, run) as at:
            return _Work(order, run, at).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the grants that want it a new account with a new token; the old one ends."""
        with target(order, run) as at:
            return _Work(order, run, at).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: an account lives as long as its grant, so there is no older token than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """End the grants in `gone` once more: nothing is kept for later, so there is nothing else to remove."""
        with target(order, run) as at:
            return _Work(order, run, at).clean_up()


class _Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, at: Target) -> None:
        self.order = order
        self.run = run
        self.at = at
        self.desired = desired_of(order)
        self.wanted = resolve(at, self.desired.holds)
        self.state: State = read(at, order)
        self.ended: dict[str, Ended] = {}
        self.given: dict[str, Given] = {}

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        held = {grant.grant_id for grant in self.desired.holds}
        self._end(self.state.grants() - held)
        self._give(self.desired.holds)
        return self.outcome()

    def reset(self) -> Outcome:
        """Make new credentials for what there is; a grant that is not there is not made here."""
        wanting = [grant for grant in self.desired.holds if grant.wants_credentials]
        there = self.state.grants()
        self._give([grant for grant in wanting if grant.grant_id in there])
        for grant in wanting:
            if self.at.users and grant.grant_id in there:
                self.given[grant.grant_id].warnings.append(
                    f"{self.desired.person.name} signs in by themselves: {NO_RESET}"
                )
            if grant.grant_id not in there:
                missing = TargetMissing(f"There is nothing of the grant of {grant.login!r} in the cluster.")
                self.given[grant.grant_id] = Given(dict.fromkeys(grant.units, missing))
        return self.outcome()

    def clean_up(self) -> Outcome:
        """End what is gone once more."""
        held = {grant.grant_id for grant in self.desired.holds}
        self._end({ending.grant_id for ending in self.desired.gone} - held)
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return what is, as the cluster said last."""
        proof = read_back(self.at, self.state, self.desired, self.wanted)
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        grants += [self._gone(ending) for ending in self.desired.gone]
        named = {one.grant_id for one in grants}
        grants += [self._unnamed(grant_id) for grant_id in sorted(self.ended.keys() - named)]
        return Outcome(tuple(grants), proof)

    def _end(self, grant_ids: Iterable[str]) -> None:
        """End these grants and read again."""
        for grant_id in sorted(grant_ids):
            bindings, accounts = self.state.bindings_of(grant_id), self.state.accounts_of(grant_id)
            ended = self.ended[grant_id] = end(self.at, bindings, accounts)
            ours = {Subject("ServiceAccount", one.name, self.at.namespace) for one in accounts}
            ended.warnings += [
                f"{one.words()} gives {one.ref.words()} to an account of ours and was made by somebody else: delete it."
                for one in self.state.foreign
                if ours & set(one.subjects)
            ]
        if self.ended and not self.order.dry_run:
            self.state = read(self.at, self.order)

    def _give(self, grants: Iterable[Grant]) -> None:
        """Give these grants, read again, and wait until the API server says so too."""
        for grant in grants:
            wanted = self.wanted[grant.grant_id]
            giving = Giving(grant, self.order.integration_id, self.desired.person, moment(grant.ends_at))
            self.given[grant.grant_id] = give(self.at, self.state, giving, wanted)
        if not self.given or self.order.dry_run:
            return
        self.state = read(self.at, self.order)
        asked: dict[Question, Given] = {}
        for grant_id, given in self.given.items():
            for one in self.wanted[grant_id]:
                found = self.state.held(self.at, self.desired, grant_id, one)
                if found is not None:
                    asked[Question(found.subject, found.binding.ref, found.binding.words())] = given
        for question, reason in not_yet_allowed(self.at, asked).items():
            words = f"The API server does not let {question.subject.user} do what {question.ref.words()} allows"
            asked[question].warnings.append(f"{words}: {reason or 'it gives no reason'}.")

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        given = self.given.get(grant.grant_id, Given())
        warnings, reports = list(given.warnings), []
        subject: Subject | None = None
        for one in self.wanted[grant.grant_id]:
            error = given.errors.get(one.unit, one.error)
            found = self.state.held(self.at, self.desired, grant.grant_id, one)
            if found is not None:
                subject = found.subject
                reports.append(UnitReport(one.unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                continue
            error = error or TargetMissing("The cluster does not have it.")
            reports.append(UnitReport(one.unit, UnitOutcome.FAILED, error.report()))
        sealed = ""
        if subject is not None and given.made.token is not None:
            secrets = showing.credentials(self.at, grant, subject, given.made.token)
            sealed = self.run.seal(secrets, grant.grant_id)
        shown = {} if subject is None else showing.details(self.at, grant, subject, ends_at(self.state, grant))
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            login=grant.login if subject is not None else "",
            sealed_credentials=sealed,
            details=shown,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _gone(self, ending: Ending) -> GrantReport:
        """Return the report on a grant that should be over."""
        ended = self.ended.get(ending.grant_id, Ended())
        left = self.state.bindings_of(ending.grant_id)
        open_ = bool(self.state.accounts_of(ending.grant_id))
        reports = []
        for unit in ending.units:
            failure = ended.failed.get(unit)
            if failure is None and (open_ or any(one.unit == unit for one in left)):
                failure = next(iter(ended.errors), NotPermitted("The cluster still has it after it was revoked."))
            outcome = UnitOutcome.GONE if failure is None else UnitOutcome.FAILED
            reports.append(UnitReport(unit, outcome, failure.report() if failure is not None else None))
        other: set[Unit] = {one.unit for one in left} - set(ending.units)
        warnings = [*ended.warnings, *(error.message for error in ended.errors)]
        warnings += [f"{one.permission} on {one.resource} is still there: delete its binding by hand." for one in other]
        return GrantReport(ending.grant_id, tuple(reports), login=ending.login, warnings=tuple(dict.fromkeys(warnings)))

    def _unnamed(self, grant_id: str) -> GrantReport:
        """Return the report on what bore our marks, but which the order did not name, and that was ended therefore."""
        ended = self.ended[grant_id]
        words = f"The server does not know the grant {grant_id} as held, but the cluster had it: it was ended."
        errors: list[TargetError] = [*map(told, ended.errors), *ended.failed.values()]
        return GrantReport(grant_id, (), warnings=(words, *ended.warnings, *(error.message for error in errors)))


PROVIDER = Kubernetes()
