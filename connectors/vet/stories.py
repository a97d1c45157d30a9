"""The stories that every provider has to make true on a real target.

They know nothing of the target but what `Live` tells them: they grant, use the access as the grantee would, end it, and
see that it is refused and that the target is left exactly as it was found.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from connectors.contract.orders import Desired, Ending, Grant, GrantReport, Order, Page, Report, Unit, UnitOutcome, Verb
from connectors.contract.provider import Baseline, remember
from connectors.contract.secret import Secret
from connectors.registry import BUILT_IN, Registry
from connectors.runners import local
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from connectors.vet.live import Live

GRANT_SECONDS = 3600.0


class Runs(Protocol):
    """Runs an order to its report: in this process, or through a remote worker."""

    def __call__(self, order: Order, on_page: Callable[[Page], None], baseline: Baseline) -> Report:
        """Run it."""


class Unproven(AssertionError):
    """A story did not hold; the words say where."""


class Crashed(BaseException):
    """The process died here. No provider may catch it."""


def in_this_process(registry: Registry = BUILT_IN) -> Runs:
    """Return a way to run orders here."""

    def run(order: Order, on_page: Callable[[Page], None], baseline: Baseline) -> Report:
        return local.run(order, on_page=on_page, registry=registry, baseline=baseline)

    return run


@dataclass
class Stage:
    """A target, a provider, and a way to run orders: what the stories are told on."""

    provider: str
    live: Live
    runs: Runs
    registry: Registry = BUILT_IN
    integration: str = "integration-live"
    key: str = field(default_factory=new_private_key)
    memory: dict[Unit, bool] = field(default_factory=dict)
    number: int = 0

    def grant(self, *units: Unit, seconds: float = GRANT_SECONDS) -> Grant:
        """Return a grant of these units, with a login of its own where the provider makes logins."""
        self.number += 1
        manifest = self.registry.manifest(self.provider)
        login = f"lk_live_{self.number:04d}" if manifest.has_logins else ""
        id_ = f"00000000-0000-4000-8000-{self.number:012d}"
        return Grant(id_, login, units or self.live.units[:1], time.time() + seconds, manifest.has_logins)

    def order(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **change: Any) -> Order:
        """Return an order; about the person where the verb is about one."""
        endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
        about = verb not in (Verb.CHECK, Verb.DISCOVER, Verb.PEOPLE)
        order = Order(
            order_id=f"order-{verb}",
            epoch=1,
            verb=verb,
            provider=self.provider,
            integration_id=self.integration,
            config=dict(self.live.config),
            secrets={name: Secret(value) for name, value in self.live.secrets.items()},
            desired=Desired(self.live.person, holds, endings) if about else None,
            seal_to=public_key(self.key),
        )
        return replace(order, **change)

    def run(self, order: Order) -> Report:
        """Run an order that must end without an error."""
        report = self.runs(order, lambda page: None, remember(self.memory))
        need(report.error is None, f"{order.verb} failed: {report.error}")
        return report

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = ()) -> Report:
        """Make the person hold these grants and prove the end of `gone`."""
        report = self.run(self.order(Verb.APPLY, holds, gone))
        for grant in holds:
            self.must_hold(report, grant)
        for grant in gone:
            self.must_be_gone(report, grant)
        return report

    def drain(self, grant: Grant, holds: tuple[Grant, ...] = ()) -> Report:
        """Let no new session of a grant begin, and those that are open go on."""
        order = self.order(Verb.APPLY, holds, (grant,))
        assert order.desired is not None
        gone = tuple(replace(one, drain_until=time.time() + GRANT_SECONDS) for one in order.desired.gone)
        return self.run(replace(order, desired=replace(order.desired, gone=gone)))

    def must_hold(self, report: Report, grant: Grant) -> None:
        """Raise unless report and read-back say that a grant is held, whole."""
        bad = [one for one in of(report, grant).units if one.outcome is not UnitOutcome.HELD]
        need(not bad, f"not held: {bad}")
        assert report.read_back is not None
        found = {one.unit for one in report.read_back.ours + report.read_back.standing}
        need(set(grant.units) <= found, f"the read-back does not find {set(grant.units) - found}")

    def must_be_gone(self, report: Report, grant: Grant) -> None:
        """Raise unless report and read-back say that nothing is left of a grant."""
        bad = [one for one in of(report, grant).units if one.outcome is not UnitOutcome.GONE]
        need(not bad, f"not gone: {bad}")
        assert report.read_back is not None
        left = [one for one in report.read_back.ours if one.grant_id == grant.grant_id]
        need(not left, f"the read-back still finds {left}")

    def shown(self, report: Report, grant: Grant) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the details and the credentials that a report has for a grant."""
        told = of(report, grant)
        if not told.sealed_credentials:
            return told.details, {}
        opened = json.loads(open_sealed(self.key, told.sealed_credentials, grant.grant_id.encode()))
        return told.details, {str(name): str(value) for name, value in opened.items()}

    def must_reach(self, grant: Grant, shown: tuple[dict[str, Any], dict[str, str]]) -> None:
        """Raise unless the grantee can use every unit."""
        for unit in grant.units:
            need(self.live.reaches(unit, *shown), f"the grantee cannot use {unit}")

    def must_not_reach(self, grant: Grant, shown: tuple[dict[str, Any], dict[str, str]]) -> None:
        """Raise if the grantee can use any unit."""
        for unit in grant.units:
            need(not self.live.reaches(unit, *shown), f"the grantee can still use {unit}")

    def leave(self, *grants: Grant) -> None:
        """End and clean up."""
        self.apply(gone=grants)
        self.run(self.order(Verb.CLEAN_UP, (), grants))
        self.memory.clear()


