"""Server time of every page at 1,000,000 resources and 100,000 requests, 2,000 flows, 20,000 people, on PostgreSQL."""

from __future__ import annotations

import os
import re
import statistics
import time
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.db import connection
from django.test import Client
from lib import benchworld
from lib.crowd import Crowd, Size, gather

from benchmarks import Measure
from tests.browser.inspecting import LEAVING, name_of
from tests.cast import PASSWORD, assemble

ROUNDS = 15
AIM_MS = 250.0
SHARE = float(os.environ.get("BENCH_SHARE", "1"))


def run() -> Iterator[Measure]:
    """Walk along the links as each of the three people; time each kind of page some times, warm."""
    whole = Size()
    size = Size(*(max(20, round(number * SHARE)) for number in vars(whole).values()))
    with benchworld.database():
        crowd = gather(assemble(), size)
        yield Measure("resources", size.resources, "rows")
        yield Measure("the database's own round trip, median", _round_trip(), "ms")
        for who in ("requester", "approver", "admin"):
            yield from _walk(crowd, who)


def _round_trip() -> float:
    """Return how long the smallest question to the database takes, in ms: the floor for every query of a page."""
    taken = []
    with connection.cursor() as cursor:
        for _ in range(200):
            began = time.perf_counter()
            cursor.execute("SELECT 1")
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _walk(crowd: Crowd, who: str) -> Iterator[Measure]:
    client, seen, queue = (
        Client(SERVER_NAME="127.0.0.1"),
        set[str](),
        deque(["/", "/requests/new/?q=ledger", "/activity/"]),
    )
    assert client.login(username=getattr(crowd.cast, who).email, password=PASSWORD)
    while queue:
        path = queue.popleft()
        name = name_of(urlsplit(path).path)
        if name in seen or path.startswith(LEAVING):
            continue
        seen.add(name)
        answer = client.get(path)
        if answer.status_code != 200 or answer.streaming:
            yield Measure(f"{who}, {name}: answered {answer.status_code}, not timed", answer.status_code, "")
            continue
        taken = [_once(client, path) for _ in range(ROUNDS)]
        p95 = benchworld.percentile(taken, 0.95)
        yield Measure(f"{who}, {name}, p95 (median {statistics.median(taken):.0f} ms)", p95, "ms", most=AIM_MS)
        queue.extend(_links(answer.content.decode()))


def _once(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1000


def _links(page: str) -> list[str]:
    found = re.findall(r'href="(/[^"#]*)"', page)
    return [one.replace("&amp;", "&") for one in found if not one.startswith(("//", "/static/"))]
