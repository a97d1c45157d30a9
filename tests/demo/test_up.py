"""`script/up --demo` as people run it: to the end of the engineer's story, and through crashes."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config.env import BadSetting
from demo import folder, people, programs, target
from tests.journeys.browser import Browser
from tests.platform.processes import ROOT, Up, environment
from tests.servers import free_port

PATIENCE = 300
SMALL = {"LATCHKEY_DEMO_REQUESTS": "12"}


def _missing() -> str:
    """Return why there can be no real target here, or nothing."""
    try:
        programs.find(Path("/tmp"))
    except programs.NoTarget as problem:
        return str(problem)
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "-")


@contextmanager
def demo(data: Path, until: str = "Ctrl-C stops it") -> Iterator[Up]:
    """Start a demo on a folder and wait until it says something; stop it at the end."""
    port, output = free_port(), data.parent / f"{data.name}.{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "demo", "up", "--port", str(port), "--data", str(data)]
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(**SMALL), stdout=file, stderr=file, text=True)
    running = Up(process, port, data, output)
    try:
        running.wait_for(until)
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        wait_until(lambda: not servers_of(data))


def wait_until(holds: object) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def servers_of(data: Path) -> list[int]:
    """Return the postmasters that run on a demo's folder."""
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = cmdline.read_bytes().split(b"\0")
        except OSError:
            continue
        if len(words) > 2 and words[1:3] == [b"-D", str(home(data) / "data").encode()]:
            found.append(int(cmdline.parent.name))
    return found


def home(data: Path) -> Path:
    """Return where a demo's server lives; nowhere while none was made."""
    read = folder.read(data)
    return Path(read.home) if read is not None and read.home else Path("/nowhere")


def note(data: Path) -> folder.Note:
    """Return what the folder says of itself."""
    read = folder.read(data)
    assert read is not None
    return read


@contextmanager
def place() -> Iterator[Path]:
    """Yield a folder that does not exist yet, where the server's account can get to; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="latchkey-demo-") as outer:
        Path(outer).chmod(0o755)
        yield Path(outer) / "data"


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Return the folder of a demo that was made, used and stopped: each test starts it again."""
    with place() as made:
        with demo(made) as one:
            assert one.stop() == 0
        yield made


class Engineer:
    """The engineer at a browser."""

    def __init__(self, running: Up) -> None:
        """Press the engineer's button."""
        self.browser = Browser(f"http://127.0.0.1:{running.port}/")
        self.browser.get("/account/login/")
        assert "Robin Alder" in self.browser.post("/demo/sign-in/", email=people.ENGINEER)

    def ask(self) -> str:
        """Ask for the orders, read only; return the address of the request."""
        page = self.browser.get("/requests/new/?q=orders")
        found = re.search(r'payments-prod.*?value="(\d+:\d+)"', page, re.S)
        assert found, page
        answer = self.browser.send(
            "/requests/new/", do="send", pick=found[1], duration="1800", justification="INC-1: orders are stuck"
        )
        return answer.url

    def wait_for(self, address: str, words: str) -> str:
        """Wait until the page of the request says something."""
        deadline = time.monotonic() + PATIENCE
        while words not in (page := self.browser.get(address)):
            assert time.monotonic() < deadline, page
            time.sleep(0.2)
        return page


