"""10,000 past asks decided again with 2,000 flows, by policy of now and as it would be, against parsing their JSON."""

from __future__ import annotations

import json
import os
import resource
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection
from lib import benchworld, crowd
from lib.crowd import Size, gather

from access_requests.models import AskedFacts
from accounts.models import User
from accounts.queries import facts_of
from benchmarks import Measure
from flows.decision import Facts
from flows.decision.replay import from_json, to_json
from flows.models import AccessFlow, FlowVersion
from flows.whatif import Change, foresee, of_documents, of_flow
from flows.whatif.past import replayed
from integrations.models import Permission, Resource
from integrations.queries import entitlements
from tests.cast import assemble

ASKS = int(os.environ.get("BENCH_ASKS", "10000"))
SYSTEMS = 50
RESOURCES = int(os.environ.get("BENCH_RESOURCES", "40000"))
AIM_SECONDS, AIM_MEGABYTES = 10.0, 64.0


def run() -> Iterator[Measure]:
    """Replay changes that touch few asks, and one that touches all of them."""
    # As many systems as at product scale, with fewer resources each: a replay reads none of them.
    crowd.PER_INTEGRATION = RESOURCES // SYSTEMS
    with benchworld.database():
        gather(assemble(), Size(people=20_000, resources=RESOURCES, flows=2_000, matching=200, requests=0))
        _asks()
        at = datetime.now(UTC)
        parsing = _seconds(_parse)
        yield Measure("parse the JSON of all asks, nothing else", parsing, "s")
        yield Measure("parse it and make facts of it", _seconds(_facts), "s")
        one, every = _narrow(), _wide()
        replayed(one, at=at)
        for what, change in (("one flow of 2,000 changes", one), ("100 flows change: every ask is touched", every)):
            began = time.perf_counter()
            past = replayed(change, at=at)
            took = time.perf_counter() - began
            assert past.read == ASKS
            yield Measure(f"{what}; {past.changed:,} of {past.read:,} otherwise", took, "s", most=AIM_SECONDS)
            yield Measure("  … against parsing", took / parsing, "x")
        yield Measure("who gains, who loses, what ends, without the past", _seconds(lambda: foresee(one, at=at)), "s")
        yield Measure("memory that a replay holds at most", _peak(every, at), "MB", most=AIM_MEGABYTES)
        yield Measure("peak of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")


def _asks() -> None:
    """Make asks of the last 90 days by people who are engineers, on the systems that flows give them whole."""
    people = list(User.objects.filter(memberships__group__name="engineers"))
    facts = facts_of(people)
    given_whole = {
        one.document["targets"][0]["integration"]
        for one in FlowVersion.objects.all()
        if _theirs(one) and not one.document["targets"][0]["selectors"]
    }
    pool = list(Resource.objects.filter(integration__in=given_whole).order_by("source_id")[:2_000])
    allowed = {one.resource_type_id: one.pk for one in Permission.objects.filter(source_id="READ_ONLY")}
    given = entitlements((one.pk, allowed[one.resource_type_id]) for one in pool)
    now, rows = datetime.now(UTC), []
    for number in range(ASKS):
        who = facts[people[number % len(people)].pk]
        asks = tuple(given[(number * 7 + more * 13) % len(given)] for more in range(1 + number % 3))
        at = now - timedelta(days=89) * number / ASKS
        told = Facts(who, who, asks, (), duration_seconds=3600, justification="x", at=at)
        rows.append(AskedFacts(asked_at=at, facts=to_json(told)))
    AskedFacts.objects.bulk_create(rows, batch_size=1_000)


def _seconds(do: object) -> float:
    began = time.perf_counter()
    do()  # type: ignore[operator]
    return time.perf_counter() - began


def _parse() -> None:
    """Read the text of every ask, and parse it: the bare loop."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT facts::text FROM requests_askedfacts")
        for (text,) in cursor.fetchall():
            json.loads(text)


def _facts() -> None:
    for facts in AskedFacts.objects.values_list("facts", flat=True).iterator(chunk_size=500):
        from_json(facts, ())


def _narrow() -> Change:
    """One flow that engineers have gives less time."""
    flow = next(row for row in AccessFlow.objects.select_related("current").order_by("pk") if _theirs(row.current))
    assert flow.current is not None
    return of_flow(flow, flow.current.document | {"duration_seconds": 60})


def _theirs(version: FlowVersion | None) -> bool:
    document = version.document if version else None
    return bool(document and document["requestors"]["conditions"][0]["values"] == ["engineers"])


def _wide() -> Change:
    """Flows that engineers have, on every system: none is left."""
    theirs = [one.document for one in FlowVersion.objects.order_by("pk") if _theirs(one)]
    return of_documents((one, one | {"active": False}) for one in theirs[:100])


def _peak(change: Change, at: datetime) -> float:
    """Return how much a replay holds at once beyond what was there before; it is slower so, and not timed."""
    tracemalloc.start()
    try:
        replayed(change, at=at)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
