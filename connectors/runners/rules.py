"""What the owner of an environment lets the connector do there. The server cannot override it.

The rules are a file of the connector's own machine (`connectors.runners.rules_file`). Every refusal is the typed error
Refused and names the line of the rule, so that an admin can tell the owner which one it was.
"""

from __future__ import annotations

import fnmatch
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.contract.errors import ErrorReport, Refused
from connectors.contract.orders import Desired, Ending, Grant, GrantReport, Order, Unit, UnitOutcome, UnitReport, Verb
from connectors.contract.provider import AnyProgram, Outcome

HOUR_SECONDS = 3600.0
# What a rule may name as a verb: the verbs of an order, but that giving and taking are told apart in `apply`.
GRANT, REVOKE = "grant", "revoke"
VERBS = (*(verb.value for verb in Verb if verb is not Verb.APPLY), GRANT, REVOKE)
# These change nothing at the target.
READING = frozenset({Verb.CHECK, Verb.DISCOVER, Verb.PEOPLE, Verb.READ_BACK})
# Where everything is denied by default, what was given can still be taken and looked at, unless a rule denies that too.
NEVER_BY_DEFAULT = frozenset({REVOKE, Verb.READ_BACK.value})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. An empty list is not asked about. Patterns are those of a shell.

    `resources` match a unit's source id, `permissions` its permission; a rule with either speaks of giving single units
    and leaves the rest of an order alone. `programs` match "provider/program"; such a rule speaks of programs only.
    """

    line: int
    allow: bool
    providers: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    because: str = ""

    def about_units(self) -> bool:
        """Say whether the rule speaks of single units."""
        return bool(self.resource_types or self.resources or self.permissions)

    def fits(self, provider: str, verb: str) -> bool:
        """Say whether the rule speaks of this verb of this provider."""
        return _one_of(provider, self.providers) and _one_of(verb, self.verbs)

    def fits_unit(self, unit: Unit) -> bool:
        """Say whether the rule speaks of this unit."""
        return (
            _one_of(unit.resource_type, self.resource_types)
            and _one_of(unit.resource, self.resources)
            and _one_of(unit.permission, self.permissions)
        )


@dataclass(frozen=True, slots=True)
class Pin:
    """A program may only be the one with this SHA-256. A provider with one pin runs no program without."""

    line: int
    program: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A program is run from the owner's own file instead."""

    line: int
    program: str
    path: Path


@dataclass(frozen=True, slots=True)
class Quota:
    """So many new grants an hour, or, for another verb, so many orders."""

    line: int
    per_hour: int
    verb: str = GRANT
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """An order as the rules leave it, and what they took out of it: the error by grant and unit."""

    order: Order
    refused: dict[str, dict[Unit, ErrorReport]] = field(default_factory=dict)


