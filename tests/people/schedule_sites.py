"""Accounts of Zenduty and Splunk On-Call, each answer held against the description."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self

from tests.http_server import Answer, Asked, serving
from tests.people.description import held
from tests.people.world import NOON

KEY, API_ID = "reads-only", "org-api-id"
TEAM = "61010821-08aa-4098-94f8-{:012}"


@dataclass
class Schedules(ABC):
    """Two teams with one policy each. Whoever is on call is told by (name, from, to), in hours after noon."""

    turns: dict[int, list[tuple[str, float, float]]] = field(
        default_factory=lambda: {
            1: [("rita", -4, 8), ("abel", 8, 20)],
            2: [("abel", -1, 1), ("nobody", 1, 9)],
        }
    )
    now: datetime = NOON
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def answer(self, asked: Asked) -> Answer:
        """Answer one request, with the vendor's own time."""
        self.asked.append(asked)
        said = self.trouble.pop(len(self.asked), None) or self.said(asked)
        said.headers["Date"] = format_datetime(self.now, usegmt=True)
        return said

    @abstractmethod
    def said(self, asked: Asked) -> Answer:
        """Return the answer to a request."""

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Serve it."""
        with serving(self.answer) as server:
            self.address = server.address
            yield self


class ZendutySite(Schedules):
    """Tells who is on call now, by level."""

    def said(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.headers.get("Authorization") != f"Token {KEY}":
            return held("zenduty", "Error", {"detail": "Invalid token."}, status=401)
        if asked.path == "/api/account/teams/":
            rows = [{"unique_id": TEAM.format(one), "name": f"Team {one}", "private": False} for one in self.turns]
            return held("zenduty", "Teams", rows)
        found = re.fullmatch(r"/api/v2/account/teams/([0-9a-f-]+)/oncall/", asked.path)
        assert found is not None, asked.path
        number = int(found[1][-12:])
        hours = (self.now - NOON) / timedelta(hours=1)
        there = [name for name, begins, ends in self.turns[number] if begins <= hours < ends]
        second = {"ep_rule": "r2", "position": 2, "delay": 5, "oncalls": [_user("dora")]}
        # Levels come in any order: the position tells.
        rules = [second, {"ep_rule": "r1", "position": 1, "delay": 0, "oncalls": [_user(one) for one in there]}]
        policy = {"unique_id": f"policy-{number}", "name": "Default Escalation Policy", "oncalls": rules}
        return held("zenduty", "OnCall", [policy])


def _user(name: str) -> dict[str, Any]:
    return {"username": f"{name}-1", "first_name": name, "last_name": " ", "email": f"{name}@example.com"}


@dataclass
class SplunkSite(Schedules):
    """Tells turns and overrides: (whose place, who takes it, from, to)."""

    overrides: dict[int, list[tuple[str, str, float, float]]] = field(default_factory=dict)

    def said(self, asked: Asked) -> Answer:
        """Answer one request."""
        if (asked.headers.get("X-VO-Api-Id"), asked.headers.get("X-VO-Api-Key")) != (API_ID, KEY):
            return refused()
        if asked.path == "/api-public/v2/user":
            names = ("rita", "abel", "nobody")
            return held("splunk", "Users", {"users": [{"username": f"{one}.1", "email": _mail(one)} for one in names]})
        if asked.path == "/api-public/v1/team":
            rows = [{"name": f"Team {one}", "slug": f"team-{one}", "description": ""} for one in self.turns]
            return held("splunk", "Teams", rows)
        found = re.fullmatch(r"/api-public/v2/team/team-(\d)/oncall/schedule", asked.path)
        assert found is not None and asked.query["daysForward"] == ["2"], asked.path
        return self._schedule(int(found[1]))

    def _schedule(self, number: int) -> Answer:
        rolls = [
            {"onCallUser": _who(name), "start": _moment(begins), "end": _moment(ends), "isRoll": True}
            for name, begins, ends in self.turns[number]
        ]
        policy = {"name": "Primary", "slug": f"pol-{number}"}
        over = [
            {"origOnCallUser": _who(one), "overrideOnCallUser": _who(two), "start": _moment(b), "end": _moment(e)}
            for one, two, b, e in self.overrides.get(number, [])
        ]
        entries = [
            {"onCallUser": _who("rita"), "onCallType": "rotation_group", "rotationName": "Week", "rolls": rolls},
            {"onCallUser": _who("nobody"), "onCallType": "user"},
        ]
        schedules = [{"policy": policy, "schedule": entries, "overrides": over}]
        team = {"name": f"Team {number}", "slug": f"team-{number}"}
        return held("splunk", "Schedule", {"team": team, "schedules": schedules})


def refused() -> Answer:
    """Return what Splunk On-Call says to a wrong key, and to who asks too often."""
    return Answer(status=403, data={"error": "Authentication failed or rate-limit reached"})


def _who(name: str) -> dict[str, Any]:
    return {"username": f"{name}.1"} if name else {}


def _mail(name: str) -> str:
    return f"{name}@example.com"


def _moment(hours: float) -> str:
    """Return a moment so many hours after noon, in another zone, as Splunk On-Call writes it."""
    return (NOON + timedelta(hours=hours - 6)).strftime("%Y-%m-%dT%H:%M:%S-06:00")
