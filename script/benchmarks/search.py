"""The first page of a search at a million resources, 2,000 flows, 200 of them matching; against reading their index.

What is measured is all that the page asks for: who the person is, which flows match, where what they give lies, the
page of results with what may be asked for on each, and the counts of the chips. The rival reads, in the same run, every
entry of the index that the person may ask for and does nothing with it: what the worst text cannot do without.
LATCHKEY_TEST_DATABASE=sqlite measures SQLite, which has no limit to keep.
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
from flows.queries import requestable

AIM_MS = 50.0
RATIO = 3.0
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
        raw = every_entry(person)
        every = [one for times in taken.values() for one in times]
        limited = connection.vendor == "postgresql"
        for name, times in taken.items():
            yield Measure(f"{name}: median", statistics.median(times), "ms")
            yield Measure(f"{name}: p95", benchworld.percentile(times, 0.95), "ms")
        yield Measure("all texts: median", statistics.median(every), "ms")
        p95 = benchworld.percentile(every, 0.95)
        yield Measure("all texts: p95", p95, "ms", most=AIM_MS if limited else None)
        yield Measure("every entry of the index, median", raw, "ms")
        yield Measure("all texts: p95 of that", p95 / raw, "x", most=RATIO if limited else None)


def measure(person: User) -> dict[str, list[float]]:
    """Return the milliseconds of the first page by kind of text."""
    taken: dict[str, list[float]] = {name: [] for name in TEXTS}
    for number in range(ROUNDS + 1):
        for name, text in TEXTS.items():
            milliseconds = clock(lambda text=text: offering.look(offering.asker(person), offering.Filters(q=text)))
            if number:
                taken[name].append(milliseconds)
    return taken


def every_entry(person: User) -> float:
    """Return the milliseconds that counting all resources of the types takes of which the person may have something."""
    kinds = [place.type_id for place in requestable(offering.asker(person).reach)]
    marks = ", ".join(["%s"] * len(kinds))
    sql = f"SELECT count(searched) FROM integrations_resource WHERE status = 'active' AND resource_type_id IN ({marks})"
    with connection.cursor() as cursor:
        return statistics.median(clock(lambda: cursor.execute(sql, kinds).fetchall()) for _ in range(ROUNDS))


def clock(work: Callable[[], object]) -> float:
    """Return the milliseconds some work takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
