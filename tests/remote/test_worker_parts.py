"""The parts of a worker: its clock, its settings, its health, the orders it has under way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Verb
from connectors.contract.wire import Cancel, Ready, ReportOf, Taken, WireOrder, Work, read
from connectors.runners import health, settings
from connectors.runners.clock import LeaseClock
from connectors.runners.command import main
from connectors.runners.settings import BadSettings
from connectors.runners.underway import UnderWay
from connectors.runners.worker import place
from connectors.toolkit.sealing import new_private_key
from tests.platform.processes import ROOT
from tests.servers import free_port

TOKEN = "lkc_0123456789_" + "a" * 43
GOOD = {"LATCHKEY_URL": "https://latchkey.example.com/", "LATCHKEY_CONNECTOR_TOKEN": TOKEN}


class Clocks:
    """Two clocks that a test sets."""

    def __init__(self) -> None:
        self.steady, self.wall = 100.0, 1_000_000.0
        self.lease = LeaseClock(lambda: self.steady, lambda: self.wall)

    def passes(self, steady: float, wall: float) -> float:
        """Let time pass on each, and return how much passed for leases."""
        before = self.lease()
        self.steady += steady
        self.wall += wall
        return self.lease() - before


@pytest.mark.parametrize(
    ("steady", "wall", "passed"),
    [
        (10, 10, 10),
        (10, 10.5, 10),  # corrected a little
        (0, 3600, 3600),  # the machine slept, or its clock was set forward: given up either way
        (10, -86400, 10),  # set back
        (10, 70, 70),
    ],
)
def test_a_lease_is_over_when_either_clock_says_so(steady: float, wall: float, passed: float) -> None:
    assert Clocks().passes(steady, wall) == pytest.approx(passed, abs=1.0)


def test_the_clock_of_leases_never_goes_back(rng) -> None:
    clocks = Clocks()
    for _ in range(500):
        assert clocks.passes(rng.uniform(0, 5), rng.uniform(-1000, 1000)) >= 0


def test_settings_are_read() -> None:
    told = settings.read(GOOD | {"LATCHKEY_CONNECTOR_SLOTS": "3", "LATCHKEY_HEALTH_ADDRESS": "[::1]:8080"})
    assert (told.url, told.slots, told.health) == ("https://latchkey.example.com", 3, ("::1", 8080))
    assert TOKEN not in repr(told)


def test_a_token_in_a_file_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    told = settings.read({"LATCHKEY_URL": GOOD["LATCHKEY_URL"], "LATCHKEY_CONNECTOR_TOKEN_FILE": str(file)})
    assert told.current().token.reveal() == TOKEN
    file.write_text(TOKEN.replace("a", "b"))
    assert told.current().token.reveal() == TOKEN.replace("a", "b")
    file.unlink()
    assert told.current().token.reveal() == TOKEN


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"LATCHKEY_URL": ""}, "LATCHKEY_URL"),
        ({"LATCHKEY_URL": "latchkey.example.com"}, "LATCHKEY_URL"),
        ({"LATCHKEY_URL": "https://user:pw@x"}, "LATCHKEY_URL"),
        ({"LATCHKEY_URL": "https://x:port"}, "LATCHKEY_URL"),
        ({"LATCHKEY_URL": "http://latchkey.example.com"}, "not encrypted"),
        ({"LATCHKEY_CONNECTOR_TOKEN": ""}, "LATCHKEY_CONNECTOR_TOKEN"),
        ({"LATCHKEY_CONNECTOR_TOKEN": "hunter2"}, "LATCHKEY_CONNECTOR_TOKEN"),
        ({"LATCHKEY_CONNECTOR_TOKEN_FILE": "/nowhere"}, "not both"),
        ({"LATCHKEY_CA_FILE": "/nowhere"}, "LATCHKEY_CA_FILE"),
        ({"LATCHKEY_CONNECTOR_SLOTS": "0"}, "LATCHKEY_CONNECTOR_SLOTS"),
        ({"LATCHKEY_CONNECTOR_SLOTS": "٣"}, "LATCHKEY_CONNECTOR_SLOTS"),
        ({"LATCHKEY_HEALTH_ADDRESS": "here"}, "LATCHKEY_HEALTH_ADDRESS"),
        ({"LATCHKEY_PROVIDERS": "/nowhere"}, "LATCHKEY_PROVIDERS"),
        ({"ALL_PROXY": "socks5://proxy:1080"}, "SOCKS"),
    ],
)
def test_settings_that_are_wrong_name_the_variable(change: dict[str, str], named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        settings.read(GOOD | change)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "p:3128", "HTTPS_PROXY": "http://q"}, "http://p:3128"),
        ({"ALL_PROXY": "http://p"}, "http://p"),
        ({"HTTP_PROXY": "http://p"}, ""),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}, ""),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "other,.example.com"}, ""),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "example.com:443"}, "http://p"),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "key.example.com,10.0.0.0/8"}, "http://p"),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(environment: dict[str, str], proxy: str) -> None:
    assert settings.proxy_for("https://latchkey.example.com", environment) == proxy


def test_a_network_may_be_excepted_from_the_proxy() -> None:
    environment = {"ALL_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}
    assert settings.proxy_for("https://10.1.2.3:8443", environment) == ""
    assert settings.proxy_for("https://11.1.2.3:8443", environment) == "http://p"


@pytest.mark.parametrize(
    ("environment", "runs_as"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"INVOCATION_ID": "x"}, "systemd"),
        ({"LATCHKEY_CONNECTOR_PLATFORM": "ecs", "K_SERVICE": "x"}, "ecs"),
    ],
)
def test_an_instance_says_what_it_runs_on(environment: dict[str, str], runs_as: str) -> None:
    assert place(environment)["runs_as"] == runs_as


def test_health_says_whether_it_is_linked() -> None:
    wrong, port = ["It is not linked."], free_port()
    server = health.serve(("127.0.0.1", port), lambda: wrong[0])
    try:
        for path, status in (("/healthz", 503), ("/other", 404)):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")
            assert refusal.value.code == status
        wrong[0] = ""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.read() == b"ok\n"
    finally:
        server.shutdown()
        server.server_close()


def test_without_settings_the_command_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "connectors.runners.command"],
        cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "LATCHKEY_URL is no address" in done.stderr


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip()


class Bench:
    """Orders under way with a clock that the test sets, and what was said."""

    def __init__(self, slots: int = 2) -> None:
        self.now, self.said = 100.0, []
        self.orders = UnderWay(slots, new_private_key(), lambda: self.now)

    def link(self) -> None:
        """Give it a link."""
        self.orders.attach(lambda text: self.said.append(read(text)), asks=True)

    def begin(self, number: int = 1, provider: str = "nobody", since: float = 100.0) -> None:
        """Hand it an order, which fails for want of its provider."""
        order = WireOrder(f"o{number}", 1, Verb.CHECK, provider, "i", {})
        self.orders.hear(Work(order, {}, since))

    def reports(self, at_least: int = 1) -> list[ReportOf]:
        """Return the reports that were said, once there are so many."""
        end = time.monotonic() + 5
        while len(found := [one for one in self.said if isinstance(one, ReportOf)]) < at_least:
            assert time.monotonic() < end, self.said
            time.sleep(0.005)
        return found


def test_a_report_is_said_again_on_each_link_until_it_is_taken() -> None:
    bench = Bench()
    bench.link()
    bench.begin()
    bench.reports()
    bench.link()
    assert len(bench.reports(2)) == 2
    assert bench.orders.working() == ("o1",)
    bench.orders.hear(Taken("o1", 1))
    bench.link()
    assert len(bench.reports(2)) == 2
    assert bench.orders.working() == ()


def test_a_report_is_kept_no_longer_than_its_lease() -> None:
    bench = Bench()
    bench.link()
    bench.begin()
    bench.reports()
    bench.now += 60
    bench.said.clear()
    bench.link()
    assert bench.said == [Ready(2, 160.0)]


def test_an_order_that_comes_twice_under_one_lease_is_done_once() -> None:
    bench = Bench()
    bench.link()
    bench.begin()
    bench.reports()
    bench.begin()
    bench.orders.hear(Taken("o1", 1))
    bench.begin()
    time.sleep(0.1)
    assert len(bench.reports()) == 1


def test_an_order_that_comes_when_its_lease_is_over_is_not_begun() -> None:
    bench = Bench()
    bench.link()
    bench.begin(since=39.0)
    assert bench.orders.working() == ()


def test_no_more_is_asked_for_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, gate = Bench(slots=3), threading.Event()
    execute = bench.orders.execute
    monkeypatch.setattr(bench.orders, "execute", lambda *given: (gate.wait(5), execute(*given))[1])
    bench.link()
    assert bench.said == [Ready(3, 100.0)]
    for number in (1, 2):
        bench.begin(number)
    assert bench.orders.free() == 1
    bench.said.clear()
    bench.link()
    assert bench.said == [Ready(1, 100.0)]
    gate.set()
    bench.reports(2)
    assert sum(one.more for one in bench.said if isinstance(one, Ready)) == 3


def test_a_worker_that_stops_gives_back_what_still_comes() -> None:
    bench = Bench()
    bench.link()
    bench.orders.drain()
    bench.begin()
    (report,) = bench.reports()
    assert report.report.error is not None
    assert report.report.error.kind is ErrorKind.LEASE_LOST
    assert bench.orders.free() == 0


def test_a_cancel_of_an_older_epoch_leaves_the_newer_alone() -> None:
    bench, gate = Bench(), threading.Event()
    bench.orders.execute = lambda held, work: (gate.wait(5), _cancelled(held))[1]
    bench.link()
    for epoch in (1, 2):
        bench.orders.hear(Work(WireOrder("o", epoch, Verb.CHECK, "nobody", "i", {}), {}, 100.0))
    bench.orders.hear(Cancel("o", 1))
    gate.set()
    by_epoch = {one.report.epoch: one.report.found for one in bench.reports(2)}
    assert by_epoch == {1: 1, 2: 0}


def _cancelled(held):
    """Return a report that says, in a number, whether the order was cancelled."""
    from connectors.contract.orders import Report

    return Report(held.order_id, held.epoch, found=int(held.cancelled.is_set()))


def test_secrets_that_do_not_open_are_reported_in_words() -> None:
    bench = Bench()
    bench.link()
    order = WireOrder("o", 1, Verb.CHECK, "nobody", "i", {})
    bench.orders.hear(Work(order, {"password": "00"}, 100.0))
    (report,) = bench.reports()
    assert report.report.error is not None
    assert "do not open" in report.report.error.message


def test_a_report_that_cannot_be_sent_is_replaced_by_one_that_says_so() -> None:
    from connectors.contract.orders import GrantReport, Report

    cases = [({"odd": one}, "cannot be sent") for one in (object(), float("nan"), "a\0b", "\ud800")]
    for details, said in [*cases, ({"long": "x" * 9 * 2**20}, "longer than 8 MB")]:
        bench = Bench()
        bench.orders.execute = lambda held, work, told=details: Report(
            held.order_id, held.epoch, grants=(GrantReport("g", (), details=told),)
        )
        bench.link()
        bench.begin()
        (report,) = bench.reports()
        assert report.report.error is not None
        assert said in report.report.error.message


def test_the_worker_knows_no_django() -> None:
    code = "import sys, connectors.runners.command; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
