"""Shifts from Opsgenie, against an account whose answers are held against Opsgenie's own description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from integrations import actions
from tests.cast import Cast
from tests.http_server import Answer, Asked, serving
from tests.people.description import held
from tests.people.world import NOON, Connected, attributes_of, connected

KEY = "genie-reads"
PRIMARY, SECONDARY = ("opsgenie_on_call", "Primary"), ("opsgenie_on_call", "Secondary")


def moment(hours: float) -> str:
    """Return a moment so many hours after noon, as Opsgenie writes it."""
    return (NOON + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def period(name: str, begins: float, ends: float, kind: str = "user") -> dict[str, Any]:
    """Return a period of a timeline."""
    recipient = {"id": f"id-{name}", "name": name, "type": kind}
    return {"startDate": moment(begins), "endDate": moment(ends), "type": "default", "recipient": recipient}


@dataclass
class OpsgenieSite:
    """The state: schedules with the periods of their one rotation."""

    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    periods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.asked.append(asked)
        said = self.trouble.pop(len(self.asked), None) or self._answer(asked)
        said.headers["Date"] = format_datetime(NOON, usegmt=True)
        return said

    def _answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"GenieKey {KEY}":
            return Answer(status=401, data={"message": "Could not authenticate", "took": 0.0, "requestId": "r"})
        if asked.path == "/v2/schedules":
            return held("opsgenie", "Schedules", {"data": list(self.schedules.values()), "took": 0.1, "requestId": "r"})
        found = re.fullmatch(r"/v2/schedules/([\w-]+)/timeline", asked.path)
        assert found is not None and asked.query["identifierType"] == ["id"] and asked.query["date"] == [moment(0)]
        rotation = {"id": "r1", "name": "Rotation", "order": 1.0, "periods": self.periods[found[1]]}
        data = {"_parent": self.schedules[found[1]], "finalTimeline": {"rotations": [rotation]}}
        return held("opsgenie", "Timelines", {"data": data, "took": 0.1, "requestId": "r"})


@pytest.fixture
def site() -> OpsgenieSite:
    site = OpsgenieSite()
    for key, name, enabled in (("s-1", "Primary", True), ("s-2", "Secondary", True), ("s-3", "Old", False)):
        site.schedules[key] = {"id": key, "name": name, "enabled": enabled, "timezone": "Europe/Berlin"}
    site.periods["s-1"] = [period("rita@example.com", -2, 6), period("abel@example.com", 6, 14)]
    site.periods["s-2"] = [period("Payments", -2, 6, kind="team"), period("abel@example.com", -1, 1)]
    return site


@pytest.fixture
def duty(fresh_database: None, cast: Cast, site: OpsgenieSite) -> Iterator[Connected]:
    with serving(site.answer) as server:
        yield connected(cast, "opsgenie-shifts", {"address": server.address}, {"key": KEY}, "Opsgenie")


def test_people_have_the_attribute_of_their_shift_while_it_runs(duty: Connected) -> None:
    run = duty.sync()
    assert (run.state, run.warnings) == ("succeeded", [])
    assert attributes_of("rita") == {PRIMARY} and attributes_of("abel") == {SECONDARY}
    duty.later(hours=6)
    actions.sweep_shifts(at=duty.now)
    assert attributes_of("rita") == set() and attributes_of("abel") == {PRIMARY}


def test_a_schedule_that_fails_in_the_middle_is_asked_again_and_those_before_are_not(
    duty: Connected, site: OpsgenieSite
) -> None:
    # One by the check; schedules, the first timeline: then Opsgenie has had enough.
    site.trouble[4] = Answer(status=429, data={"message": "You are making too many requests!"})
    assert duty.read().state == "running"
    assert attributes_of("rita") == set()
    site.asked.clear()
    duty.later(seconds=30)
    assert duty.sync().state == "succeeded"
    assert [one.path for one in site.asked] == ["/v2/schedules", "/v2/schedules/s-2/timeline"]
    assert attributes_of("rita") == {PRIMARY}
