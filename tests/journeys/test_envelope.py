"""A break-glass envelope at a real PostgreSQL server: used while no process of Latchkey runs, ended when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from access_requests.actions import envelopes
from access_requests.models import AccessRequest, Envelope, Proof, Pulse
from accounts.choices import Role
from accounts.models import Letter
from tests.cast import Cast, person
from tests.journeys.real import connect, logins
from tests.journeys.stack import Stack, wait_for
from tests.targets import PostgresServer

pytestmark = pytest.mark.full
NAME = "shop"


@pytest.fixture
def stack(fresh_database: str, tmp_path: Path) -> Iterator[Stack]:
    """The stack, on the test's database."""
    running = Stack(tmp_path)
    running.move_in()
    yield running
    running.stop()


def signed_in(server: PostgresServer, user: str, password: str) -> psycopg.Connection:
    return psycopg.connect(
        host=server.host,
        port=server.port,
        dbname=NAME,
        user=user,
        password=password,
        sslmode="disable",
        autocommit=True,
    )


def a_while_passes() -> None:
    """Let the platform have been down for a quarter of an hour: what it wrote last is as much older."""
    Pulse.objects.update(at=Pulse.objects.get().at - timedelta(minutes=15))
    for one in Envelope.objects.all():
        Envelope.objects.filter(pk=one.pk).update(printed_at=one.printed_at - timedelta(hours=1))


def test_the_paper_opens_the_door_while_latchkey_is_dead_and_not_after_it_is_back(
    stack: Stack, cast: Cast, fresh_server: PostgresServer
) -> None:
    story = connect(cast, fresh_server, NAME)
    beth = person("Beth", Role.ADMIN)
    stack.start()
    stack.wait_until_ready()
    wait_for("the first sync", lambda: story.integration.resources.filter(name=NAME).exists())
    by = {"user": cast.admin, "actor": story.by(cast.admin)}
    made = envelopes.prepare(story.pair(NAME), reason="orders are lost", **by)
    envelopes.confirm(made, user=beth, actor=story.by(beth))
    wait_for("the account", lambda: AccessRequest.objects.filter(pk=made.request_id, state="active").exists())
    secret = envelopes.print_out(Envelope.objects.get(), **by)
    wait_for("the pulse", Pulse.objects.exists)
    (login,) = [name for name, may in logins(fresh_server).items() if may]
    assert login.startswith("lk_envelope_1_")
    Envelope.objects.update(looked_at=None)
    with signed_in(fresh_server, login, secret["password"]):
        wait_for("somebody at work is seen", lambda: Envelope.objects.filter(seen_at__isnull=False).exists())
    stack.kill()
    connection = signed_in(fresh_server, login, secret["password"])
    assert connection.execute("SELECT number FROM orders").fetchone() == (7,)
    a_while_passes()
    stack.start()
    stack.wait_until_ready()
    wait_for("the proof", lambda: Proof.objects.filter(group__request=made.request_id).exists())
    row, found = AccessRequest.objects.get(pk=made.request_id), Envelope.objects.get()
    assert (row.state, row.ended_how, row.end_reason) == ("revoked", "proven", "envelope_doubted")
    assert found.is_owed
    assert found.doubted_until - found.doubted_from >= timedelta(minutes=15)
    assert Letter.objects.filter(to=beth, subject="Envelope 1 may have been used").exists()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|not permitted to log in"):
        signed_in(fresh_server, login, secret["password"])
    assert Proof.objects.get(group__request=row).sessions_ended == 1
