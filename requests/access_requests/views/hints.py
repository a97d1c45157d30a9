"""What an approver should know before answering: facts of our own database, and only those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from access_requests.choices import Tone
from access_requests.models import AccessRequest, AccessUnit, Extension
from access_requests.queries import Before
from accounts.models import User
from flows.decision import words_for

# Usual working hours: from the first hour until before the last.
FIRST_HOUR, LAST_HOUR = 8, 20
HIGH = 7
History = dict[tuple[Any, int, int], Before]


@dataclass(frozen=True, slots=True)
class Hint:
    """One fact to look at."""

    text: str
    icon: str
    tone: Tone


def units_of(access: AccessRequest) -> list[AccessUnit]:
    """Return the units of a request that was read with its groups."""
    return [unit for group in access.access_groups.all() for unit in group.units.all()]


def risk_of(units: Iterable[AccessUnit]) -> int:
    """Return the highest risk level (1 to 9) among permissions and resources; 0 when there are none."""
    return max((max(unit.permission.risk_level, unit.resource.risk_level) for unit in units), default=0)


def hints_of(access: AccessRequest, history: History) -> list[Hint]:
    """Return what there is to know of a request; `history` is queries.asked_before."""
    return [
        *_about_people(access),
        *_about_time(access),
        *_about_history(access, history),
        *_about_hour(access.requestor, access.requested_at),
    ]


def hints_of_extension(extension: Extension) -> list[Hint]:
    """Return what there is to know of an ask for more time."""
    given = [one for one in extension.request.extensions.all() if one.new_end is not None]
    hints = []
    if given:
        so_far = words_for(sum(one.seconds for one in given))
        hints.append(Hint(f"Extended {_times(len(given))} already, by {so_far} in all", "extend", Tone.WAIT))
    else:
        hints.append(Hint("The first extension of this access", "extend", Tone.QUIET))
    return [*hints, *_about_hour(extension.requested_by, extension.requested_at)]


def _about_people(access: AccessRequest) -> Iterator[Hint]:
    """Say so when it is asked for somebody else, or for somebody from outside."""
    if access.grantee_id != access.requestor_id:
        yield Hint(f"Asked by {access.requestor.name} for {access.grantee.name}", "users", Tone.WAIT)
    if access.grantee.is_outside:
        yield Hint(f"{access.grantee.name} is from outside", "alert", Tone.WAIT)


def _about_time(access: AccessRequest) -> Iterator[Hint]:
    if access.duration_seconds is None:
        yield Hint("Access without an end", "alert", Tone.BAD)


def _about_history(access: AccessRequest, history: History) -> Iterator[Hint]:
    units = units_of(access)
    keys = [(access.grantee_id, unit.resource_id, unit.permission_id) for unit in units]
    known = [before for key in keys if (before := history.get(key)) is not None]
    new = sum(before.first == access.pk for before in known)
    name = access.grantee.name
    if new and new == len(units):
        what = "this" if len(units) == 1 else "any of this"
        yield Hint(f"The first time {name} asks for {what}", "alert", Tone.WAIT)
    elif new:
        yield Hint(f"The first time {name} asks for {new} of these {len(units)}", "alert", Tone.WAIT)
    elif known:
        often = min(before.lately for before in known)
        yield Hint(f"Asked for {_times(often)} in 90 days, this one included", "again", Tone.QUIET)
    rejected = [before.rejected_at for before in known if before.rejected_at is not None]
    if rejected:
        latest = max(rejected)
        yield Hint(f"Asked for again after it was rejected on {latest.day} {latest:%b %Y}", "no", Tone.BAD)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _about_hour(who: User, at: datetime) -> Iterator[Hint]:
    """Say so when somebody asks at night by the clock they live by; of who has named no time zone it is not known."""
    try:
        local = at.astimezone(ZoneInfo(who.time_zone)) if who.time_zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = None
    if local is not None and not FIRST_HOUR <= local.hour < LAST_HOUR:
        yield Hint(f"Asked at {local:%H:%M} by {who.name}’s clock", "clock", Tone.WAIT)
