"""The torture run. script/torture starts it; `--seed` repeats the schedule of faults and the choices of people."""

from __future__ import annotations

import argparse
import os
import random
import secrets
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.torture.faults import Hurting, schedule
from tests.torture.stage import Stage

POINTS = 100
START_SECONDS = 120
QUIET_SECONDS = 240


def until(what: str, condition, seconds: float) -> None:
    """Wait until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        time.sleep(0.3)


def furnish(stage: Stage, rng: random.Random):
    """Connect both targets, write the flows, bring the people; return crowd and checker."""
    from django.utils import timezone

    from access_requests import tasks  # noqa: F401
    from audit.actor import system
    from integrations import actions
    from tests.cast import assemble, person
    from tests.journeys.real import CONNECTOR_PASSWORD, config_of, target
    from tests.journeys.real import furnish as databases
    from tests.remote.ledger import Ledger
    from tests.simulated import Target
    from tests.story import Story, allow_extensions, flow, put_into
    from tests.torture.people import Crowd

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
    crowd = Crowd(cast, people, stories, stage.address, random.Random(rng.random()))
    return crowd, ledger, {str(real.pk): "postgresql", str(other.pk): "ledger"}


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
    due = every
    while (now := time.monotonic() - began) < seconds:
        while waiting and waiting[0].at <= now:
            checker.hurting.run(waiting.pop(0))
        if now >= due:
            look(checker)
            due = max(due + every, time.monotonic() - began + 0.1)
        time.sleep(0.05)
    checker.hurting.wait()


def come_to_rest(checker) -> None:
    """Wait until every request is over and all is proven; then everything has to be exactly as we say."""
    from access_requests.choices import FINAL
    from access_requests.models import AccessRequest
    from audit.models import UnsealedEntry
    from integrations.models import Order

    for waiting in AccessRequest.objects.filter(state__in=["pending", "active"]):
        checker.crowd.act(lambda row=waiting: _leave(checker.crowd, row))

    def rest() -> bool:
        look(checker)
        open_orders = Order.objects.filter(person__isnull=False, state__in=["queued", "leased"]).exists()
        open_requests = AccessRequest.objects.exclude(state__in=FINAL).exists()
        return not (open_orders or open_requests or UnsealedEntry.objects.exists())

    try:
        until("all requests at their end", rest, QUIET_SECONDS)
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


def torture(stage: Stage, seed: str, seconds: float) -> int:
    """Run everything; return how many anomalies there were."""
    rng = random.Random(seed)
    faults = schedule(rng, seconds - 2)
    stage.open()
    import django

    django.setup()
    from tests.torture import figures
    from tests.torture.checking import Checker

    stage.start()
    crowd, ledger, kinds = furnish(stage, rng)
    from integrations.models import Integration, Resource

    until("the first syncs", lambda: Resource.objects.filter(name="stock").count() == 2, START_SECONDS)
    assert Integration.objects.count() == 2
    checker = Checker(crowd, Hurting(stage), stage.theirs.server, ledger, kinds)
    life = threading.Thread(target=crowd.run, daemon=True)
    life.start()
    storm(checker, faults, seconds)
    crowd.over.set()
    life.join(120)
    come_to_rest(checker)
    for problem in [*crowd.problems, *checker.hurting.problems]:
        checker.wrong(problem)
    figures.show(seed, seconds, checker)
    if checker.anomalies:
        print(f"Repeat with: script/torture --seconds {seconds:.0f} --seed {seed}\nLogs: {stage.folder}")
    return len(checker.anomalies)


def main() -> int:
    """Parse, run, tidy up."""
    parser = argparse.ArgumentParser(prog="script/torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default=str(secrets.randbelow(10**6)))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    for name in [name for name in os.environ if name.startswith("LATCHKEY_")]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="latchkey-torture-"))
    stage, found = Stage(folder, random.Random(options.seed)), 1
    try:
        found = torture(stage, options.seed, options.seconds)
    finally:
        stage.close()
        if not found:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