def need(true: bool, words: str) -> None:
    """Raise Unproven with these words unless something is true."""
    if not true:
        raise Unproven(words)


def of(report: Report, grant: Grant) -> GrantReport:
    """Return what a report says of a grant."""
    found = [one for one in report.grants if one.grant_id == grant.grant_id]
    need(len(found) == 1, f"the report has {len(found)} entries for the grant {grant.grant_id}")
    return found[0]


def it_checks_and_finds_what_can_be_asked_for(stage: Stage) -> None:
    """Check finds no error, and a sync finds what is to be granted, in pages."""
    report = stage.run(stage.order(Verb.CHECK))
    bad = [one for one in report.findings if one.level == "error"]
    need(bool(report.findings) and not bad, f"check finds {bad or 'nothing to say'}")
    pages: list[Page] = []
    kinds = tuple(dict.fromkeys(unit.resource_type for unit in stage.live.units))
    order = stage.order(Verb.DISCOVER, resource_types=kinds, page_size=2)
    report = stage.runs(order, pages.append, remember({}))
    need(report.error is None, f"discover failed: {report.error}")
    found = {(one.resource_type, one.source_id) for page in pages for one in page.resources}
    missing = {(unit.resource_type, unit.resource) for unit in stage.live.units} - found
    need(not missing, f"discover does not find {missing}")
    need(report.found == sum(len(page.resources) for page in pages), "the count of resources is wrong")
    need(all(len(page.resources) <= 2 for page in pages), "a page is larger than was asked for")
    facts = {one.resource_type: {p.permission for p in one.permissions} for one in report.resource_types}
    lacking = [unit for unit in stage.live.units if unit.permission not in facts.get(unit.resource_type, set())]
    need(not lacking, f"these permissions are not declared: {lacking}")


def access_is_given_used_ended_and_refused(stage: Stage) -> None:
    """The main job: twice over, and the target is left as it was found."""
    before = stage.live.snapshot()
    for _ in range(2):
        grant = stage.grant(*stage.live.units)
        shown = stage.shown(stage.apply(grant), grant)
        stage.must_reach(grant, shown)
        again = stage.apply(replace(grant, wants_credentials=False))
        need(not of(again, grant).sealed_credentials, "credentials were made that nobody asked for")
        stage.must_reach(grant, shown)
        stage.apply(gone=(grant,))
        stage.must_not_reach(grant, shown)
        stage.apply(gone=(grant,))
        stage.leave(grant)
        stage.leave(grant)
    need(stage.live.snapshot() == before, f"the target is not as it was: {stage.live.snapshot()} != {before}")