@dataclass
class Rules:
    """The owner's rules. Without any, a connector does what it is told."""

    source: str = ""
    digest: str = ""
    allow_by_default: bool = True
    read_only_line: int = 0
    rules: tuple[Rule, ...] = ()
    pins: tuple[Pin, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    quotas: tuple[Quota, ...] = ()
    monotonic: Callable[[], float] = time.monotonic
    _used: dict[int, deque[float]] = field(default_factory=dict, repr=False)
    _known: dict[tuple[int, str], float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def judge(self, order: Order) -> Judged:
        """Return what may be done of an order. Raises Refused when nothing of it may be.

        Units that may not be given are taken out: what is there of them already is taken away, like anything that is
        not wanted any more. What is to be ended is ended, unless a rule forbids to revoke.
        """
        if self.read_only_line and order.verb not in READING:
            raise self._refusal(self.read_only_line, f"it is read-only, and {order.verb} changes something")
        for verb in _verbs_of(order):
            self._must_allow(order.provider, verb)
        if order.verb is not Verb.APPLY or order.desired is None:
            self._spend_orders(order)
            return Judged(order)
        return self._judge_grants(order, order.desired)

    def admit(self, provider: str, program: AnyProgram) -> AnyProgram:
        """Return the program to run: the owner's own where they replaced it. Raises Refused."""
        name = f"{provider}/{program.name}"
        for one in self.replacements:
            if one.program == name:
                program = program.replaced(one.path)
        rule = next((one for one in self.rules if one.programs and _one_of(name, one.programs)), None)
        if rule is not None and not rule.allow:
            raise self._refusal(rule.line, f"the program {name} is forbidden", rule.because)
        pins = [one for one in self.pins if one.program.partition("/")[0] == provider]
        if not pins:
            return program
        pin = next((one for one in pins if one.program == name), None)
        if pin is None:
            raise self._refusal(pins[0].line, f"programs of {provider} are pinned, and {name} is not among them")
        if pin.sha256 != program.digest:
            raise self._refusal(pin.line, f"{name} is pinned, and this one has another digest ({program.digest[:12]}…)")
        return program

    def _must_allow(self, provider: str, verb: str) -> None:
        """Raise Refused when the first rule about this verb denies it, or none allows what is not allowed by default.

        Rules about units are not asked: they speak of giving, which is looked at unit by unit.
        """
        for rule in self.rules:
            if rule.programs or rule.about_units() or not rule.fits(provider, verb):
                continue
            if rule.allow:
                return
            raise self._refusal(rule.line, f"{verb} by {provider} is forbidden", rule.because)
        if not self.allow_by_default and verb not in NEVER_BY_DEFAULT:
            raise self._refusal(0, f"no rule allows {verb} by {provider}")

    def _judge_grants(self, order: Order, desired: Desired) -> Judged:
        """Take out of an order what may not be given."""
        refused: dict[str, dict[Unit, ErrorReport]] = {}
        holds: list[Grant] = []
        gone = list(desired.gone)
        for grant in desired.holds:
            bad = dict(self._bad_units(order.provider, grant))
            if bad:
                refused[grant.grant_id] = bad
            left = tuple(unit for unit in grant.units if unit not in bad)
            if left or not bad:
                holds.append(replace(grant, units=left))
            else:
                gone.append(Ending(grant.grant_id, grant.login, grant.units))
        return Judged(replace(order, desired=replace(desired, holds=tuple(holds), gone=tuple(gone))), refused)

    def _bad_units(self, provider: str, grant: Grant) -> Iterator[tuple[Unit, ErrorReport]]:
        """Yield the units of a grant that may not be given, with the reason."""
        over = self._spend_grant(provider, grant.grant_id)
        for unit in grant.units:
            error = over or self._why_not(provider, unit)
            if error is not None:
                yield unit, error.report()

    def _why_not(self, provider: str, unit: Unit) -> Refused | None:
        """Return why a unit may not be given, or None: the first rule that speaks of it decides."""
        what = f"{unit.permission} on {unit.resource}"
        for rule in self.rules:
            if not rule.programs and rule.fits(provider, GRANT) and rule.fits_unit(unit):
                return None if rule.allow else self._refusal(rule.line, f"{what} is forbidden", rule.because)
        return None if self.allow_by_default else self._refusal(0, f"no rule allows {what}")

    def _spend_orders(self, order: Order) -> None:
        """Count an order against its quotas. Raises Refused over one of them."""
        for quota in self.quotas:
            if quota.verb == order.verb and _one_of(order.provider, quota.providers):
                with self._lock:
                    spent = self._spend(quota)
                if not spent:
                    raise self._over(quota, "orders")

    def _spend_grant(self, provider: str, grant_id: str) -> Refused | None:
        """Count a grant that is new to this connector; return why it may not be given, or None."""
        for quota in self.quotas:
            if quota.verb != GRANT or not _one_of(provider, quota.providers):
                continue
            with self._lock:
                known = (quota.line, grant_id) in self._known
                if not known and not self._spend(quota):
                    return self._over(quota, "grants")
                self._known[quota.line, grant_id] = self.monotonic()
                self._forget()
        return None

    def _spend(self, quota: Quota) -> bool:
        """Use up one of a quota; False when none is left within the hour."""
        now, used = self.monotonic(), self._used.setdefault(quota.line, deque())
        while used and used[0] <= now - HOUR_SECONDS:
            used.popleft()
        if len(used) >= quota.per_hour:
            return False
        used.append(now)
        return True

    def _forget(self) -> None:
        """Forget grants that were not ordered for a day: ten thousand are live at most, and each is ordered anew."""
        if len(self._known) > 50_000:
            oldest = self.monotonic() - 24 * HOUR_SECONDS
            self._known = {key: at for key, at in self._known.items() if at > oldest}

    def _over(self, quota: Quota, what: str) -> Refused:
        return self._refusal(quota.line, f"{quota.per_hour} {what} an hour are used up")

    def _refusal(self, line: int, words: str, because: str = "") -> Refused:
        """Return the error that names file and line."""
        place = f"{self.source}, line {line}" if line else self.source
        said = f" ({because})" if because else ""
        return Refused(
            f"The connector's owner does not allow it: {words}{said}. {place}.",
            fix="The owner of the environment can change this rule; the server cannot.",
        )


def restore(outcome: Outcome, judged: Judged, original: Order) -> Outcome:
    """Return an outcome with the units that the rules took out, as failed; each grant has one entry."""
    if not judged.refused or original.desired is None:
        return outcome
    told = {one.grant_id: one for one in outcome.grants}
    for grant in original.desired.holds:
        bad = judged.refused.get(grant.grant_id)
        if not bad:
            continue
        entry = told.get(grant.grant_id, GrantReport(grant.grant_id, ()))
        kept = tuple(one for one in entry.units if one.unit not in bad)
        failed = tuple(UnitReport(unit, UnitOutcome.FAILED, error) for unit, error in bad.items())
        told[grant.grant_id] = replace(entry, units=kept + failed)
    return replace(outcome, grants=tuple(told.values()))


def _verbs_of(order: Order) -> Iterator[str]:
    """Yield what an order does, in the words of rules, but for giving, which is judged unit by unit."""
    if order.verb is not Verb.APPLY:
        yield order.verb.value
    elif order.desired is not None and order.desired.gone:
        yield REVOKE


def _one_of(name: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a name fits one of the patterns, or there are none."""
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
