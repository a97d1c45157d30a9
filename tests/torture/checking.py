"""What has to hold at any moment, whatever broke: looked at from outside, in one snapshot of our database."""

from __future__ import annotations

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
from tests.journeys.real import logins, memberships
from tests.remote.ledger import Ledger
from tests.targets import PostgresServer
from tests.torture.faults import Hurting
from tests.torture.people import Crowd

# How long the sweep may take to begin what is due, of time in which nothing of the platform is hurt; generous, for the
# machine is busy and this is about what is forgotten, not about what is slow.
SLACK_SECONDS = 45.0
# The product's own measure, and the time after a fault in which leases run out and processes start.
OVERDUE_SECONDS = 60.0
GRACE_SECONDS = 15.0
OUTSIDE = ("target",)


@dataclass
class Checker:
    """Looks at both sides; every anomaly is kept with what is needed to understand it."""

    crowd: Crowd
    hurting: Hurting
    server: PostgresServer
    ledger: Ledger
    integrations: dict[str, str]
    anomalies: list[str] = field(default_factory=list)
    points: int = 0
    compared: int = 0
    head: tuple[int, str] | None = None

    def wrong(self, what: str) -> None:
        """Keep an anomaly once."""
        said = f"{what}"
        if said not in self.anomalies:
            self.anomalies.append(said)
            print(f"ANOMALY at point {self.points}: {said}", flush=True)

    def look(self) -> None:
        """Look once. Raises what a database raises that is away: the caller comes again."""
        told = list(self.crowd.told)
        before = self.grants()
        opened, joined = {n for n, may in logins(self.server).items() if may}, {m for m, _ in memberships(self.server)}
        held = {grant for grant, _ in self.ledger.held()}
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self.histories()
            self.forgotten()
            self.orders()
            self.audited(told)
        after = self.grants()
        self.compare(before, after, opened, joined, held)
        self.points += 1

    def grants(self) -> dict[str, tuple[str, str, str, bool]]:
        """Return every dispatched grant: integration, login, its request's state, whether it is worked on."""
        orders = Order.objects.filter(person__isnull=False)
        at_work = orders.filter(state__in=OPEN_ORDERS) | orders.exclude(lease_until=None)
        at_work |= orders.filter(state="done", absorbed_at=None)
        busy = set(at_work.values_list("integration", "person"))
        rows = AccessGroup.objects.filter(dispatched_at__isnull=False).values_list(
            "pk", "integration", "login", "request__state", "request__grantee"
        )
        return {str(pk): (str(where), login, state, (where, who) in busy) for pk, where, login, state, who in rows}

    def compare(self, before: dict, after: dict, opened: set[str], joined: set[str], held: set[str]) -> None:
        """What was settled before and after has to be at the target as we say; what has ended, nowhere."""
        for pk, (where, login, state, busy) in before.items():
            if after.get(pk) != (where, login, state, busy) or busy:
                continue
            real = self.integrations[where] == "postgresql"
            there = login in opened if real else pk in held
            member = login in joined if real else there
            self.compared += 1
            if state == "active" and not (there and member):
                self.wrong(f"grant {pk} ({login}) is active and not at the target")
            if state in {"revoked", "failed"} and (there or member):
                self.wrong(f"grant {pk} ({login}) is {state} and still at the target")
        known = {login for _, login, *_ in after.values()}
        for login in (opened | joined) - known:
            self.wrong(f"login {login} is at the target and was never dispatched")

    def exactly(self) -> None:
        """In a quiet time: the target holds exactly what is live, and what was standing."""
        mine = self.grants()
        live = {pk: one for pk, one in mine.items() if one[2] == "active"}
        opened = {name for name, may in logins(self.server).items() if may}
        wanted = {login for where, login, *_ in live.values() if self.integrations[where] == "postgresql"}
        if opened != wanted or {member for member, _ in memberships(self.server)} != wanted:
            self.wrong(f"target opens {sorted(opened)}, members {memberships(self.server)}, live are {sorted(wanted)}")
        held = {grant for grant, _ in self.ledger.held()}
        if held != {pk for pk, one in live.items() if self.integrations[one[0]] == "ledger"}:
            self.wrong(f"the ledger holds {sorted(held)}, live are {sorted(live)}")
        standing = self.server.run_sql("SELECT has_table_privilege('rita', 'orders', 'SELECT')", "orders")
        may = self.server.run_sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'rita'")
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
            (max(begun, start), min(end + GRACE_SECONDS, now))
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
            if due is None or due > timezone.now() or (calm := self.exposed(due)) < SLACK_SECONDS:
                continue
            if row.state != "revoking":
                self.wrong(f"{row} is {row.state} and should have ended at {due}")
                continue
            for group in row.access_groups.filter(ended_at__isnull=True, dispatched_at__isnull=False):
                orders = Order.objects.filter(integration=group.integration_id, person=row.grantee_id)
                if not orders.filter(state__in=OPEN_ORDERS).exists() and not orders.filter(absorbed_at=None).exists():
                    self.wrong(f"nobody works on the end of {row}, due {due}")
            if calm > OVERDUE_SECONDS + SLACK_SECONDS and row.overdue_since is None:
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
            if not AccessRequest.objects.filter(pk=subject).exists():
                self.wrong(f"AR-{subject} was acknowledged and is lost")
        report = verify(self.head)
        for problem in report.breaks:
            self.wrong(f"chain: {problem}")
        self.head = report.head if report.head[0] else None