def overlapping_grants_do_not_hurt_each_other(stage: Stage) -> None:
    """Two grants of one thing: the end of one leaves the other whole."""
    before = stage.live.snapshot()
    first, second = stage.grant(), stage.grant()
    one = stage.shown(stage.apply(first), first)
    report = stage.apply(replace(first, wants_credentials=False), second)
    two = stage.shown(report, second)
    session = stage.live.session(second.units[0], *two)
    stage.apply(replace(second, wants_credentials=False), gone=(first,))
    if first.login:
        stage.must_not_reach(first, one)
    stage.must_reach(second, two)
    if session is not None and second.login:
        need(session.alive(), "the session of the other grant was cut")
        session.close()
    stage.leave(first, second)
    need(stage.live.snapshot() == before, "the target is not as it was")


def a_session_does_not_outlive_its_grant(stage: Stage) -> None:
    """What is open is cut at the end."""
    grant = stage.grant()
    shown = stage.shown(stage.apply(grant), grant)
    session = stage.live.session(grant.units[0], *shown)
    if session is not None:
        need(session.alive(), "a session that was just opened does not work")
        stage.apply(gone=(grant,))
        need(not session.alive(), "the session lives on after the end")
        session.close()
    stage.leave(grant)


def a_session_may_go_on_while_its_grant_drains(stage: Stage) -> None:
    """No new session begins, what is open works on beside a newer grant, and what is left is cut at the end."""
    if not stage.registry.manifest(stage.provider).drains:
        return
    before, grant, newer = stage.live.snapshot(), stage.grant(), stage.grant()
    shown = stage.shown(stage.apply(grant), grant)
    session = stage.live.session(grant.units[0], *shown)
    need(session is not None, "a target that drains has sessions")
    assert session is not None
    for _ in range(2):
        report = stage.drain(grant)
        need(of(report, grant).sessions_left > 0, "the report does not say that a session goes on")
        need(all(one.outcome is UnitOutcome.HELD for one in of(report, grant).units), "what drains is not held")
        stage.must_not_reach(grant, shown)
        need(session.alive(), "the session was cut while it may go on")
    report = stage.drain(grant, holds=(newer,))
    stage.must_hold(report, newer)
    stage.must_reach(newer, stage.shown(report, newer))
    need(session.alive(), "a newer grant cut the session of the one that drains")
    stage.apply(replace(newer, wants_credentials=False), gone=(grant,))
    need(not session.alive(), "the session lives on after the time it had")
    session.close()
    report = stage.drain(newer)
    stage.must_be_gone(report, newer)
    need(of(report, newer).sessions_left == 0, "a session is said to go on, and there is none")
    stage.leave(grant, newer)
    need(stage.live.snapshot() == before, "the target is not as it was")


def credentials_are_reset(stage: Stage) -> None:
    """After a reset the new ones work and the old ones do not."""
    if not stage.registry.manifest(stage.provider).has_logins:
        return
    grant = stage.grant()
    old = stage.shown(stage.apply(grant), grant)
    new = stage.shown(stage.run(stage.order(Verb.RESET_CREDENTIALS, (grant,))), grant)
    need(bool(new[1]) and new[1] != old[1], "no new credentials were made")
    shown = ({**old[0], **new[0]}, new[1])
    stage.must_reach(grant, shown)
    stage.must_not_reach(grant, old)
    stage.leave(grant)


