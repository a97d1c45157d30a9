"""The verbs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.contract.errors import LeaseLost, Misconfigured, NotPermitted, Refused, TargetError, TargetMissing
from connectors.contract.orders import (
    Desired,
    Ending,
    Finding,
    Found,
    Grant,
    GrantReport,
    Order,
    Page,
    ReadBack,
    ResourceTypeFact,
    Unit,
    UnitOutcome,
    UnitReport,
)
from connectors.contract.provider import Outcome, Run

from . import checking, discovery, programs
from .assigning import Change, Flight
from .center import HOUR, Center, find_user, open_center
from .discovery import ACCOUNT, account_refusal

ID = re.compile(r"[0-9]{12}")
PERMISSION_SET = re.compile(r"arn:aws[a-z-]*:sso:::[A-Za-z]+/[A-Za-z0-9.-]+/ps-[A-Za-z0-9./-]+")


class AWSOrganization:
    """The accounts of one AWS organization."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the one resource type, with the permission sets that there are as its permissions."""
        return discovery.resource_types(order, run)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the accounts, unit after unit."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with open_center(order, run) as at:
            return _Work(order, run, at).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person is assigned."""
        with open_center(order, run) as at:
            return _Work(order, run, at).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Make nothing: people sign in with their own account. Read what the person is assigned."""
        return self.read_back(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Make nothing: there are no credentials of ours."""
        return self.read_back(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """End once more: nothing of ours stays behind an assignment."""
        return self.apply(order, run)


@dataclass(slots=True)
class _State:
    """What Identity Center says of a person. `direct` is assigned to the user, `inherited` through groups."""

    read_at: float = 0.0
    direct: frozenset[Unit] = frozenset()
    inherited: frozenset[Unit] = frozenset()


@dataclass(slots=True)
class _Work:
    """One order about a person, under way."""

    order: Order
    run: Run
    at: Center
    user: str = ""
    name: str = ""
    lost: TargetError | None = None
    state: _State = field(default_factory=_State)
    standing: frozenset[Unit] = frozenset()
    errors: dict[Unit, TargetError] = field(default_factory=dict)
    taken: set[Unit] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Find the person, and what was standing before anything was given."""
        wanted = self._held_units | self._gone_units
        try:
            self.user, self.name = find_user(self.at, self.desired.person)
        except (TargetMissing, Misconfigured, NotPermitted) as error:
            self.lost = error
            self.state.read_at = self.at.cloud.now
            return
        self.state = self._read()
        self.standing = self.run.baseline(self.state.direct, sorted(wanted, key=repr))

    @property
    def desired(self) -> Desired:
        """Return what the order wants; the runner has seen to it that there is something."""
        assert self.order.desired is not None
        return self.order.desired

    @property
    def _held_units(self) -> set[Unit]:
        return {unit for grant in self.desired.holds for unit in grant.units}

    @property
    def _gone_units(self) -> set[Unit]:
        return {unit for ending in self.desired.gone for unit in ending.units}

    def apply(self) -> Outcome:
        """Take first: what is to be taken away is taken away whatever happens to the rest."""
        if self.lost is not None:
            return self.outcome()
        self.taken = (self._gone_units - self._held_units - self.standing) & self.state.direct
        missing = self._held_units - self.state.direct
        for changes in (
            [Change(unit, gives=False) for unit in sorted(self.taken, key=repr)],
            [Change(unit, gives=True) for unit in sorted(missing, key=repr) if self._may_be_given(unit)],
        ):
            flight = Flight(self.at, self.user, self.errors)
            flight.carry_out(changes)
        self.state = self._read()
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return what is, as Identity Center said last."""
        proof = self._proof()
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds] + [self._gone(one) for one in self.desired.gone]
        return Outcome(tuple(grants), proof)

    def _read(self) -> _State:
        """Read the person's assignments."""
        direct: set[Unit] = set()
        inherited: set[Unit] = set()
        for page in self.at.cloud.pages(programs.ASSIGNMENTS, instance=self.at.instance, user=self.user):
            for row in page["AccountAssignments"]:
                unit = Unit(ACCOUNT, row["AccountId"], row["PermissionSetArn"])
                (direct if row["PrincipalId"] == self.user else inherited).add(unit)
        return _State(self.at.cloud.now, frozenset(direct), frozenset(inherited))

    def _may_be_given(self, unit: Unit) -> bool:
        """Say whether a unit can be given; if not, remember why."""
        try:
            if unit.resource_type != ACCOUNT or not ID.fullmatch(unit.resource):
                raise Misconfigured(f"An organization has no {unit.resource_type} {unit.resource!r}.")
            if not PERMISSION_SET.fullmatch(unit.permission):
                raise Misconfigured(f"{unit.permission!r} is no ARN of a permission set.")
            reason = account_refusal(self.at, unit.resource) or self.at.permission_set(unit.permission).refusal
            if reason:
                raise Refused(reason, fix="See Set-up in the README of this integration.")
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[unit] = error
            return False
        return True

    def _proof(self) -> ReadBack:
        """Return the state as a proof."""
        holders = {unit: grant.grant_id for grant in self.desired.holds for unit in grant.units}
        enders = {unit: ending.grant_id for ending in self.desired.gone for unit in ending.units}
        ours = tuple(
            Found(unit, self.name, holders.get(unit) or enders[unit])
            for unit in sorted(self.state.direct - self.standing, key=repr)
            if unit in holders or unit in enders
        )
        other = self.state.direct - {one.unit for one in ours} | self.state.inherited
        standing = tuple(Found(unit, self.name) for unit in sorted(other, key=repr))
        return ReadBack(read_at=self.state.read_at, ours=ours, standing=standing)

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        reports = []
        for unit in grant.units:
            if unit in self.state.direct:
                reports.append(UnitReport(unit, UnitOutcome.HELD))
                continue
            error = self.lost or self.errors.get(unit) or TargetMissing("Identity Center does not have it.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        held = [unit for unit in grant.units if unit in self.state.direct]
        return GrantReport(grant.grant_id, tuple(reports), details=self._details(held) if held else {})

    def _gone(self, ending: Ending) -> GrantReport:
        """Return the report on a grant that should be over. Without a user there is nothing to take."""
        reports, warnings = [], []
        unknown = self.lost if not isinstance(self.lost, TargetMissing) else None
        for unit in ending.units:
            needed = unit in self._held_units or unit in self.standing
            left = unit in self.state.direct and not needed
            if not left and unknown is None:
                reports.append(UnitReport(unit, UnitOutcome.GONE))
            else:
                error = unknown or self.errors.get(unit) or NotPermitted("Identity Center still has it.")
                reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
            if unit in self.standing & self.state.direct:
                warnings.append(f"{self.name} had {unit.permission} in {unit.resource} before, so it stays.")
            if unit in self.taken and not left:
                warnings.append(self._sessions(unit))
        return GrantReport(ending.grant_id, tuple(reports), warnings=tuple(warnings))

    def _sessions(self, unit: Unit) -> str:
        """Return what an admin has to know about sessions that are open."""
        try:
            found = self.at.permission_set(unit.permission)
        except LeaseLost:
            raise
        except TargetError:
            return f"Sessions in {unit.resource} that were begun before the end last until they run out."
        return (
            f"Sessions in {unit.resource} with {found.name} that were begun before the end last up to"
            f" {found.session / HOUR:g} h more: AWS ends none of them."
        )

    def _details(self, held: list[Unit]) -> dict[str, Any]:
        """Return how to sign in."""
        portal, region = self.at.portal(), str(self.at.config.get("region") or self.at.cloud.region)
        links, profiles, names = [], [], []
        for unit in held:
            role = self.at.permission_set(unit.permission).name
            names.append(f"{role}-{unit.resource}")
            links.append(f"{portal}/#/console?account_id={unit.resource}&role_name={quote(role, safe='')}")
            profiles.append(
                f"[profile {names[-1]}]\nsso_start_url = {portal}\nsso_region = {self.at.cloud.region}\n"
                f"sso_account_id = {unit.resource}\nsso_role_name = {role}\nregion = {region}\n"
            )
        return {
            "username": self.name,
            "portal": portal,
            "uri": links[0],
            "links": links,
            "profile": "\n".join(profiles),
            "command": f"aws sso login --profile {names[0]}",
        }


PROVIDER = AWSOrganization()
