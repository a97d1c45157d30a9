"""What has to hold at any moment, whatever broke: looked at from outside, in one snapshot of our database."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from access_requests.choices import HOLDS_ACCESS, RequestState
from access_requests.lifecycle import MOVES
from access_requests.models import AccessGroup, AccessRequest, Transition
from audit.models import AuditEntry
from audit.verify import verify
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.torture import records
from tests.torture.admins import Hands
from tests.torture.faults import Hurting
from tests.torture.people import Crowd
from tests.torture.sides import Answer, ask

# How long the sweep may take to begin what is due, of time in which nothing of the platform is hurt, on a machine that
# is as quick as the one this was written on (`Checker.scale` says how much slower this one is now). It is about what is
# forgotten, not about what is slow.
SLACK_SECONDS = 15.0
# The product's own measure, and the time after a fault in which leases run out and processes start.
OVERDUE_SECONDS = 60.0
GRACE_SECONDS = 8.0
OUTSIDE = ("target", "kill target", "pause target")
# How long one look takes on such a machine.
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Held:
    """A dispatched grant as our database has it at one moment."""

    kind: str
    person: str
    name: str
    state: str
    declared: bool
    databases: frozenset[str]
    busy: bool


@dataclass
class Checker:
    """Looks at both sides; every anomaly is kept with what is needed to understand it."""

    crowd: Crowd
    hurting: Hurting
    hands: Hands
    integrations: dict[str, str]
    # How much slower than usual the machine was when everything started.
    start_scale: float = 1.0
    anomalies: list[str] = field(default_factory=list)
    points: int = 0
    whole: int = 0
    compared: int = 0
    people: int = 0
    head: tuple[int, str] | None = None
    slowness: list[float] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        """Keep an anomaly once."""
        if what not in self.anomalies:
            self.anomalies.append(what)
            print(f"ANOMALY at point {self.points}: {what}", flush=True)

    @property
    def scale(self) -> float:
        """How much slower than usual the machine is: at the start, and by the slower of the last looks."""
        return min(8.0, max(1.0, self.start_scale, *sorted(self.slowness[-20:])[-5:][:1]))

    def look(self) -> None:
        """Look once. Raises what a database raises that is away: the caller comes again."""
        begun = time.monotonic()
        told = list(self.crowd.told)
        before = self.grants()
        answer = ask(self.hands.server, self.hands.ledger)
        with transaction.atomic():
            _in_one_snapshot()
            self.histories()
            self.forgotten()
            self.orders()
            self.audited(told)
            for one in records.wrong():
                self.wrong(one)
        self.compare(before, self.grants(), answer)
        self.points += 1
        self.slowness.append((time.monotonic() - begun) / LOOK_SECONDS)

    def grants(self) -> dict[str, Held]:
        """Return every dispatched grant, and whether anything is at work on its person there, of one snapshot."""
        with transaction.atomic():
            _in_one_snapshot()
            orders = Order.objects.filter(person__isnull=False)
            at_work = orders.filter(state__in=OPEN_ORDERS) | orders.exclude(lease_until=None)
            at_work |= orders.filter(state="done", absorbed_at=None)
            busy = set(at_work.values_list("integration", "person"))
            rows = AccessGroup.objects.filter(dispatched_at__isnull=False).select_related("request")
            return {str(row.pk): self._held(row, busy) for row in rows.prefetch_related("units")}

    def _held(self, row: AccessGroup, busy: set) -> Held:
        kind, request = self.integrations[str(row.integration_id)], row.request
        return Held(
            kind, str(request.grantee_id), row.login if kind == "postgresql" else str(row.pk), request.state,
            request.ended_how == "declared",
            frozenset(_database(one.resource_source_id) for one in row.units.all() if one.state == "active"),
            (row.integration_id, request.grantee_id) in busy,
        )  # fmt: skip

    def compare(self, before: dict[str, Held], after: dict[str, Held], answer: Answer) -> None:
        """Hold what is settled against the target, exactly: all that each person has there, before and after the same.

        Only who is at work on is left out: of each person in each integration whom nothing is ordered for at either
        moment, the target has to hold exactly what is live.
        """
        theirs = defaultdict(set)
        for pk in before.keys() | after.keys():
            one = after.get(pk) or before[pk]
            theirs[one.kind, one.person].add(pk)
        quiet = [
            pks for pks in theirs.values()
            if all(before.get(pk) == after.get(pk) and not before[pk].busy for pk in pks)
        ]  # fmt: skip
        for pks in quiet:
            for pk in pks:
                self._compare(pk, after[pk], answer)
        self.people += len(quiet)
        self.whole += len(quiet) == len(theirs)
        for kind in ("postgresql", "ledger"):
            known = {one.name for one in after.values() if one.kind == kind}
            for name in answer.names(kind) - known:
                self.wrong(f"{name} is at the target {kind} and was never dispatched")

    def _compare(self, pk: str, one: Held, answer: Answer) -> None:
        """Hold one settled grant against the target; what hands did there is none of ours."""
        self.compared += 1
        there = answer.of(one.kind, one.name)
        if one.state == "active":
            beside = {name for who, name in self.hands.given if who == one.person and one.kind == "ledger"}
            if pk not in self.hands.taken and not one.databases - beside <= there <= one.databases:
                self.wrong(f"grant {pk} ({one.name}) is active with {set(one.databases)}, the target holds {there}")
        elif one.state in {"revoked", "failed"} and answer.any_of(one.kind, one.name) and not one.declared:
            self.wrong(f"grant {pk} ({one.name}) is {one.state} and still at the target")

    def exactly(self) -> None:
        """In a quiet time: the target holds exactly what is live, what was standing, and what two admins declared."""
        mine = self.grants()
        answer = ask(self.hands.server, self.hands.ledger)
        self.compare(mine, self.grants(), answer)
        for kind in ("postgresql", "ledger"):
            live = {one.name for one in mine.values() if one.kind == kind and one.state == "active"}
            declared = {one.name for one in mine.values() if one.kind == kind and one.declared}
            names = answer.names(kind)
            if not live - self.hands.taken <= names <= live | declared:
                self.wrong(f"{kind} holds {sorted(names)}, live are {sorted(live)}, declared {sorted(declared)}")
        server = self.hands.server
        standing = server.run_sql("SELECT has_table_privilege('rita', 'orders', 'SELECT')", "orders")
        may = server.run_sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'rita'")
        if standing != [(True,)] or may != [(True,)]:
            self.wrong("standing access was touched")

    def histories(self) -> None:
        """Every request is in the state its history leads to, and every move is in the trail."""
        moves = defaultdict(list)
        for row in Transition.objects.order_by("pk"):
            moves[row.request_id].append(row)
        trail = Counter(
            AuditEntry.objects.filter(subject_type="request").values_list("subject_id", "action", "operation")
        )
        for pk, state in AccessRequest.objects.values_list("pk", "state"):
            at = RequestState.INITIALIZING
            for row in moves[pk]:
                if row.from_state != at or RequestState(row.to_state) not in MOVES[at]:
                    self.wrong(f"AR-{pk} moved {row.from_state} to {row.to_state} when it was {at}")
                if not trail[str(pk), f"request.{row.to_state}", row.operation]:
                    self.wrong(f"AR-{pk} became {row.to_state} and the trail does not say so")
                at = RequestState(row.to_state)
            if at != state:
                self.wrong(f"AR-{pk} is {state}; its history ends at {at}")

    def exposed(self, since: datetime) -> float:
        """Return how long since then nothing of the platform was hurt or just mended."""
        start, now = since.timestamp(), time.time()
        open_ones = [(kind, begun, now) for kind, begun in list(self.hurting.open.values())]
        hurts = sorted(
            (max(begun, start), min(end + GRACE_SECONDS * self.scale, now))
            for kind, begun, end in [*self.hurting.began, *open_ones]
            if not kind.startswith(OUTSIDE)
        )
        calm, at = 0.0, start
        for begun, end in hurts:
            calm += max(0.0, begun - at)
            at = max(at, end)
        return calm + max(0.0, now - at)

    def forgotten(self) -> None:
        """No access past its end that nobody works on, and none long past it that is not shown as overdue."""
        for row in AccessRequest.objects.filter(state__in=HOLDS_ACCESS):
            due = row.due_at if row.state == "revoking" else row.ends_at
            if due is None or due > timezone.now() or (calm := self.exposed(due)) < SLACK_SECONDS * self.scale:
                continue
            if row.state != "revoking":
                self.wrong(f"{row} is {row.state} and should have ended at {due}")
                continue
            for group in row.access_groups.filter(ended_at__isnull=True, dispatched_at__isnull=False):
                orders = Order.objects.filter(integration=group.integration_id, person=row.grantee_id)
                if not orders.filter(state__in=OPEN_ORDERS).exists() and not orders.filter(absorbed_at=None).exists():
                    self.wrong(f"nobody works on the end of {row}, due {due}")
            if calm > OVERDUE_SECONDS + SLACK_SECONDS * self.scale and row.overdue_since is None:
                self.wrong(f"{row} was due at {due} and is not shown as overdue")

    def orders(self) -> None:
        """At most one open order about a person in an integration."""
        rows = Order.objects.filter(person__isnull=False, state__in=OPEN_ORDERS).values_list("integration", "person")
        for pair, count in Counter(rows).items():
            if count > 1:
                self.wrong(f"{count} open orders of {pair}")

    def audited(self, told: list) -> None:
        """What people were told is in the trail, with who did it; the chain holds, and grows only at its end."""
        entries = Counter(AuditEntry.objects.values_list("action", "subject_id", "actor_id"))
        for (action, subject, actor), count in Counter((y.action, y.subject, y.actor) for y in told).items():
            if entries[action, subject, actor] < count:
                self.wrong(f"{action} of {subject} by {actor} was acknowledged and is not in the trail")
        asked = {int(one.subject) for one in told if one.action == "request.created"}
        for lost in asked - set(AccessRequest.objects.filter(pk__in=asked).values_list("pk", flat=True)):
            self.wrong(f"AR-{lost} was acknowledged and is lost")
        report = verify(self.head)
        for problem in report.breaks:
            self.wrong(f"chain: {problem}")
        self.head = report.head if report.head[0] else None


def _database(source_id: str) -> str:
    """Return the database that a source id names: PostgreSQL's ids are lists of one name, the ledger's the name."""
    return str(json.loads(source_id)[0]) if source_id.startswith("[") else source_id


def _in_one_snapshot() -> None:
    """Let the transaction see one moment."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
