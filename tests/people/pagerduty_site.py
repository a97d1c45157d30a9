"""A PagerDuty account: schedules and who is on call, each answer held against the description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.http_server import Answer, Asked, serving
from tests.people.description import held
from tests.people.world import NOON

KEY = "u+readonly"


@dataclass
class PagerDutySite:
    """The state. `page` is how many on-calls a page holds at most, whatever is asked for."""

    oncalls: list[dict[str, Any]] = field(default_factory=list)
    schedules: dict[str, str] = field(default_factory=dict)
    now: datetime = NOON
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def on_call(self, name: str, schedule: str, begins: float, ends: float) -> None:
        """Put somebody on a schedule, from so many hours after noon to so many."""
        self.schedules.setdefault(schedule, f"P{len(self.schedules)}SCHED")
        key = self.schedules[schedule]
        email = f"{name.lower()}@example.com"
        user = {"id": f"P{name.upper()}", "type": "user", "summary": name, "name": name, "email": email}
        moments = [(NOON + timedelta(hours=one)).strftime("%Y-%m-%dT%H:%M:%SZ") for one in (begins, ends)]
        self.oncalls.append(
            {
                "escalation_policy": {"id": "PEP", "type": "escalation_policy_reference", "summary": "Default"},
                "user": user,
                "schedule": {"id": key, "type": "schedule_reference", "summary": schedule},
                "escalation_level": 1,
                "start": moments[0],
                "end": moments[1],
            }
        )

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.asked.append(asked)
        said = self.trouble.pop(len(self.asked), None) or self._answer(asked)
        said.headers["Date"] = format_datetime(self.now, usegmt=True)
        return said

    def _answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Token token={KEY}":
            return Answer(status=401, data={"error": {"message": "Unauthorized", "code": 2006}})
        if asked.path == "/schedules":
            rows = [{"id": key, "type": "schedule", "summary": name} for name, key in self.schedules.items()]
            return self._page(asked, "Schedules", rows)
        assert asked.path == "/oncalls" and asked.query["include[]"] == ["users"]
        since, until = asked.query["since"][0], asked.query["until"][0]
        there = [one for one in self.oncalls if one["start"] is None or (one["start"] < until and one["end"] > since)]
        return self._page(asked, "Oncalls", there)

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        begin, size = int(asked.query["offset"][0]), int(asked.query["limit"][0])
        data = {kind.lower(): rows[begin : begin + size], "offset": begin, "limit": size, "total": None}
        return held("pagerduty", kind, data | {"more": begin + size < len(rows)})


@contextmanager
def pagerduty_site() -> Iterator[PagerDutySite]:
    """Give an account with two schedules, and somebody who is always on call."""
    site = PagerDutySite()
    site.on_call("Rita", "Payments primary", -4, 8)
    site.on_call("Abel", "Payments primary", 8, 20)
    site.on_call("Abel", "Payments secondary", -1, 1)
    site.on_call("Nobody", "Payments secondary", 1, 9)
    always = dict(site.oncalls[0], schedule=None, start=None, end=None)
    site.oncalls.append(always)
    with serving(site.answer) as server:
        site.address = server.address
        yield site
