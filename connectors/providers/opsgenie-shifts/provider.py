"""The two verbs: is the key good, and who is on call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import PeoplePage, ShiftFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.telling import clock, mark, objects, place_of, record, text

from . import programs

SETUP = "Make a key as setup/1_key.md says."


class Opsgenie:
    """An Opsgenie account."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the key."""
        with _opsgenie(order, run) as service:
            found = objects(service.read(programs.LIST_SCHEDULES).data, programs.LIST_SCHEDULES, "data")
        if found:
            return (Finding("ok", f"{service.base} answers, and the key may read schedules."),)
        return (Finding("warning", "The key sees no schedule.", SETUP),)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the shifts of each schedule that is switched on, a page for each."""
        place, days = place_of(order.resume), int(order.config.get("days_ahead") or 2)
        with _opsgenie(order, run) as service:
            answer = service.read(programs.LIST_SCHEDULES)
            since = str(place.get("since") or clock(answer).strftime("%Y-%m-%dT%H:%M:%SZ"))
            found = objects(answer.data, programs.LIST_SCHEDULES, "data")
            ids = [text(one, "id") for one in found if one.get("enabled") is not False]
            done = place.get("done")
            for key in ids[ids.index(done) + 1 if done in ids else 0 :]:
                read = service.read(programs.READ_TIMELINE, schedule=key, days=days, since=since)
                timeline = record(record(read.data).get("data"))
                name = text(record(timeline.get("_parent")), "name") or key
                rotations = objects(timeline, programs.READ_TIMELINE, "finalTimeline", "rotations")
                shifts = tuple(shift for one in rotations for shift in _shifts(key, name, one))
                yield Page((), mark(since=since, done=key), people=PeoplePage(shifts=shifts))
            yield Page((), "", people=PeoplePage())


def _shifts(schedule: str, name: str, rotation: dict[str, Any]) -> Iterator[ShiftFact]:
    """Yield the shifts of a rotation; only people: whoever is behind a team or an escalation is not said here."""
    periods = rotation.get("periods")
    for one in periods if isinstance(periods, list) else ():
        period = record(one)
        several = period.get("flattenedRecipients")
        who = [record(period.get("recipient")), *map(record, several if isinstance(several, list) else ())]
        for person in who:
            start, end = text(period, "startDate"), text(period, "endDate")
            if text(person, "type") == "user" and start and end:
                yield ShiftFact(schedule, name, text(person, "name", "id"), start, end)


@contextmanager
def _opsgenie(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the account; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no key.", fix=SETUP)
    headers = {"Authorization": f"GenieKey {order.secrets['key'].reveal()}"}
    address = str(order.config.get("address") or "https://api.opsgenie.com")
    with Service(address, run, headers=headers) as service:
        yield service


PROVIDER = Opsgenie()
