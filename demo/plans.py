"""What people meant to ask for in the invented month: drawn from a fixed seed, busy on workdays, quiet at night."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from demo.people import PEOPLE, local_zone
from demo.policy import DESK, PLATFORM, STAGING, WAREHOUSE, System

DAYS = 30
# Monday first.
BUSY = (1.15, 1.05, 1.0, 1.05, 0.8, 0.12, 0.1)
NIGHTS = 0.07


class Answer(StrEnum):
    """What comes of an ask that needs approval."""

    YES = "yes"
    NO = "no"
    NONE = "none"
    WITHDRAWN = "withdrawn"


class End(StrEnum):
    """How access ends."""

    TIME = "time"
    HANDED_BACK = "handed back"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ask: who makes it, for what, how often, for how long, and what they write."""

    groups: tuple[str, ...]
    system: System
    permission: str
    share: float
    minutes: tuple[int, ...]
    why: tuple[str, ...]
    databases: tuple[str, ...] = ()
    by_night: bool = False


KINDS = (
    Kind(
        ("data", "payments"), WAREHOUSE, "READ_ONLY", 0.32, (60, 120, 240, 480),
        ("Weekly revenue report", "DATA-{n}: numbers for the board", "Checking yesterday’s load",
         "Why are refunds up in Porto?", "DATA-{n}: forecast against last year", "INC-{n}: totals are off"),
        by_night=True,
    ),
    Kind(
        ("data", "payments"), WAREHOUSE, "READ_WRITE", 0.14, (60, 120, 240),
        ("DATA-{n}: load the missing hour again", "DATA-{n}: correct two currency rates",
         "Backfill of {n} rows, reviewed"),
        databases=("sales_mart", "events_raw", "customer_360"),
    ),
    Kind(
        ("platform", "payments", "contractors"), STAGING, "READ_WRITE", 0.20, (60, 240, 480),
        ("", "Trying the migration of PAY-{n}", "PAY-{n}: test data for checkout", "Load test", "PAY-{n}"),
    ),
    Kind(
        ("support",), DESK, "READ_ONLY", 0.17, (30, 60),
        ("Ticket {n}: a customer was charged twice", "Ticket {n}: where is the parcel?", "Ticket {n}: refund not seen"),
    ),
    Kind(
        ("platform",), PLATFORM, "ADMIN", 0.12, (30, 60),
        ("INC-{n}: job queue is stuck", "OPS-{n}: rotate a flag left on", "OPS-{n}: planned upgrade, step 2",
         "INC-{n}: deploys wait for a lock"),
        by_night=True,
    ),
    Kind(
        ("contractors",), WAREHOUSE, "READ_ONLY", 0.05, (60, 120),
        ("Quarterly reconciliation, part {n}", "Audit sample for the finance team"),
        databases=("finance_mart",),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """One ask and what comes of it, so far as people decide that. `share` of the time granted was used."""

    at: datetime
    email: str
    system: str
    databases: tuple[str, ...]
    permission: str
    minutes: int
    why: str
    answer: Answer = Answer.YES
    answered_after: timedelta = timedelta(minutes=6)
    end: End = End.TIME
    share: float = 1.0
    fetches: bool = True
    extends: bool = False


def draw(rng: random.Random, count: int, until: datetime) -> list[Plan]:
    """Return `count` plans for the 30 days before `until`, in order of time."""
    zone = ZoneInfo(local_zone() or "UTC")
    return sorted((_plan(rng, until, zone) for _ in range(count)), key=lambda plan: plan.at)


def _plan(rng: random.Random, until: datetime, zone: ZoneInfo) -> Plan:
    at = next(_moments(rng, until, zone))
    night = not 7 <= at.astimezone(zone).hour < 20
    kinds = [kind for kind in KINDS if kind.by_night or not night]
    (kind,) = rng.choices(kinds, [kind.share for kind in kinds])
    people = [person for person in PEOPLE if set(kind.groups) & set(person.groups) and person.manager]
    names = kind.databases or kind.system.databases
    (answer,) = rng.choices(list(Answer), (86, 7, 3, 4))
    (end,) = rng.choices(list(End), (55, 42, 3))
    return Plan(
        at=at,
        email=rng.choice(people).email,
        system=kind.system.name,
        databases=tuple(rng.sample(names, min(len(names), rng.choices((1, 2, 3), (75, 20, 5))[0]))),
        permission=kind.permission,
        minutes=rng.choice(kind.minutes),
        why=rng.choice(kind.why).format(n=rng.randint(1100, 4900)),
        answer=answer,
        answered_after=timedelta(minutes=min(rng.lognormvariate(2.0, 1.0), 400)),
        end=end,
        share=rng.uniform(0.1, 0.85),
        fetches=rng.random() < 0.85,
        extends=rng.random() < 0.15,
    )


def _moments(rng: random.Random, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield moments of the month as work is spread: two humps on workdays, little at night and at weekends."""
    while True:
        day = (until - timedelta(days=rng.uniform(0, DAYS))).astimezone(zone)
        if rng.random() > BUSY[day.weekday()] / max(BUSY):
            continue
        hour = rng.uniform(0, 24) if rng.random() < NIGHTS else rng.gauss(*rng.choice(((10.4, 1.1), (14.8, 1.5))))
        moment = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=max(0.0, min(hour, 23.9)))
        if until - timedelta(days=DAYS) < moment < until - timedelta(minutes=40):
            yield moment
