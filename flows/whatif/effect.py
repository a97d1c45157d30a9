"""What a change would do, gathered: counted exactly, and the first of each named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import User
from flows import events
from flows.choices import ApprovalMode, Trigger
from flows.decision.conditions import setting
from flows.decision.covering import Document
from flows.whatif.change import Change
from flows.whatif.given import Given, gained
from flows.whatif.past import ASKS_MAX, DAYS, SHOWN, Past, replayed
from flows.whatif.people import gaining


@dataclass(frozen=True, slots=True)
class Tally:
    """A number, and the first of what was counted."""

    count: int = 0
    first: tuple[str, ...] = ()

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.first)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do. `digest` names the change; `past` is None where it was not asked for."""

    digest: str
    people_gaining: Tally = Tally()
    people_losing: Tally = Tally()
    gained: Tally = Tally()
    lost: Tally = Tally()
    ends: events.Ends = field(default_factory=events.Ends)
    automatic: tuple[str, ...] = ()
    past: Past | None = None

    @property
    def costs(self) -> bool:
        """Whether somebody loses something: then it is shown before it is saved."""
        return bool(self.people_losing.count or self.lost.count or self.ends.count)

    @property
    def nothing(self) -> bool:
        """Whether nothing at all would be otherwise."""
        more = self.people_gaining.count or self.gained.count or self.automatic or (self.past and self.past.changed)
        return not self.costs and not more

    @property
    def days(self) -> int:
        """How far back asks are read."""
        return DAYS

    @property
    def most(self) -> int:
        """How many asks are read at most."""
        return ASKS_MAX


def foresee(change: Change, *, at: datetime, past: bool = False) -> Effect:
    """Return what a change would do. With `past` the asks of the last 90 days are decided again: that takes seconds."""
    gain, lose = gaining(change)
    more, less = gained(change)
    return Effect(
        digest=change.digest,
        people_gaining=_people(gain),
        people_losing=_people(lose),
        gained=_entitlements(more),
        lost=_entitlements(less),
        ends=events.ends_with(change) if change.before else events.Ends(),
        automatic=tuple(_automatic(change)),
        past=replayed(change, at=at) if past else None,
    )


def _people(found: QuerySet[User]) -> Tally:
    number = found.order_by().count()
    return Tally(number, tuple(f"{one.name}, {one.email}" for one in found[:SHOWN]) if number else ())


def _entitlements(given: Given) -> Tally:
    number = given.count()
    return Tally(number, tuple(_names(given)) if number else ())


def _names(given: Given) -> Iterator[str]:
    for one in given.first(SHOWN):
        yield f"{one.permission_name} on {one.resource_path or one.resource_name} ({one.integration_name})"


def _automatic(change: Change) -> Iterable[str]:
    """Say what opens without anybody's yes that did not before."""
    for flow in change.flows:
        before, after = change.now(flow), change.then(flow)
        if after is None:
            continue
        name = after["name"]
        if _self_acting(after) and not (before and _self_acting(before)):
            yield f"{name}: whoever matches has it at once, without asking."
        elif _unapproved(after) and not (before and _unapproved(before)):
            yield f"{name}: whoever asks gets it at once; nobody has to approve."
        if setting(after, "break_glass") and not (before and setting(before, "break_glass")):
            yield f"{name}: in an emergency it opens at once, and is reviewed afterwards."


def _self_acting(document: Document) -> bool:
    return bool(document["trigger"] == Trigger.AUTOMATIC)


def _unapproved(document: Document) -> bool:
    return bool(document["trigger"] == Trigger.SELF_SERVE and document["approval"]["mode"] == ApprovalMode.NONE)
