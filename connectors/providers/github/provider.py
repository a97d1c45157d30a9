"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing, Unreachable
from connectors.contract.orders import (
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
from connectors.providers.github import checking, discovery
from connectors.providers.github.changing import Wanted, change, surplus
from connectors.providers.github.names import Thing
from connectors.providers.github.programs import FOLDER
from connectors.providers.github.reading import Holding, State, doubt, read
from connectors.providers.github.server import Target, account, target
from connectors.toolkit import inventory


class GitHub:
    """GitHub.com and GitHub Enterprise Server."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the token, and say what it lacks or has too much of."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the organization, its roles, teams and repositories."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with target(order, run) as at:
            return _Work(order, run, at).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person's account has."""
        with target(order, run) as at:
            return _Work(order, run, at).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Make none: people sign in to GitHub with what is theirs. Read what the account has."""
        return self.read_back(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same."""
        return self.read_back(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Remove nothing: beside access, which has ended, we made nothing. Read what the account has."""
        with target(order, run) as at:
            return _Work(order, run, at).over()


class _Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, at: Target) -> None:
        assert order.desired is not None
        self.order, self.run, self.at = order, run, at
        self.desired = order.desired
        self.wanted = Wanted.of(self.desired, at.organization)
        self.login = account(order, self.desired.person, at)
        self.state = self._read()
        self.standing: dict[Thing, int] | None = None
        self.errors: dict[Thing, TargetError] = {}

    def apply(self) -> Outcome:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        self._remember()
        for thing, share in self.wanted.shares.items():
            holding = self.state.holdings[thing]
            if surplus(holding, share, self._standing(thing), self.state):
                self._change(holding, max(self._standing(thing), share.held))
        # Ownership last: to whom is an owner already, GitHub gives no role of their own in a repository.
        for thing, share in sorted(self.wanted.shares.items(), key=lambda one: one[0].resource_type == "organization"):
            holding = self.state.holdings[thing]
            if share.held > holding.level or (share.held and not holding.works):
                self._change(holding, share.held)
        if not self.order.dry_run:
            self.state = self._read()
        return self.outcome()

    def over(self) -> Outcome:
        """Return what is, after everything has ended: it is the person's own.

        What was standing is forgotten by now, so it is not asked about: the answer would be kept, and be old one day.
        """
        self.standing = {thing: holding.level for thing, holding in self.state.holdings.items()}
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return what is, as GitHub said last."""
        if self.standing is None:
            self._remember(known_only=True)
        proof = ReadBack(self.state.read_at, tuple(self._ours()), tuple(self._beside()))
        if self.order.dry_run:
            return Outcome((), proof)
        grants = [self._held(grant) for grant in self.desired.holds]
        return Outcome((*grants, *(self._gone(ending) for ending in self.desired.gone)), proof)

    def _read(self) -> State:
        """Ask GitHub; where the order ends something, "is not there" has to be certain."""
        state = read(self.at, self.login, self.wanted.shares)
        if self.desired.gone:
            doubt(self.at, state)
        return state

    def _remember(self, *, known_only: bool = False) -> None:
        """Ask which levels are standing. What cannot be read now is not asked about, and so not changed either."""
        present: list[Unit] = []
        asked: list[Unit] = []
        if not known_only and not self.order.dry_run:
            for thing, holding in self.state.holdings.items():
                if holding.error is None:
                    asked += thing.units()
                    present += thing.units(holding.level)
        standing = self.run.baseline(present, asked)
        self.standing = {
            thing: max((number for number, unit in enumerate(thing.units(), 1) if unit in standing), default=0)
            for thing in self.wanted.shares
        }

    def _standing(self, thing: Thing) -> int:
        """Return the level that the account had before us."""
        return (self.standing or {}).get(thing, 0)

    def _change(self, holding: Holding, level: int) -> None:
        """Change one thing, or remember why not."""
        if holding.error is not None:
            return
        try:
            change(self.at, self.state, holding, level)
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[holding.thing] = error

    def _ours(self) -> Iterator[Found]:
        """Yield what the account has by the grants of the order."""
        for grant in self.desired.holds:
            for unit in grant.units:
                thing, level = self.wanted.units.get(unit, (None, 0))
                if thing is not None and self._standing(thing) < level <= self.state.holdings[thing].level:
                    yield Found(unit, self.login, grant.grant_id)
        for ending in self.desired.gone:
            for unit in ending.units:
                thing, _ = self.wanted.units.get(unit, (None, 0))
                if thing is not None and self._left(thing):
                    yield Found(thing.unit(self.state.holdings[thing].level), self.login, ending.grant_id)

    def _beside(self) -> Iterator[Found]:
        """Yield what the account has for other reasons."""
        for thing, holding in self.state.holdings.items():
            share = self.wanted.shares[thing]
            before = own = min(self._standing(thing), holding.level)
            if holding.level > max(own, share.held) and not self._left(thing):
                own = holding.level
            if holding.other_role:
                yield Found(Unit(*thing, holding.other_role), self.login)
            # A higher level that is there anyway has in it what a grant asks for.
            anyway = {level for level in share.named if level < max(before, holding.elsewhere)}
            for level in sorted(({own, holding.elsewhere} | anyway) - {0}):
                yield Found(thing.unit(level), self.login)

    def _left(self, thing: Thing) -> bool:
        """Say whether the account still has more by us than it should."""
        holding, share = self.state.holdings[thing], self.wanted.shares[thing]
        return surplus(holding, share, self._standing(thing), self.state)

    def _held(self, grant: Grant) -> GrantReport:
        """Return the report on a grant that should be held."""
        reports, warnings = [], []
        for unit in grant.units:
            thing, level = self.wanted.units.get(unit, (None, 0))
            if thing is None:
                reports.append(UnitReport(unit, UnitOutcome.FAILED, self.wanted.errors[unit].report()))
                continue
            holding = self.state.holdings[thing]
            error = self.errors.get(thing) or holding.error
            if holding.error is None and holding.works >= level:
                reports.append(UnitReport(unit, UnitOutcome.HELD))
                warnings += [error.message] if error is not None else []
                warnings += [_to_accept(self.login, holding)] if holding.invitation is not None else []
                continue
            error = error or Unreachable("GitHub does not show it yet.", fix="It is looked at again.")
            reports.append(UnitReport(unit, UnitOutcome.FAILED, error.report()))
        warnings = list(dict.fromkeys(warnings))
        return GrantReport(
            grant.grant_id,
            tuple(reports),
            details=_details(grant, self.wanted, self.state, self.at.organization),
            warnings=tuple(warnings),
        )

    def _gone(self, ending: Ending) -> GrantReport:
        """Return the report on a grant that should be over."""
        reports = []
        for unit in ending.units:
            thing, _ = self.wanted.units.get(unit, (None, 0))
            error: TargetError | None = None
            if thing is not None:
                holding = self.state.holdings[thing]
                error = None if isinstance(holding.error, TargetMissing) else holding.error
                if error is None and self._left(thing):
                    error = self.errors.get(thing) or Unreachable("GitHub still shows it.", fix="It is tried again.")
            outcome = UnitOutcome.GONE if error is None else UnitOutcome.FAILED
            reports.append(UnitReport(unit, outcome, error.report() if error is not None else None))
        return GrantReport(ending.grant_id, tuple(reports))


def _details(grant: Grant, wanted: Wanted, state: State, organization: str) -> dict[str, str]:
    """Return what a grantee needs to use a grant."""
    things = dict.fromkeys(thing for unit in grant.units if (thing := wanted.units.get(unit, (None, 0))[0]))
    holdings = [state.holdings[thing] for thing in things]
    details = {"organization": organization, "username": state.login}
    urls = [holding.url for holding in holdings if holding.url]
    details |= {"uri": urls[0]} if urls else {}
    clones = [one.url for one in holdings if one.thing.resource_type == "repository" and one.url]
    details |= {"command": f"git clone {clones[0]}.git"} if clones else {}
    invitations = [one.invitation.url for one in holdings if one.invitation is not None]
    return details | ({"invitation": " ".join(invitations)} if invitations else {})


def _to_accept(login: str, holding: Holding) -> str:
    """Say that there is no access before an invitation is accepted."""
    return (
        f"{login} is no member of {holding.owner}: GitHub sent an invitation to {holding.name}, and there is no access"
        " before they accept it. The end of the grant withdraws it."
    )


PROVIDER = GitHub()
