"""The main journey through a real worker: connected, asked, approved, held, used, ended, proven."""

from __future__ import annotations

import psycopg
import pytest
from django.utils import timezone

from access_requests.models import Proof
from audit.actor import system
from connectors.registry import BUILT_IN
from integrations import actions
from integrations.actions import open_credentials
from integrations.models import ConnectorInstance
from tests.journeys.real import CONNECTOR_PASSWORD, config_of, furnish, logins, memberships, target
from tests.journeys.stack import wait_for
from tests.remote.world import RemoteStory, World, alive
from tests.simulated import Target
from tests.story import flow
from tests.targets import PostgresServer


def test_access_is_given_and_ended_by_a_worker_elsewhere(world: World) -> None:
    connector, token = world.connector()
    world.worker(token)
    story = world.story(connector).synced()
    request = story.until(story.give("orders"), "active")
    assert [name for _, name in story.ledger.held()] == ["orders"]
    story.hand_back(request)
    ended = story.until(request, "revoked")
    assert (ended.ended_how, story.ledger.held()) == ("proven", [])
    (instance,) = ConnectorInstance.objects.filter(connector=connector)
    proof = Proof.objects.get(group__request=request)
    assert proof.connector == instance.place
    assert instance.transport == "websocket"
    assert {"ledger", "postgresql"} <= set(instance.providers)
    assert instance.functions == {
        f"{provider}/{each.name}": each.digest
        for provider in BUILT_IN.manifests()
        for each in BUILT_IN.functions(provider)
    }


def test_a_real_postgresql_is_opened_and_shut_by_a_worker_elsewhere(world: World, fresh_server: PostgresServer) -> None:
    connector, token = world.connector()
    world.worker(token)
    furnish(fresh_server, "shop")
    integration = actions.connect(
        "The shop, far away",
        "postgresql",
        config=config_of(fresh_server),
        secrets={"password": CONNECTOR_PASSWORD},
        connector=connector,
        actor=system(),
    )
    flow(integration, "The shop", targets=[target(integration)])
    story = RemoteStory(world.cast, integration, Target(), timezone.now()).synced()
    request = story.until(story.give("shop"), "active")
    session = story.session(request)
    password = open_credentials(session.sealed_credentials, str(session.group_id))["password"]
    login = session.details["username"]
    with fresh_server.connect("shop", user=login, password=password) as connection:
        assert connection.execute("SELECT number FROM orders").fetchall() == [(7,)]
    story.hand_back(request)
    story.until(request, "revoked")
    assert (logins(fresh_server)[login], memberships(fresh_server)) == (False, set())
    with pytest.raises(psycopg.OperationalError):
        fresh_server.connect("shop", user=login, password=password)


def test_an_instance_says_goodbye_when_it_is_asked_to_stop(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    assert alive(connector) == 1
    worker.process.terminate()
    assert worker.process.wait(20) == 0
    wait_for("the goodbye", lambda: alive(connector) == 0, 10)
