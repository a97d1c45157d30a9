"""Who gets in over the link and who does not, and what a bad guest can do: nothing."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from audit.actor import system
from connectors import VERSION
from connectors.contract import wire
from connectors.contract.orders import Report
from connectors.contract.wire import Goodbye, Hello, ReportOf, Taken, Welcome
from integrations import actions
from integrations.models import Connector, ConnectorInstance, ConnectorToken, Order
from tests.journeys.stack import wait_for
from tests.platform.processes import ROOT
from tests.remote.certificates import authority
from tests.remote.line import Line, OutboundProxy
from tests.remote.test_wire import BAD
from tests.remote.world import World, alive, holds

HELLO = Hello("a" * 32, VERSION, "b" * 64)


def socket_to(world: World, token: str, **headers: str):
    """Open a raw web socket."""
    shown = {"Authorization": f"Bearer {token}", **headers} if token else headers
    return connect(
        f"ws://127.0.0.1:{world.stack.port}{wire.LINK_PATH}",
        additional_headers=shown,
        subprotocols=[Subprotocol(wire.SUBPROTOCOL)],
        max_size=None,
        proxy=None,
    )


def post(world: World, token: str, body: bytes) -> requests.Response:
    """Make a raw exchange."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(world.url + wire.EXCHANGE_PATH, data=body, headers=headers, timeout=30)


def test_who_shows_no_token_that_holds_gets_nothing(world: World) -> None:
    connector, token = world.connector()
    expired = actions.make_token(connector, actor=system(), expires_at=timezone.now() - timedelta(seconds=1))
    revoked = actions.make_token(connector, actor=system())
    prefix = revoked.split("_")[1]
    actions.revoke_token(ConnectorToken.objects.get(prefix=prefix), actor=system())
    for bad in ("", "x", token[:-1], token + "a", token.upper(), expired, revoked):
        with pytest.raises(InvalidStatus) as refusal:
            socket_to(world, bad)
        assert refusal.value.response.status_code == 401
        answer = post(world, bad, wire.write_exchange([wire.write(HELLO)], "a" * 32, "c" * 32))
        assert (answer.status_code, "lkc_" in answer.text) == (401, False)
    assert not ConnectorInstance.objects.filter(connector=connector).exists()


def test_a_session_of_a_person_opens_nothing(world: World) -> None:
    from django.test import Client

    client = Client()
    client.force_login(world.cast.admin)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    with pytest.raises(InvalidStatus) as refusal:
        socket_to(world, "", Cookie=cookies)
    assert refusal.value.response.status_code == 401


def test_pages_keep_their_own_check_of_where_a_socket_comes_from(world: World) -> None:
    for path, origin in (
        ("/ws/requests/1/", "https://evil.example"),
        ("/nowhere", f"http://127.0.0.1:{world.stack.port}"),
    ):
        with pytest.raises(InvalidStatus) as refusal:
            connect(f"ws://127.0.0.1:{world.stack.port}{path}", origin=origin, proxy=None)  # type: ignore[arg-type]
        assert refusal.value.response.status_code == 403


def test_a_token_that_is_revoked_cuts_at_once_and_the_new_one_worked_before(world: World) -> None:
    connector, old = world.connector()
    first = world.worker(old)
    new = actions.make_token(connector, actor=system())
    second = world.worker(new)
    assert alive(connector) == 2
    begun = time.monotonic()
    actions.revoke_token(ConnectorToken.objects.get(prefix=old.split("_")[1]), actor=system())
    # This process has no bell that the server hears, so the next beat it is: a second.
    first.wait_for("The token does not hold any more", 10)
    assert time.monotonic() - begun < 5
    first.wait_for("The server refuses this connector", 20)
    story = world.story(connector).synced()
    story.until(story.give("orders"), "active")
    assert "refuse" not in second.said()


