"""The main journey through a real worker: connected, asked, approved, held, used, ended, proven."""

from __future__ import annotations

from access_requests.models import Proof
from integrations.models import ConnectorInstance
from tests.journeys.stack import wait_for
from tests.remote.world import World, alive


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
    assert instance.functions["postgresql/grant_role"] or instance.functions
    assert "ledger" in instance.providers


def test_an_instance_says_goodbye_when_it_is_asked_to_stop(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    assert alive(connector) == 1
    worker.process.terminate()
    assert worker.process.wait(20) == 0
    wait_for("the goodbye", lambda: alive(connector) == 0, 10)
