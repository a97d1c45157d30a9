"""The two verbs: is the key good, and who is on call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import PeoplePage, ShiftFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.telling import clock, mark, objects, place_of, record, text

from . import programs

SIZE = 100
# Pages are numbered by an offset, and PagerDuty answers none beyond this.
OFFSET_MAX = 9_900
SETUP = "Make a key as setup/1_key.md says."


class PagerDuty:
    """A PagerDuty account."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the key."""
        with _pagerduty(order, run) as service:
            found = objects(
                service.read(programs.LIST_SCHEDULES, size=1, offset=0).data, programs.LIST_SCHEDULES, "schedules"
            )
        if found:
            return (Finding("ok", f"{service.base} answers, and the key may read schedules."),)
        return (Finding("warning", "The key sees no schedule.", SETUP),)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield shifts that run or begin soon; who is on call without a schedule, always, is on no shift."""
        place = place_of(order.resume)
        with _pagerduty(order, run) as service:
            if "since" not in place:
                now = clock(service.read(programs.LIST_SCHEDULES, size=1, offset=0))
                until = now + timedelta(hours=int(order.config.get("hours_ahead") or 48))
                place = {"since": _written(now), "until": _written(until), "offset": 0}
            offset = int(place["offset"])
            while True:
                window = {"since": place["since"], "until": place["until"]}
                answer = service.read(programs.LIST_ON_CALLS, **window, size=SIZE, offset=offset)
                found = objects(answer.data, programs.LIST_ON_CALLS, "oncalls")
                shifts = tuple(shift for one in found if (shift := _shift(one)) is not None)
                offset += SIZE
                more = record(answer.data).get("more") is True
                if more and offset > OFFSET_MAX:
                    raise Misconfigured(
                        "There are more shifts than PagerDuty tells in one go.", fix="Read fewer hours ahead."
                    )
                resume = mark(**window, offset=offset) if more else ""
                yield Page((), resume, people=PeoplePage(shifts=shifts))
                if not more:
                    return


def _shift(found: dict[str, Any]) -> ShiftFact | None:
    """Return a shift of a schedule; None for what has no schedule or no end."""
    schedule, person = record(found.get("schedule")), record(found.get("user"))
    start, end = text(found, "start"), text(found, "end")
    if not text(schedule, "id") or not start or not end:
        return None
    who = text(person, "email") or text(person, "id")
    return ShiftFact(text(schedule, "id"), text(schedule, "summary", "name") or text(schedule, "id"), who, start, end)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _pagerduty(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the account; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no key.", fix=SETUP)
    headers = {
        "Authorization": f"Token token={order.secrets['key'].reveal()}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    address = str(order.config.get("address") or "https://api.pagerduty.com")
    with Service(address, run, headers=headers) as service:
        yield service


PROVIDER = PagerDuty()