def test_a_token_in_a_file_is_replaced_without_a_restart(world: World, tmp_path: Path) -> None:
    connector, old = world.connector()
    file = tmp_path / "token"
    file.write_text(old)
    worker = world.worker("", LATCHKEY_CONNECTOR_TOKEN_FILE=str(file))
    file.write_text(actions.make_token(connector, actor=system()))
    actions.revoke_token(ConnectorToken.objects.get(prefix=old.split("_")[1]), actor=system())
    worker.wait_for("Linked with", 30, times=2)


def test_polling_ends_with_its_token(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    line.no_sockets = 501
    worker = world.worker(token, line.url)
    actions.revoke_token(ConnectorToken.objects.get(connector=connector), actor=system())
    worker.wait_for("No token, or one that does not hold", 15)


def test_what_is_no_message_ends_the_link_and_nothing_else(world: World) -> None:
    connector, token = world.connector()
    for bad in BAD:
        with socket_to(world, token) as link:
            link.send(wire.write(HELLO))
            assert isinstance(wire.read(link.recv(timeout=10)), Welcome)
            try:
                link.send(bad)
                said = wire.read(link.recv(timeout=10))
            except ConnectionClosed:
                continue  # too long even for the socket
            assert isinstance(said, Goodbye), bad
        answer = post(world, token, bad if isinstance(bad, bytes) else bad.encode())
        assert answer.status_code == 400 or "Goodbye" in answer.text
    world.worker(token)
    assert alive(connector) >= 1
    assert "Traceback" not in world.stack.said()


def test_other_words_than_hello_at_first_are_not_heard(world: World) -> None:
    connector, token = world.connector()
    with socket_to(world, token) as link:
        link.send(wire.write(ReportOf(Report("x", 1))))
        said = wire.read(link.recv(timeout=10))
    assert said == Goodbye("Say hello first.")
    answer = post(world, token, wire.write_exchange([wire.write(ReportOf(Report("x", 1)))], "a" * 32, "c" * 32))
    assert "Say hello" in answer.text
    assert not ConnectorInstance.objects.filter(connector=connector).exists()


@pytest.mark.parametrize(("version", "welcome"), [([1, 0], True), ([1, 1], True), ([2, 0], False), ([0, 1], False)])
def test_versions_one_minor_apart_work_and_others_are_told_what_to_do(world: World, version, welcome: bool) -> None:
    _, token = world.connector()
    hello = json.loads(wire.write(HELLO)) | {"wire": version, "novelty": {"a": [1]}}
    with socket_to(world, token) as link:
        link.send(json.dumps(hello))
        said = wire.read(link.recv(timeout=10))
        if welcome:
            assert isinstance(said, Welcome)
            link.send('{"is": "Novelty", "of": "1.1"}')
            link.send(wire.write(ReportOf(Report("x", 1))))
            assert wire.read(link.recv(timeout=10)) == Taken("x", 1, refused=True)
        else:
            assert isinstance(said, Goodbye)
            assert "upgrade the" in said.reason
            assert not said.again


def test_no_order_comes_that_was_not_asked_for(world: World) -> None:
    connector, token = world.connector()
    with socket_to(world, token) as link:
        link.send(wire.write(Hello("d" * 32, VERSION, "b" * 64, providers=("ledger",))))
        assert isinstance(wire.read(link.recv(timeout=10)), Welcome)
        world.story(connector)
        link.send(wire.write(wire.Heartbeat(8)))
        assert isinstance(wire.read(link.recv(timeout=10)), wire.Beat)
        with pytest.raises(TimeoutError):
            link.recv(timeout=1.5)
        link.send(wire.write(wire.Ready(1)))
        assert isinstance(wire.read(link.recv(timeout=10)), wire.Work)
        link.send(wire.write(wire.Heartbeat(8)))
        assert isinstance(wire.read(link.recv(timeout=10)), wire.Beat)


def test_one_that_falls_silent_is_let_go(world: World) -> None:
    _, token = world.connector()
    with socket_to(world, token) as link:
        link.send(wire.write(HELLO))
        link.recv(timeout=10)
        with pytest.raises(ConnectionClosed):
            link.recv(timeout=10)


def test_tls_is_verified_and_an_outbound_proxy_is_used(world: World, tmp_path: Path) -> None:
    connector, token = world.connector()
    ca, context = authority(tmp_path, "latchkey.test")
    front = Line(world.stack.port, context)
    world.lines.append(front)
    proxy = OutboundProxy()
    url = f"https://latchkey.test:{front.port}"
    # Without the authority it is not believed: not a word is said.
    stranger = world.worker(token, url, wait=False, HTTPS_PROXY=proxy.url)
    stranger.wait_for("certificate verify failed", 20)
    holds(lambda: True, 1)
    assert token.encode() not in front.heard
    stranger.end()
    worker = world.worker(token, url, HTTPS_PROXY=proxy.url, LATCHKEY_CA_FILE=str(ca))
    story = world.story(connector).synced()
    story.until(story.give("orders"), "active")
    assert f"CONNECT latchkey.test:{front.port}" in proxy.asked[-1]
    worker.end()
    front.no_sockets = 502
    world.worker(token, url, HTTPS_PROXY=proxy.url, LATCHKEY_CA_FILE=str(ca)).wait_for("over polling")
    proxy.shutdown()


@pytest.mark.parametrize("days", [pytest.param(-400, marks=pytest.mark.full), 3])
def test_a_clock_that_is_off_does_no_harm(world: World, tmp_path: Path, days: int) -> None:
    connector, token = world.connector()
    (tmp_path / "sitecustomize.py").write_text(
        f"import time\nreal = time.time\ntime.time = lambda: real() + {days * 86400}\n"
    )

    world.worker(token, PYTHONPATH=f"{tmp_path}:{ROOT}")
    story = world.story(connector).synced()
    request = story.until(story.give("orders"), "active")
    story.hand_back(request)
    story.until(request, "revoked")
    assert story.ledger.held() == []


def test_a_configuration_is_tried_where_it_is_to_run(world: World) -> None:
    connector, token = world.connector()
    world.worker(token)
    story = world.story(connector).synced()
    config = {"path": str(story.ledger.path)}

    def tried(password: str, through: Connector) -> Report:
        return actions.try_connection("ledger", config, {"password": password}, connector=through, actor=system())

    assert [one.message for one in tried(story.ledger.password, connector).findings] == ["It answers."]
    refused = tried("wrong", connector)
    assert refused.error is not None
    assert refused.error.message == "The ledger does not take this password."
    nobody, _ = world.connector()
    lost = tried(story.ledger.password, nobody)
    assert lost.error is not None
    assert lost.error.message == f"The connector {nobody.name} is not connected."
    assert Order.objects.filter(integration=story.integration, verb="check").count() == 1


def test_a_large_inventory_comes_in_pages_with_progress_and_goes_on_after_a_kill(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    story = world.story(connector, *(f"db{number:04}" for number in range(1200)))
    story.ledger.pace(0.25)
    run = story.integration.sync_runs.get

    wait_for("some pages", lambda: run().pages >= 3, 30)
    assert run().total == 1200
    worker.kill()
    kept = run().found
    # A sync has a long lease; here it ends now.
    Order.objects.filter(integration=story.integration, verb="discover").update(lease_until=timezone.now())
    story.ledger.pace(0)
    world.worker(token)
    story.synced()
    assert run().found == 1200
    pages = [row for row in story.ledger.journal() if row[3] == "discover" and row[2] == 2]
    assert len(pages) <= (1200 - kept) // 50 + 3
    assert story.integration.resources.count() == 1200


@pytest.mark.full
def test_a_hundred_thousand_objects_come_in_constant_memory(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)

    def peak_mb(objects: int) -> float:
        """Return the most memory that the worker ever had, in MB, once so many objects came in."""
        story = world.story(
            connector, *(f"a database with a name of some length {number:06}" for number in range(objects))
        )
        wait_for("the sync", lambda: story.integration.sync_runs.get().state == "succeeded", 300)
        assert story.integration.resources.count() == objects
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    small = peak_mb(15_000)
    assert peak_mb(100_000) < small + 25
