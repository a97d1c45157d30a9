"""The first page of a search: a million resources, 2,000 flows, 200 matching, against reading a page of an index.

What is measured is all that the page asks for: who the person is, which flows match, where what they give lies, the
page of results with what may be asked for on each, and the counts of the chips.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from django.db import connection
from lib import benchworld, inventory

from access_requests import offering
from accounts.models import User
from benchmarks import Measure

AIM_MS = 50.0
# One page of an index, a query and nothing else, takes about a third of a millisecond: the work is a hundred of those.
RATIO = 150.0
ROUNDS = 15
TEXTS = {
    "no text": "",
    "a letter": "a",
    "two letters": "qu",
    "two letters, none": "zq",
    "common": "ledger",
    "common, two words": "orders prod",
    "middling": "orders_ledger",
    "rare": "77777",
    "rare, two words": "report_archive 99",
    "none": "zzqqy",
    "none, with signs": "100%_'\"\\",
    "integration": "prod-7",
    "bundle": "kit 13",
    "not ASCII": "ärger",
}


def run() -> Iterator[Measure]:
    """Measure each kind of text many times in turn, after one round that warms up."""
    with benchworld.database():
        person = inventory.fill()
        taken = measure(person)
        raw = index_page()
        every = [one for times in taken.values() for one in times]
        for name, times in taken.items():
            yield Measure(f"{name}: median", statistics.median(times), "ms")
            yield Measure(f"{name}: p95", benchworld.percentile(times, 0.95), "ms", most=AIM_MS)
        yield Measure("all texts: median", statistics.median(every), "ms")
        yield Measure("all texts: p95", benchworld.percentile(every, 0.95), "ms", most=AIM_MS)
        yield Measure("one page of an index, raw, median", raw, "ms")
        yield Measure("all texts: median of raw", statistics.median(every) / raw, "x", most=RATIO)


def measure(person: User) -> dict[str, list[float]]:
    """Return the milliseconds of the first page by kind of text."""
    taken: dict[str, list[float]] = {name: [] for name in TEXTS}
    for number in range(ROUNDS + 1):
        for name, text in TEXTS.items():
            milliseconds = clock(lambda text=text: offering.look(offering.asker(person), offering.Filters(q=text)))
            if number:
                taken[name].append(milliseconds)
    return taken


def index_page() -> float:
    """Return the median of reading one page of an index by one prepared query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT resource_type_id FROM integrations_resource LIMIT 1")
        (kind,) = cursor.fetchone()

        def read() -> None:
            cursor.execute(
                "SELECT id, searched FROM integrations_resource WHERE resource_type_id = %s AND status = 'active'"
                " ORDER BY searched, id LIMIT 21",
                [kind],
            )
            cursor.fetchall()

        return statistics.median(clock(read) for _ in range(200))


def clock(work: Callable[[], object]) -> float:
    """Return the milliseconds some work takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
