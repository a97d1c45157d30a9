"""1,000 grants (or BENCH_GRANTS) on a real PostgreSQL that end at once: the lag from due to proven."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import connections
from django.utils import timezone
from lib import benchworld

from access_requests import actions
from access_requests.models import AccessRequest, Proof
from access_requests.tasks import sweep
from accounts.models import User
from benchmarks import Measure
from integrations.tasks import run_orders
from tests.cast import assemble
from tests.journeys.real import connect, logins, target
from tests.story import Story, flow, put_into
from tests.targets import running

GRANTS = int(os.environ.get("BENCH_GRANTS", "1000"))
LEAD = timedelta(seconds=5)


def run() -> Iterator[Measure]:
    """Grant to as many people as there are grants, end all in the same second, wait for the last proof."""
    with benchworld.database(), running(16) as server, benchworld.workers(), ticking():
        story = connect(assemble(), server, "shop")
        benchworld.until(lambda: story.integration.resources.filter(name="shop").exists(), 60, "the first sync")
        began = time.monotonic()
        grant(story)
        yield Measure(f"grants opened, of {GRANTS}", GRANTS / (time.monotonic() - began), "/s")
        due = timezone.now() + LEAD
        AccessRequest.objects.filter(state="active").update(ends_at=due)
        benchworld.until(lambda: Proof.objects.count() == GRANTS, 900, "the last proof", every=0.5)
        lags = list(Proof.objects.values_list("lag_seconds", flat=True))
        assert not any(logins(server).values())
        yield Measure("due to proven, median", benchworld.percentile(lags, 0.5), "s")
        yield Measure("due to proven, 99th percentile", benchworld.percentile(lags, 0.99), "s")
        yield Measure("ends proven", GRANTS / max(lags), "/s")


def grant(story: Story) -> None:
    """Give everybody an hour of reading, without approval."""
    names = [f"engineer{number}" for number in range(GRANTS)]
    people = User.objects.bulk_create(User(email=f"{name}@example.com", name=name) for name in names)
    put_into("many", *people)
    flow(
        story.integration,
        "Many",
        mode="none",
        requestors={"conditions": [{"type": "group", "operator": "is", "values": ["many"]}]},
        targets=[target(story.integration)],
    )
    pair = story.pair("shop")
    for user in people:
        actions.ask(user, [pair], actor=story.by(user), justification="a benchmark")
    benchworld.until(
        lambda: AccessRequest.objects.filter(state="active").count() == GRANTS, 900, "all active", every=0.5
    )


class ticking:
    """Rings the sweeps every two seconds, as the timetable does."""

    def __enter__(self) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        """Ring until it is over."""
        while not self.over.wait(2):
            sweep.delay()
            run_orders.delay()
        connections.close_all()

    def __exit__(self, *problem: object) -> None:
        self.over.set()
        self.thread.join()
