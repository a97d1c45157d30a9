"""5,000 grants (or BENCH_GRANTS) over 20 integrations that end in the same minute: the lag from due to proven.

Our PostgreSQL and Redis are real, the worker is that of script/up, in this process; the targets are simulated, so what
is measured is ours. The rival does the writes that an end needs at the least, with nothing around them: four
transactions (the end is ordered, leased, reported, proven) of three statements each, on tables of their own in the same
database.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone
from lib import benchworld
from lib.remote.world import ringing

from access_requests import actions
from access_requests.models import AccessRequest, Proof
from accounts.models import User
from audit.actor import system
from benchmarks import Measure
from benchmarks.ends import ticking
from integrations import actions as integration_actions
from integrations.models import Integration
from tests import servers
from tests.cast import assemble
from tests.simulated import TARGETS, Target
from tests.story import Story, database, flow, put_into, simulated_provider

GRANTS, SYSTEMS = int(os.environ.get("BENCH_GRANTS", "5000")), 20
LEAD, MINUTE = timedelta(seconds=5), 60
BARE = 500


def run() -> Iterator[Measure]:
    """Grant, end all within a minute, wait for the last proof; then the rival."""
    with benchworld.database(), simulated_provider(), broker(), benchworld.workers(), ticking():
        integrations = connect()
        began = time.monotonic()
        grant(integrations)
        yield Measure(f"grants opened, of {GRANTS}", GRANTS / (time.monotonic() - began), "/s")
        due, step = timezone.now() + LEAD, MINUTE / GRANTS
        for number, pk in enumerate(AccessRequest.objects.order_by("pk").values_list("pk", flat=True)):
            AccessRequest.objects.filter(pk=pk).update(ends_at=due + timedelta(seconds=number * step))
        benchworld.until(lambda: Proof.objects.count() == GRANTS, 1800, "the last proof", every=0.5)
        yield from measures()
    with benchworld.database():
        rate = bare()
        yield Measure("the bare statements alone", rate, "/s")
        yield Measure("bare statements over ours, in ends a second", rate / ends_a_second(), "x")


@contextmanager
def broker() -> Iterator[None]:
    """A Redis of the benchmark's own, which carries rings and what pages are told, as in production."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, servers.redis(Path(name)) as address, ringing(address):
        yield


_told: dict[str, float] = {}


def ends_a_second() -> float:
    """Return what `measures` found."""
    return _told["rate"]


def measures() -> Iterator[Measure]:
    """Tell the lags, and whether every integration got its turn."""
    rows = list(Proof.objects.values_list("group__integration", "lag_seconds", "due_at", "ended_at"))
    lags = [lag for _, lag, _, _ in rows]
    seconds = (max(row[3] for row in rows) - min(row[2] for row in rows)).total_seconds()
    _told["rate"] = len(rows) / seconds
    yield Measure("due to proven, median", benchworld.percentile(lags, 0.5), "s")
    yield Measure("due to proven, 99th percentile", benchworld.percentile(lags, 0.99), "s")
    yield Measure("due to proven, at most", max(lags), "s")
    yield Measure("ends proven", _told["rate"], "/s")
    by_system: dict[object, list[float]] = defaultdict(list)
    for system_, lag, _, _ in rows:
        by_system[system_].append(lag)
    medians = sorted(benchworld.percentile(one, 0.5) for one in by_system.values())
    yield Measure("worst integration's median over the best's", medians[-1] / max(medians[0], 0.001), "x", most=3)


def connect() -> list[Integration]:
    """Connect the systems, each with one database."""
    made = []
    for number in range(SYSTEMS):
        one = integration_actions.connect(
            f"System {number}", "simulated", config={"hostname": "sim"}, secrets={"password": "p"}, actor=system()
        )
        TARGETS[str(one.pk)].databases = [database("orders")]
        flow(one, f"Flow {number}", mode="none", requestors=MANY)
        made.append(one)
    benchworld.until(lambda: all(one.resources.exists() for one in made), 120, "the first syncs", every=0.2)
    return made


MANY = {"conditions": [{"type": "group", "operator": "is", "values": ["many"]}]}


def grant(integrations: list[Integration]) -> None:
    """Give each person an hour in one of the systems."""
    cast = assemble()
    names = [f"engineer{number}" for number in range(GRANTS)]
    people = User.objects.bulk_create(User(email=f"{name}@example.com", name=name) for name in names)
    put_into("many", *people)
    stories = [Story(cast, one, Target(), timezone.now()) for one in integrations]
    pairs = [story.pair("orders") for story in stories]
    for number, user in enumerate(people):
        story, pair = stories[number % SYSTEMS], pairs[number % SYSTEMS]
        actions.ask(user, [pair], actor=story.by(user), justification="a benchmark")
    benchworld.until(
        lambda: AccessRequest.objects.filter(state="active").count() == GRANTS, 1800, "all active", every=0.5
    )


def bare() -> float:
    """Return how many ends a second the least that an end has to write allows."""
    with connection.cursor() as cursor:
        for name in ("bare_rows", "bare_log"):
            cursor.execute(f"CREATE TABLE {name} (id bigserial PRIMARY KEY, state text, told jsonb, at timestamptz)")
        cursor.execute("INSERT INTO bare_rows (state, at) SELECT 'active', now() FROM generate_series(1, %s)", [BARE])
        began = time.monotonic()
        for pk in range(1, BARE + 1):
            for state in ("revoking", "leased", "done", "revoked"):
                with transaction.atomic():
                    cursor.execute("SELECT id FROM bare_rows WHERE id = %s FOR UPDATE", [pk])
                    cursor.execute("UPDATE bare_rows SET state = %s, at = now() WHERE id = %s", [state, pk])
                    cursor.execute("INSERT INTO bare_log (state, told, at) VALUES (%s, '{}', now())", [state])
        return BARE / (time.monotonic() - began)
