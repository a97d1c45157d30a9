"""When a report is sent: five fields of cron in a time zone, read out plainly, and the instants that follow from them.

croniter is asked for times of the wall clock only, and this module alone says which instants they are: where the clock
jumps forward a time that does not exist comes as much later as it jumped, where it is set back the first of two counts.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cron_descriptor import CasingTypeEnum, Options, get_description
from croniter import CroniterError, croniter

LONGEST = 100
# No clock is ever set back further than this.
_BACK = timedelta(hours=3)
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
# Without croniter's own H and R: a schedule that is drawn by lot is read by nobody.
_FIELD = re.compile(
    r"(?:[0-9*/,#?L-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+",
    re.ASCII | re.IGNORECASE,
)
# Until here the next run has to come.
_YEARS = 9


class BadSchedule(ValueError):
    """No schedule; the message is one sentence or two for a person."""


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name, UTC for none. Raises BadSchedule for one there is not."""
    if name and name not in zoneinfo.available_timezones():
        raise BadSchedule(f"There is no time zone {name!r}; write one such as Europe/Berlin.")
    return ZoneInfo(name or "UTC")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Five fields of cron, read in a time zone."""

    cron: str
    zone: ZoneInfo

    def words(self) -> str:
        """Return it in plain English: "At 08:00, only on Monday"."""
        options = Options()
        options.use_24hour_time_format = True
        options.casing_type = CasingTypeEnum.Sentence
        return f"{get_description(self.cron, options)} ({self.zone.key})"

    def next(self, at: datetime) -> datetime:
        """Return the first instant after `at`, in UTC. Raises BadSchedule when there is none for years."""
        walk = croniter(
            self.cron, at.astimezone(self.zone).replace(tzinfo=None) - _BACK, max_years_between_matches=_YEARS
        )
        try:
            while True:
                local: datetime = walk.get_next(datetime)
                instant = local.replace(tzinfo=self.zone).astimezone(UTC)
                if instant > at:
                    return instant
        except CroniterError:
            raise BadSchedule("This day never comes. Choose another.") from None

    def upcoming(self, at: datetime, count: int = 5) -> list[datetime]:
        """Return the next instants, in UTC."""
        found: list[datetime] = []
        for _ in range(count):
            found.append(self.next(found[-1] if found else at))
        return found


def read(cron: str, zone: str, at: datetime) -> Schedule:
    """Return the schedule that the text means. Raises BadSchedule: junk, too often, never."""
    given = cron.split()
    if len(cron) > LONGEST or len(given) != len(_FIELDS):
        raise BadSchedule(f"A schedule has five fields: {', '.join(_FIELDS)}. “0 8 * * 1” is every Monday at 8.")
    wrong = next((name for name, text in zip(_FIELDS, given, strict=True) if not _FIELD.fullmatch(text)), None)
    if wrong:
        raise BadSchedule(f"The {wrong} cannot be read. “0 8 * * 1” is every Monday at 8.")
    text = " ".join(given)
    try:
        expanded, _ = croniter.expand(text)
    except (CroniterError, ValueError, KeyError, IndexError) as error:
        raise BadSchedule(f"This schedule cannot be read: {error}. “0 8 * * 1” is every Monday at 8.") from None
    if len(expanded[0]) != 1 or not isinstance(expanded[0][0], int):
        raise BadSchedule(
            "A report is sent once an hour at most: name one minute of the hour, as in “0 8 * * 1” or “0 * * * *”."
        )
    schedule = Schedule(text, zone_of(zone))
    schedule.next(at)
    return schedule