def connect(page: str, secret: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the page says."""
    match = re.search(r"psql '([^']*)'", html.unescape(page))
    assert match, page
    return psycopg.connect(match[1], password=secret, connect_timeout=10, autocommit=True)


def test_the_engineers_story(data: Path) -> None:
    """By a button, through the pages, to a real table; and out again, provably."""
    with demo(data) as one:
        engineer = Engineer(one)
        address = engineer.ask()
        page = engineer.wait_for(address, "Show password once")
        (show,) = set(re.findall(r'action="(/requests/\d+/sessions/[^"]+/password/)"', page))
        shown = engineer.browser.post(show)
        secret = html.unescape(re.search(r'<output id="secret-1">([^<]+)<', shown)[1])  # type: ignore[index]
        with connect(shown, secret) as session:
            (stuck,) = session.execute("SELECT count(*) FROM orders WHERE state = 'stuck'").fetchone() or (0,)
            assert stuck > 0
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("DELETE FROM orders")
            engineer.browser.post(re.sub(r"^https?://[^/]+", "", address) + "hand-back/")
            engineer.wait_for(address, "Revoked (proven)")
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            connect(shown, secret)
        assert one.stop() == 0


def test_what_it_says(data: Path) -> None:
    with demo(data) as one:
        lines = one.said().strip().splitlines()
        assert len(lines) <= 8
        assert f"http://127.0.0.1:{one.port}" in lines[0]
        assert any("psql is /" in line for line in lines)
        assert "sign-in/" not in one.said(), "there is an admin, who has a button"


def test_root_hands_the_server_to_somebody_else(data: Path) -> None:
    with demo(data):
        (server,) = servers_of(data)
        owner = Path(f"/proc/{server}").stat().st_uid
        assert owner != 0
        if os.geteuid() == 0:
            assert (data / "target" / "data").stat().st_uid == owner
            assert (data / "latchkey.sqlite3").stat().st_mode & 0o077 == 0
            assert (data / "keys.env").stat().st_mode & 0o077 == 0


def test_the_server_is_on_this_machine_only_and_everybody_needs_a_password(data: Path) -> None:
    with demo(data):
        port = note(data).port
        for user in ("postgres", "latchkey", "nobody"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host="127.0.0.1", port=port, user=user, password="", dbname="orders", connect_timeout=5)
        # Linux: everything in 127.0.0.0/8 leads here, but the server listens on one address.
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_a_second_start_goes_on_with_the_same(data: Path) -> None:
    before = note(data)
    with demo(data) as one:
        assert "Making" not in one.said()
        assert note(data) == before
        assert one.stop() == 0
    assert servers_of(data) == []


def test_a_port_that_was_taken_meanwhile(data: Path) -> None:
    """The server takes another, and the integration follows it."""
    old = note(data).port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", old))
        squatter.listen()
        with demo(data) as one:
            assert note(data).port != old
            engineer = Engineer(one)
            page = engineer.wait_for(engineer.ask(), "Show password once")
            assert f"port={note(data).port}" in html.unescape(page)
            engineer.browser.post(re.search(r'action="(/requests/\d+/hand-back/)"', page)[1])  # type: ignore[index]
            assert one.stop() == 0


def test_the_server_goes_down_with_a_process_that_is_killed(data: Path) -> None:
    with demo(data) as one:
        assert len(servers_of(data)) == 1
        one.stop(signal.SIGKILL)
        wait_until(lambda: not servers_of(data))
    with demo(data) as one:
        one.wait_until_ready()


def test_a_pid_file_that_was_left_behind(data: Path) -> None:
    """With the number of a process that is somebody else's: ours. It is not stopped, and not taken for a server."""
    (data / "target" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{data}/target/data\n0\n1\n\n\n\nready\n")
    with demo(data) as one:
        one.wait_until_ready()


def begun(data: Path) -> bool:
    """Whether the making of the past has come as far as its first entry."""
    try:
        return folder.first_action(data / "latchkey.sqlite3") == folder.FIRST_ACTION
    except BadSetting:
        return False


@pytest.mark.full
def test_a_making_that_was_killed_begins_again() -> None:
    with place() as data:
        with demo(data, until="Preparing the database") as one:
            wait_until(lambda: begun(data))
            one.stop(signal.SIGKILL)
        assert not note(data).ready
        with demo(data) as one:
            assert "The demo was not finished; it is made anew." in one.said()
            one.wait_until_ready()
            assert note(data).ready
            assert one.stop() == 0
        ended = subprocess.run(
            [sys.executable, "-m", "demo", "audit", "verify"],
            cwd=ROOT, env=environment(LATCHKEY_DATA=str(data)), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "The audit trail is intact" in ended.stdout, ended.stderr


@pytest.mark.full
@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_folder_that_the_servers_account_cannot_enter(tmp_path: Path) -> None:
    """As root's own folders are: the server lives elsewhere, is found again there, and says so."""
    data = tmp_path / "data"
    tmp_path.chmod(0o700)
    try:
        with demo(data) as one:
            assert "cannot enter the data folder" in one.said()
            assert home(data).parent == target.ELSEWHERE
            assert (home(data) / "data").stat().st_uid != 0
            assert one.stop() == 0
    finally:
        shutil.rmtree(home(data), ignore_errors=True)


def test_a_server_that_was_deleted_is_made_again(data: Path) -> None:
    subprocess.run(["rm", "-rf", str(data / "target")], check=True)
    with demo(data) as one:
        engineer = Engineer(one)
        engineer.wait_for(engineer.ask(), "Show password once")
        assert one.stop() == 0
    assert json.loads((data / folder.MARKER).read_text())["ready"]
