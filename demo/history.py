"""Makes the demo's past: people, systems, policy and a month of requests, every entry of the trail marked as demo."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.utils import timezone

import audit.actions
from access_requests.actions import automatic
from audit.actions import Subject
from audit.actor import Actor, system
from audit.choices import Source
from connectors.registry import BUILT_IN
from demo import people, plans, policy
from demo.folder import FIRST_ACTION
from demo.marking import marked
from demo.month import Month, by
from demo.plans import Answer, End, Plan
from integrations import actions as integrations
from integrations.models import Integration

SEED = 20
ABOUT = Subject("demo", "", "Demo")
MINUTE = timedelta(minutes=1)
# How many of the requests the scenes below make, so that the rest are drawn.
SCENES = 8


@dataclass(frozen=True, slots=True)
class Server:
    """Where the real PostgreSQL answers, and the connector's password."""

    port: int
    password: str


def make(
    requests: int,
    *,
    server: Server | None = None,
    until: datetime | None = None,
    say: Callable[[int], None] = lambda n: None,
) -> int:
    """Make everything that leads up to `until` (now); return how many requests were made. `say` hears of each.

    Without a server there is no real target, and nothing waits for an answer on it.
    """
    end = until or timezone.now()
    begins = end - timedelta(days=plans.DAYS, hours=4)
    with marked():
        _note(FIRST_ACTION, begins, {"seed": SEED, "requests": requests})
        people.assemble(actor=platform(), at=begins)
        month = Month(random.Random(SEED), begins)  # noqa: S311  # repeatable, and no secret
        simulated = cast(Any, BUILT_IN.provider("simulated"))
        before, simulated.now = simulated.now, month.clock
        try:
            _live(month, requests, end, server, say)
        finally:
            simulated.now = before
        integrations.stop_instances(at=month.now)
        _note("demo.made", month.now, {"requests": month.asked})
    while audit.actions.seal():
        pass
    return month.asked


def platform() -> Actor:
    """Return who makes what no person of the demo makes."""
    return Actor(kind=system().kind, name="Demo", source=Source.DEMO)


def _note(action: str, at: datetime, details: dict[str, Any]) -> None:
    with transaction.atomic():
        audit.actions.record(action, actor=platform(), subject=ABOUT, details=details, at=at)


def _live(month: Month, requests: int, end: datetime, server: Server | None, say: Callable[[int], None]) -> None:
    """Connect the systems, write the policy, and live through the month."""
    systems = {
        one.name: policy.connect_simulated(one, actor=by(policy.find(people.ADMIN)), at=month.tick())
        for one in policy.SYSTEMS
    }
    month.rest()
    policy.write_simulated(systems, actor=by(policy.find(people.ADMIN)), at=month.tick())
    policy.write_emergency(actor=by(policy.find(people.ADMIN)), at=month.tick())
    for plan in plans.draw(month.rng, max(0, requests - SCENES), end):
        month.plan(plan)
    _outage(month, systems[policy.WAREHOUSE.name], end - timedelta(days=12))
    _gone(month, systems[policy.WAREHOUSE.name], end - timedelta(days=5, hours=2))
    _now(month, end, server)
    month.run(lambda: say(month.asked))
    _standing(month)


def _outage(month: Month, warehouse: Integration, at: datetime) -> None:
    """A system is down when access is due to end: the revoke is overdue for a while, and then proven."""
    down, key = cast(Any, BUILT_IN.provider("simulated")).down, str(warehouse.pk)
    read: dict[str, Any] = {"system": warehouse.name, "permission": "READ_ONLY", "minutes": 60, "end": End.TIME}
    month.plan(Plan(at, "hana.olive@example.com", databases=("sales_mart",), why="DATA-2107: daily totals", **read))
    month.plan(
        Plan(at + 4 * MINUTE, people.ENGINEER, databases=("events_raw",), why="INC-3310: doubled events", **read)
    )
    month.at(at + 40 * MINUTE, lambda: down.add(key))
    for minute in range(41, 101, 2):
        month.at(at + minute * MINUTE, lambda: None)
    month.at(at + 99 * MINUTE, lambda: down.discard(key))
    # Tries come further and further apart: by then one has come through.
    for minute in range(101, 240, 5):
        month.at(at + minute * MINUTE, lambda: None)


def _gone(month: Month, warehouse: Integration, at: datetime) -> None:
    """A database is gone: one request fails, another opens in part, with a warning."""
    missing, thing = cast(Any, BUILT_IN.provider("simulated")).missing, (str(warehouse.pk), "forecasts")
    read: dict[str, Any] = {"system": warehouse.name, "permission": "READ_ONLY", "minutes": 60}
    month.at(at - MINUTE, lambda: missing.add(thing))
    month.plan(Plan(at, "max.linden@example.com", databases=("forecasts",), why="DATA-2290: plan for March", **read))
    month.plan(
        Plan(
            at + 6 * MINUTE, "max.linden@example.com", databases=("forecasts", "finance_mart"),
            why="DATA-2290: once more, with finance", **read,
        )
    )  # fmt: skip
    month.at(at + 90 * MINUTE, lambda: missing.discard(thing))


def _now(month: Month, end: datetime, server: Server | None) -> None:
    """Connect the real server, and leave some requests waiting for the approver."""
    waits: dict[str, Any] = {"answer": Answer.NONE}
    if server is not None:
        month.at(end - 150 * MINUTE, lambda: _connect(month, server))
        month.plan(
            Plan(
                end - 24 * MINUTE, "noor.aspen@example.com", policy.REAL, ("ledger",), "READ_WRITE", 120,
                "FIN-311: two postings of Friday are booked twice", **waits,
            )
        )  # fmt: skip
    month.plan(
        Plan(
            end - 13 * MINUTE, "mika.beech@example.com", policy.WAREHOUSE.name, ("sales_mart", "customer_360"),
            "READ_WRITE", 60, "DATA-2381: load the missing hour again", **waits,
        )
    )  # fmt: skip
    month.plan(
        Plan(
            end - 5 * MINUTE, "ivo.heath@example.com", policy.WAREHOUSE.name, ("finance_mart",), "READ_ONLY", 120,
            "Quarterly reconciliation, last part", **waits,
        )
    )  # fmt: skip
    month.plan(
        Plan(
            end - 34 * MINUTE,
            "diego.pine@example.com",
            policy.WAREHOUSE.name,
            ("events_raw",),
            "READ_ONLY",
            240,
            "Weekly revenue report",
        )
    )


def _standing(month: Month) -> None:
    """Last, and by the real clock, for a run begins when it is heard of: what nobody asks for is given."""
    month.now = max(month.now, timezone.now())
    policy.write_standing(actor=by(policy.find(people.ADMIN)), at=month.now)
    automatic.sweep_runs()
    month.now = max(month.now, timezone.now())
    month.rest()


def _connect(month: Month, server: Server) -> None:
    """Connect the real server as its admin would, wait for the first sync, and write its policy."""
    admin = by(policy.find(people.ADMIN))
    integration = policy.connect_real(server.port, server.password, actor=admin, at=month.now)
    month.rest()
    policy.write_real(integration, actor=admin, at=month.tick())
    policy.write_bundle(integration, actor=admin, at=month.tick())
