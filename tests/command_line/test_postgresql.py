"""The whole story from terminals, on a real PostgreSQL server, with the real psql."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired

import pytest

from tests.browser.serving import serving
from tests.cast import Cast
from tests.command_line.calling import Said, Terminal, ended, signed_in
from tests.journeys.real import connect, logins
from tests.story import Story
from tests.targets import PostgresServer, binaries, missing, running

pytestmark = [pytest.mark.full, pytest.mark.target]
VERSION = 16
ASK = ("request", "-i", "postgresql", "-t", "database", "-R", "shop", "-P", "READ_ONLY", "-j", "the shop is slow")


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    if why := missing(VERSION):
        pytest.skip(why)
    with running(VERSION) as one:
        yield one


def worked(story: Story, process: Popen[str]) -> Said:
    """Work as the timetable would until a command ends."""
    while process.poll() is None:
        story.catch_up()
        with suppress(TimeoutExpired):
            process.wait(0.3)
    return ended(process)


def psql(terminal: Terminal, *words: str) -> Said:
    """Run the real psql through the command."""
    return ended(terminal.begin("connect", *words))


def test_somebody_asks_waits_reads_and_gives_back(
    fresh_database: None, cast: Cast, server: PostgresServer, tmp_path: Path
) -> None:
    story = connect(cast, server, "shop")
    story.catch_up()
    with serving() as url:
        rita, abel = (signed_in(one, url, tmp_path / one.name) for one in (cast.requester, cast.approver))
        folder = binaries(VERSION)
        assert folder is not None
        rita.env |= {"PATH": f"{folder}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(rita.home)}
        asking = rita.begin(*ASK, "--wait", "--yes")
        assert asking.stderr is not None
        waits = next(line for line in asking.stderr if "waits for" in line)
        name = waits.split(":")[0]
        abel.run("approve", name, "--reason", "go")
        done = worked(story, asking)
        assert (done.code, f"{name} is active" in done.err) == (0, True), done
        query = ("--", "-X", "-At", "-c")
        assert psql(rita, name, *query, "SELECT sum(number) FROM orders").out.strip() == "7"
        assert psql(rita, name, *query, "SELECT 1").code == 6, "the password was handed out, and is not kept"
        again = worked(story, rita.begin("connect", name, "--reset", *query, "INSERT INTO orders VALUES (8)"))
        assert again.code == 1, "psql's own code"
        assert "permission denied" in again.err
        fails = worked(
            story, rita.begin("connect", name, "--reset", "--", "-X", "-v", "ON_ERROR_STOP=1", "-f", "/nope")
        )
        assert fails.code == 1
        worked(story, rita.begin("revoke", name, "--wait"))
        assert rita.data("show", name)["status"]["status"] == "Revoked"
        assert rita.try_("connect", name).code == 4
        assert set(logins(server).values()) == {False}
        assert [one.name for one in rita.home.glob("latchkey-*")] == []
