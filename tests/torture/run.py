"""The torture run. script/torture starts it; `--seed` repeats the schedule of faults and the choices of people."""

from __future__ import annotations

import argparse
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

from tests.torture.faults import KINDS, Hurting, schedule
from tests.torture.stage import Stage

POINTS = 100
START_SECONDS = 120
# How long everything takes to come to rest on a machine as quick as the one this was written on.
QUIET_SECONDS = 45
# How long the parts take to start there, until the first sync is in.
READY_SECONDS = 16
# How long admins wait between two things they do, at most: what they do is grave.
ADMINS_REST = 1.6


def until(what: str, condition, seconds: float) -> None:
    """Wait until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        time.sleep(0.3)


def furnish(stage: Stage, rng: random.Random):
    """Connect both targets, write the flows, bring the people; return the admins at work."""
    from django.utils import timezone

    from access_requests import tasks  # noqa: F401
    from accounts.choices import Role
    from audit.actor import system
    from integrations import actions
    from tests.cast import assemble, person
    from tests.journeys.real import CONNECTOR_PASSWORD, config_of, target
    from tests.journeys.real import furnish as databases
    from tests.remote.ledger import Ledger
    from tests.simulated import Target
    from tests.story import Story, allow_extensions, flow, put_into
    from tests.torture.admins import Admins, Hands

    cast = assemble()
    people = [cast.requester, *(person(f"Engineer{number}") for number in range(1, 6))]
    put_into("engineers", *people)
    put_into("approvers", cast.approver)
    databases(stage.theirs.server, "orders", "stock")
    stage.theirs.server.run_sql("CREATE ROLE rita LOGIN PASSWORD 'standing'")
    stage.theirs.server.run_sql("GRANT SELECT ON orders TO rita", "orders")
    real = actions.connect(
        "Shop", "postgresql", config=config_of(stage.theirs.server) | {"port": stage.line.port},
        secrets={"password": CONNECTOR_PASSWORD}, actor=system(),
    )  # fmt: skip
    ledger = Ledger(stage.folder / "ledger.sqlite3").create("orders", "stock")
    remote = actions.create_connector("Site", actor=system())
    stage.start_remote(actions.make_token(remote, actor=system()))
    other = actions.connect(
        "Ledger", "ledger", config={"path": str(ledger.path)}, secrets={"password": ledger.password},
        connector=remote, actor=system(),
    )  # fmt: skip
    for row in (real, other):
        extra = {"targets": [target(row, "READ_ONLY")]} if row is real else {}
        made = flow(row, f"{row.name} for a minute", columns={"grant_duration_minutes": 1}, **extra)
        allow_extensions(made, 2, 10)
    stories = [Story(cast, row, Target(), timezone.now()) for row in (real, other)]
    return Admins(
        cast, people, stories, stage.address, random.Random(rng.random()), rest=ADMINS_REST,
        second=person("Bea", Role.ADMIN), hands=Hands(stage.theirs.server, ledger),
        kinds={str(real.pk): "postgresql", str(other.pk): "ledger"},
    )  # fmt: skip


def gather(admins, rng: random.Random, count: int, rest: float) -> list:
    """Return the admins and so many others at work; what they were told is written down together."""
    from tests.torture.people import Crowd

    shared = {name: getattr(admins, name) for name in ("told", "did", "problems", "over")}
    whom = (admins.cast, admins.engineers, admins.stories, admins.address)
    return [admins, *(Crowd(*whom, random.Random(rng.random()), rest=rest, **shared) for _ in range(count))]


def look(checker) -> bool:
    """Look, if both databases answer."""
    import psycopg
    from django.db import DatabaseError, InterfaceError, connection

    try:
        checker.look()
    except (DatabaseError, InterfaceError, psycopg.Error):
        connection.close()
        return False
    return True


def storm(checker, faults, seconds: float) -> None:
    """Let the faults come, and look on the way."""
    began, waiting = time.monotonic(), list(faults)
    every = seconds / POINTS
    while (now := time.monotonic() - began) < seconds:
        while waiting and waiting[0].at <= now:
            checker.hurting.run(waiting.pop(0))
        # A look at a database that is away comes again soon, and what was missed is made up for.
        if now >= (checker.points + 1) * every:
            look(checker)
        time.sleep(0.1)
    checker.hurting.wait()


def come_to_rest(checker) -> None:
    """Wait until every request is over and all is proven; then everything has to be exactly as we say."""
    from django.utils import timezone

    from access_requests.choices import FINAL
    from access_requests.models import AccessRequest
    from audit.models import UnsealedEntry
    from integrations.models import Order

    leave = AccessRequest.objects.filter(state__in=["pending", "active"])
    # What is due already, or soon, is left to the platform: that is what is tried.
    for waiting in leave.exclude(ends_at__lte=timezone.now() + timedelta(seconds=5)):
        checker.crowd.act(lambda row=waiting: _leave(checker.crowd, row))

    def rest() -> bool:
        look(checker)
        open_orders = Order.objects.filter(person__isnull=False, state__in=["queued", "leased"]).exists()
        open_requests = AccessRequest.objects.exclude(state__in=FINAL).exists()
        return not (open_orders or open_requests or UnsealedEntry.objects.exists())

    scale = checker.scale
    try:
        until("all requests at their end", rest, QUIET_SECONDS * scale)
    except TimeoutError:
        for row in AccessRequest.objects.exclude(state__in=FINAL):
            orders = list(Order.objects.filter(person=row.grantee).order_by("created_at").values()[:3])
            checker.wrong(f"{row} does not come to rest: {row.state}, due {row.due_at}, {orders}")
    checker.exactly()
    checker.look()


def _leave(crowd, row) -> str:
    """Withdraw what waits, hand back what is held."""
    from access_requests import actions

    verb = actions.cancel if row.state == "pending" else actions.hand_back
    verb(row, user=row.grantee, actor=crowd.by(row.grantee))
    return "left at the end"


def prove(checker, stage: Stage) -> int:
    """Have the dossiers of everything made, downloaded and checked offline; return how many there are."""
    from access_requests.actions.dossiers import sweep_dossiers
    from access_requests.models import AccessRequest
    from tests.torture import records

    waiting = AccessRequest.objects.filter(ended_at__isnull=False, dossier_at=None)

    def made() -> bool:
        # By the platform's own sweep, which comes every half minute; rung for here, as a page would.
        sweep_dossiers()
        return not waiting.exists()

    until("a dossier of everything that is over", made, QUIET_SECONDS * checker.scale)
    browser = checker.crowd.browser(checker.crowd.admin())
    count, found = records.dossiers(stage.folder / "dossiers", stage.env, browser.get)
    for one in found:
        checker.wrong(one)
    return count


def begin(stage: Stage, rng: random.Random):
    """Start everything; return the admins at work and how much slower than usual it came up."""
    begun = time.monotonic()
    stage.open()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    if not stage.migrated:
        call_command("migrate", verbosity=0, skip_checks=True)
        connections.close_all()
        stage.keep_migrated()
    from integrations.models import Resource
    from tests.torture import records

    records.open_eye()
    # The tables are there: from here on everything starts at once, the targets are furnished meanwhile.
    stage.start()
    admins = furnish(stage, rng)
    until("the first syncs", lambda: Resource.objects.filter(name="stock").count() == 2, START_SECONDS)
    return admins, (time.monotonic() - begun) / READY_SECONDS


def torture(stage: Stage, options: argparse.Namespace) -> int:
    """Run everything; return how many anomalies there were."""
    rng, seconds, begun = random.Random(options.seed), options.seconds, time.monotonic()
    admins, scale = begin(stage, rng)
    from tests.torture import figures
    from tests.torture.checking import Checker

    kinds = tuple(kind for kind in KINDS if stage.disk or not kind.startswith("full"))
    faults = schedule(random.Random(options.seed), seconds - 2, kinds)
    checker = Checker(admins, Hurting(stage), admins.hands, admins.kinds, start_scale=scale)
    admins.hurts = lambda: any("target" in kind for kind, _ in list(checker.hurting.open.values()))
    people = gather(admins, rng, options.people, options.rest)
    lives = [threading.Thread(target=one.run, daemon=True) for one in people]
    spent = [time.monotonic() - begun]
    for life in lives:
        life.start()
    storm(checker, faults, seconds)
    admins.over.set()
    for life in lives:
        life.join(120)
    spent.append(time.monotonic() - begun)
    come_to_rest(checker)
    dossiers = prove(checker, stage)
    for problem in [*admins.problems, *checker.hurting.problems]:
        checker.wrong(problem)
    spent.append(time.monotonic() - begun)
    figures.show(options.seed, seconds, checker, dossiers, spent)
    if checker.anomalies:
        print(f"Repeat with: script/torture --seconds {seconds:.0f} --seed {options.seed}\nLogs: {stage.folder}")
    return len(checker.anomalies)


def main() -> int:
    """Parse, run, tidy up."""
    parser = argparse.ArgumentParser(prog="script/torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default=str(secrets.randbelow(10**6)))
    parser.add_argument("--people", type=int, default=3, help="how many ask and approve at once")
    parser.add_argument("--rest", type=float, default=0.5, help="seconds each waits between two things, at most")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    for name in [name for name in os.environ if name.startswith("LATCHKEY_")]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="latchkey-torture-"))
    stage, found = Stage(folder, random.Random(options.seed)), 1
    # Whoever ends it early leaves nothing running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        found = torture(stage, options)
    finally:
        stage.close()
        if not found:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
