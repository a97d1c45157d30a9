"""Requests per second of the client API for list, create and approve, next to their statements by raw psycopg."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from django.test import Client, override_settings
from django.utils import timezone
from lib import benchbare, benchworld

from accounts import actions
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from benchmarks import Measure
from tests.cast import assemble
from tests.story import Story, begin, flow, simulated_provider

BASE = "/api/client/v1"
# How many of each are timed. More than a few hundred say no more; a try takes fewer.
CALLS = int(os.environ.get("BENCH_CALLS", "300"))
UNLIMITED = {"token": 10**9, "address": 10**9}


def run() -> Iterator[Measure]:
    """Ask, list and approve, one call after the other in one process, each kind next to its bare statements."""
    with benchworld.database(), simulated_provider(), override_settings(API_PER_MINUTE=UNLIMITED):
        names = [f"database {number}" for number in range(CALLS + 1)]
        story = begin(assemble(), *names)
        flow(story.integration)
        rita, abel = Calls(story.cast.requester), Calls(story.cast.approver)
        wanted = [_wanted(story, name) for name in names]
        yield from _measured("create", [lambda body=body: rita.post("access-requests", body) for body in wanted])
        page = "access-requests?scope=MyRequests&limit=20"
        yield from _measured("list, a page of 20", [lambda: rita.get(page)] * CALLS)
        tasks = _tasks(story)
        yield from _measured(
            "approve", [lambda name=name: abel.post(f"access-requests/{name}/approve", {}) for name in tasks]
        )


class Calls:
    """Somebody's client, with a token."""

    def __init__(self, user: User) -> None:
        """Make the token."""
        _, text = actions.issue_token(user, "bench", actor=person(user, Source.PORTAL), at=timezone.now())
        self.client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {text}"})

    def get(self, path: str) -> Any:
        """Return what a GET answers."""
        return self._good(self.client.get(f"{BASE}/{path}"))

    def post(self, path: str, body: Any) -> Any:
        """Return what a POST answers."""
        return self._good(self.client.post(f"{BASE}/{path}", json.dumps(body), content_type="application/json"))

    def _good(self, answer: Any) -> Any:
        assert answer.status_code == 200, (answer.status_code, answer.content)
        return answer.json()


def _wanted(story: Story, name: str) -> dict[str, Any]:
    """Return the body that asks for a database."""
    lists = ("integration_ids", "bundle_ids", "resource_type_ids", "resource_ids", "resources", "permission_ids")
    resource, permission = story.pair(name)
    body: dict[str, Any] = {f"filter_{one}": [] for one in lists}
    return body | {"filter_access_unit_ids": [f"{resource}:{permission}"], "justification": "a benchmark"}


def _tasks(story: Story) -> list[str]:
    waiting = story.cast.requester.requests_made.filter(state="pending").order_by("pk")
    return [f"AR-{pk}" for pk in waiting.values_list("pk", flat=True)]


def _measured(what: str, calls: list[Callable[[], Any]]) -> Iterator[Measure]:
    """Time the calls but the first, whose statements are sent again as often by raw psycopg."""
    sent = benchbare.statements(calls[0])
    ours = benchbare.seconds(lambda: [one() for one in calls[1:]])
    bare = benchbare.replay(sent, len(calls) - 1)
    number = len(calls) - 1
    yield Measure(f"{what}: a second", number / ours, "/s")
    yield Measure(f"{what}: statements of one", len(sent), "")
    yield Measure(f"{what}: bare statements, a second", number / bare, "/s")
    yield Measure(f"{what}: ratio", ours / bare, "x")