def standing_access_is_left_alone(stage: Stage) -> None:
    """What the person had before is found, recorded, and never taken."""
    unit = stage.live.units[0]
    if not stage.live.give_standing(unit):
        return
    try:
        before, grant = stage.live.snapshot(), stage.grant(unit)
        report = stage.apply(grant)
        assert report.read_back is not None
        need(unit in {one.unit for one in report.read_back.standing}, "standing access is not recorded as such")
        stage.apply(grant)
        stage.leave(grant)
        need(stage.live.snapshot() == before, "standing access was changed")
        need(bool(grant.login) or stage.live.reaches(unit, {}, {}), "standing access was taken")
    finally:
        stage.live.take_standing(unit)


def a_dry_run_changes_nothing(stage: Stage) -> None:
    """It says what would run, and runs none of it."""
    before, grant = stage.live.snapshot(), stage.grant(*stage.live.units)
    report = stage.run(stage.order(Verb.APPLY, (grant,), dry_run=True))
    need(bool(report.programs), "the dry run shows no program")
    need(stage.live.snapshot() == before, "a dry run changed the target")


STORIES: tuple[Callable[[Stage], None], ...] = (
    it_checks_and_finds_what_can_be_asked_for,
    access_is_given_used_ended_and_refused,
    overlapping_grants_do_not_hurt_each_other,
    a_session_does_not_outlive_its_grant,
    a_session_may_go_on_while_its_grant_drains,
    credentials_are_reset,
    standing_access_is_left_alone,
    a_dry_run_changes_nothing,
)


class CrashingClock:
    """A monotonic clock at whose n-th look the process dies. Every statement is preceded by a look."""

    def __init__(self, at: int | None = None) -> None:
        """Die at look `at`, counted from 1; never without."""
        self.at = at
        self.looks = 0

    def __call__(self) -> float:
        """Return the time."""
        self.looks += 1
        if self.looks == self.at:
            raise Crashed
        return time.monotonic()


def _crash(stage: Stage, order: Order, clock: CrashingClock) -> None:
    """Run an order in this process until the clock ends it."""
    try:
        local.run(
            order,
            on_page=lambda page: None,
            monotonic=clock,
            registry=stage.registry,
            baseline=remember(stage.memory),
        )
    except Crashed:
        return


def crash_points(stage: Stage) -> int:
    """Return how many places there are at which giving and ending one grant can die."""
    grant, clock = stage.grant(), CrashingClock()
    _crash(stage, stage.order(Verb.APPLY, (grant,)), clock)
    given = clock.looks
    _crash(stage, stage.order(Verb.APPLY, (), (grant,)), clock)
    stage.leave(grant)
    return max(given, clock.looks - given)


def a_crash_is_made_good(stage: Stage, at: int) -> None:
    """Die at look `at` while giving, and while ending: the same order, done again, is as good as the first."""
    before, grant = stage.live.snapshot(), stage.grant()
    _crash(stage, stage.order(Verb.APPLY, (grant,)), CrashingClock(at))
    shown = stage.shown(stage.apply(grant), grant)
    stage.must_reach(grant, shown)
    _crash(stage, stage.order(Verb.APPLY, (), (grant,)), CrashingClock(at))
    stage.apply(gone=(grant,))
    stage.must_not_reach(grant, shown)
    _crash(stage, stage.order(Verb.CLEAN_UP, (), (grant,)), CrashingClock(at))
    stage.leave(grant)
    need(stage.live.snapshot() == before, f"after a crash at {at} the target is not as it was")


def prove(stage: Stage, *, every: int = 1) -> Iterator[tuple[str, str]]:
    """Tell all stories, with a crash at every `every`-th place; yield each one's name and what was wrong with it."""
    for story in STORIES:
        yield story.__name__.replace("_", " "), _told(partial(story, stage))
    for at in range(1, crash_points(stage) + 1, every):
        yield f"a crash at {at} is made good", _told(partial(a_crash_is_made_good, stage, at))


def _told(story: Callable[[], None]) -> str:
    """Tell a story; return what was wrong."""
    try:
        story()
    except Unproven as wrong:
        return str(wrong)
    return ""
