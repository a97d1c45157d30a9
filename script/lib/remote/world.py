"""Servers on one PostgreSQL and one Redis, as processes of their own, and orders for them without a story around."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from lib import benchworld

from accounts.models import User
from audit.actor import system
from config.celery import app
from connectors.registry import BUILT_IN
from integrations import actions
from integrations.models import Connector, Integration, Order
from tests import servers
from tests.cast import Cast, assemble
from tests.journeys.stack import Stack
from tests.remote import world as remote
from tests.remote.ledger import PROVIDERS as LEDGER
from tests.remote.world import WorkerProcess, World

NOTHING = Path(__file__).resolve().parents[1] / "providers"
FOLDERS = os.pathsep.join([str(NOTHING), str(LEDGER)])
WAIT_SECONDS = 300


@contextmanager
def backing() -> Iterator[tuple[Path, str]]:
    """A folder, a database and a broker, which this process speaks to as the servers will: rings are heard there."""
    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    with benchworld.database(), tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.redis(folder) as broker, ringing(broker):
            for one in (NOTHING, LEDGER):
                BUILT_IN.add(one)
            try:
                yield folder, broker
            finally:
                BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


@contextmanager
def ringing(broker: str) -> Iterator[None]:
    """Ring through this broker instead of inside this process."""
    layer = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": broker, "socket_timeout": 15}]},
        }
    }
    before = app.conf.broker_url
    with override_settings(CHANNEL_LAYERS=layer):
        app.conf.broker_url = broker
        # Celery keeps connections to the broker that was there before.
        app._after_fork()
        try:
            yield
        finally:
            app.conf.broker_url = before
            app._after_fork()


@contextmanager
def served(folder: Path, broker: str, cast: Cast, **settings: str) -> Iterator[World]:
    """A server: web, timetable and the connector of its own, in one process."""
    folder.mkdir()
    stack = Stack(folder, more={"LATCHKEY_REDIS_URL": broker, "LATCHKEY_PROVIDERS": FOLDERS, **settings})
    # Names are numbered, and servers on one database must not give the same.
    world = World(stack, cast, folder, count=stack.port * 1000)
    stack.start()
    try:
        stack.wait_until_ready()
        yield world
    finally:
        world.tidy()
        stack.stop()


@contextmanager
def default_server() -> Iterator[tuple[World, Path, str]]:
    """A server with the lease and the heartbeat that it has by default; beside it, what another one needs."""
    with backing() as (folder, broker):
        cast = assemble()
        remote.people(cast)
        usual = {"LATCHKEY_LEASE_SECONDS": "60", "LATCHKEY_HEARTBEAT_SECONDS": "10"}
        with served(folder / "default", broker, cast, **usual) as world:
            yield world, folder, broker


def workers(world: World, number: int) -> tuple[Connector, list[WorkerProcess]]:
    """Make a connector and start so many instances of it."""
    connector, token = world.connector()
    started = [world.worker(token, wait=False, LATCHKEY_PROVIDERS=FOLDERS) for _ in range(number)]
    for one in started:
        one.wait_for("Linked with")
    return connector, started


def connect(name: str, connector: Connector | None, *, objects: int = 0) -> Integration:
    """Connect a target without a target, through a connector (None: the server's own), and order its first sync."""
    return actions.connect(
        name,
        "nothing",
        config={"objects": str(objects)},
        secrets={"password": "the-connectors-own-password"},
        connector=connector,
        actor=system(),
    )


def settled(*integrations: Integration) -> None:
    """Wait until nothing is open for these any more."""
    open_ = Order.objects.filter(integration__in=integrations, settled_at__isnull=True)
    benchworld.until(lambda: not open_.exists(), WAIT_SECONDS, "all settled", every=0.05)


def people(number: int, name: str = "engineer") -> list[User]:
    """Make so many people."""
    names = [f"{name}{one}" for one in range(number)]
    return User.objects.bulk_create(User(email=f"{name}@example.com", name=name) for name in names)


def order(integration: Integration, person: User, at: datetime) -> Order:
    """Order that a person holds one thing, without a request behind it."""
    desired = {
        "person": {"id": str(person.pk), "name": person.name, "aliases": [person.email]},
        "holds": [
            {
                "grant_id": str(person.pk),
                "login": f"lk_{person.name}",
                "units": [{"resource_type": "database", "resource": "orders", "permission": "READ_ONLY"}],
                "lasts_seconds": 3600,
                "wants_credentials": True,
            }
        ],
        "gone": [],
    }
    return actions.order_for_person(integration, person, desired, at=at)


def burst(integrations: Sequence[Integration], persons: Sequence[User]) -> list[Order]:
    """Order the same for everybody, in turn through these integrations, all due at once; they are seen together."""
    with transaction.atomic():
        now = timezone.now()
        return [order(integrations[n % len(integrations)], person, now) for n, person in enumerate(persons)]
