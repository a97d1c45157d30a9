"""Decisions per second with 2,000 flows and 20,000 people, and what one may ask for of a million resources.

A decision is all that a dry run does before it looks for approvers: who the person is, which flows match, what they
give of two entitlements, which decides. The rival sends, in the same run, the bare statements for the same rows and
does nothing with them; the pure function is measured by itself, too. What one may ask for is the first page, warm, with
200 flows matching, an eighth of their targets queries; its rival are its own statements, sent bare.
LATCHKEY_TEST_DATABASE=sqlite measures SQLite, which has no limit to keep.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from lib import benchworld, inventory

from access_requests import actions, offering
from accounts.models import Group, GroupMembership, User
from accounts.queries import facts_of
from benchmarks import Measure
from flows.current import policy
from flows.decision import Facts, FlowFacts, decide
from flows.queries import flows_for
from integrations.models import Permission, Resource
from integrations.queries import entitlements

PEOPLE, DECISIONS, ROUNDS = 20_000, 300, 60
AIM_MS = 50.0
AT = datetime(2026, 11, 30, 10, tzinfo=UTC)
Pair = tuple[int, int]


def run() -> Iterator[Measure]:
    """Measure decisions of people by chance, then the first page of one person."""
    limited = connection.vendor == "postgresql"
    with benchworld.database():
        person = inventory.fill()
        rng = random.Random(5)
        people = crowd(rng)
        asks = [(who, pairs(rng)) for who in rng.choices(people, k=DECISIONS)]
        yield from decisions(asks)
        yield from pure(asks)
        first = timed(lambda: offering.look(offering.asker(person), offering.Filters()), ROUNDS)
        yield Measure("what may I ask for, first page: median", statistics.median(first), "ms")
        p95 = benchworld.percentile(first, 0.95)
        yield Measure("what may I ask for, first page: p95", p95, "ms", most=AIM_MS if limited else None)
        bare = statistics.median(statements(lambda: offering.look(offering.asker(person), offering.Filters())))
        yield Measure("its bare statements: median", bare, "ms")
        yield Measure("first page: of that", statistics.median(first) / bare, "x")


def crowd(rng: random.Random) -> list[User]:
    """Make people, each in five of the hundred groups that flows name."""
    groups = list(Group.objects.filter(name__startswith="team ").order_by("name"))
    people = User.objects.bulk_create(
        [User(email=f"p{number}@example.com", name=f"P {number}") for number in range(PEOPLE)], batch_size=2000
    )
    GroupMembership.objects.bulk_create(
        [GroupMembership(group=group, user=who) for who in people for group in rng.sample(groups, 5)], batch_size=5000
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return people


def pairs(rng: random.Random) -> list[Pair]:
    """Return two entitlements by chance."""
    found = []
    for pk in (rng.randrange(1, inventory.RESOURCES // 2) for _ in range(2)):
        row = Resource.objects.filter(pk__gte=pk).order_by("pk").first()
        if row is not None:
            permission = Permission.objects.filter(resource_type=row.resource_type_id).order_by("pk").first()
            found.append((row.pk, permission.pk if permission else 0))
    return found


def facts(who: User, wanted: Sequence[Pair], flows: tuple[FlowFacts, ...] | None = None) -> Facts:
    """Read all that a decision looks at."""
    me = facts_of([who])[who.pk]
    return Facts(me, me, tuple(entitlements(wanted)), flows if flows is not None else flows_for(me), at=AT)


def decisions(asks: list[tuple[User, list[Pair]]]) -> Iterator[Measure]:
    """Measure whole decisions and, in turn with them, the same statements sent by hand."""
    decide(facts(*asks[0]))
    whole, bare, given = 0.0, 0.0, 0
    for who, wanted in asks:
        began = time.perf_counter()
        given += bool(decide(facts(who, wanted)).parts)
        whole += time.perf_counter() - began
        (milliseconds,) = statements(lambda who=who, wanted=wanted: facts(who, wanted), rounds=1)
        bare += milliseconds / 1000
    yield Measure(f"decisions ({given} of {len(asks)} given)", len(asks) / whole, "a second")
    yield Measure("their bare statements", len(asks) / bare, "a second")
    yield Measure("decision: of the bare statements", whole / bare, "x")
    began = time.perf_counter()
    for who, wanted in asks[:100]:
        actions.dry_run(who, wanted, justification="bench", at=AT)
    yield Measure("dry runs, with who would be asked", 100 / (time.perf_counter() - began), "a second")


def pure(asks: list[tuple[User, list[Pair]]]) -> Iterator[Measure]:
    """Measure the pure function alone: with the flows that match, and with all there are."""
    every = policy().flows
    for name, flows in (("matching flows", None), (f"all {len(every):,} flows", every)):
        read = [facts(who, wanted, flows) for who, wanted in asks]
        began = time.perf_counter()
        for one in read:
            decide(one)
        yield Measure(f"decide(facts) with {name}", len(read) / (time.perf_counter() - began), "a second")


def statements(work: Callable[[], Any], rounds: int = 15) -> list[float]:
    """Return the milliseconds that the statements of some work take by themselves, sent one after the other."""
    with CaptureQueriesContext(connection) as caught:
        work()
    sent = [one["sql"] for one in caught.captured_queries if one["sql"].lstrip().upper().startswith(("SELECT", "WITH"))]

    def send() -> None:
        # The driver's own cursor: what was caught is complete, and a % in it is no place for a value.
        with connection.connection.cursor() as cursor:
            for sql in sent:
                cursor.execute(sql).fetchall()

    return timed(send, rounds)


def timed(work: Callable[[], Any], rounds: int) -> list[float]:
    """Return the milliseconds of each round, after one that warms up."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]
