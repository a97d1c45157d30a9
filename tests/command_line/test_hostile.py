"""Servers that mean no good, lines that break, and files that others can read."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from latchkey_cli.problems import Problem
from latchkey_cli.profiles import address
from latchkey_cli.text import clean, lasting, seconds_of
from tests.command_line.calling import Terminal, plain
from tests.command_line.servers import ME, a_request, a_session, page
from tests.http_server import Answer, Asked, serving

TOKEN = "lk_a-secret-that-stays-here"
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]prod[/] \u202egnp.exe\u2066\u200b\r\nAR-2 Active\x00\u2028"


def at(url: str, home: Path) -> Terminal:
    """Return a terminal with a token for a server."""
    return Terminal(home, {"LATCHKEY_URL": url, "LATCHKEY_TOKEN": TOKEN})


def test_names_of_the_server_only_show_themselves(tmp_path: Path) -> None:
    row = a_request(
        access_units_summary=[{"resource_name": EVIL, "permission_name": EVIL}],
        grantee={"display_name": EVIL},
        status={"status": "Active", "description": EVIL, "metadata": {"state": "active"}},
    )
    units = [{"id": "AR-1", "access_units": [{"resource": {"name": EVIL}, "permission": {"name": EVIL}}]}]

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/approve"):
            return Answer(409, {"detail": EVIL, "status": 409})
        if asked.path.endswith("access_units"):
            return Answer(data=units)
        return page(row) if asked.path.endswith("access-requests") else Answer(data=row)

    with serving(answer) as server:
        rita = at(server.address, tmp_path)
        for words in (["requests"], ["show", "AR-1"], ["approve", "AR-1"]):
            for form in ([], ["-o", "json"], ["-o", "yaml"]) if words != ["approve", "AR-1"] else ([],):
                said = rita.try_(*words, *form)
                shown = (said.out + said.err).replace("\n", "")
                assert clean(shown) == shown, (words, form)
        rita.env["COLUMNS"] = "400"
        table = rita.run("requests").out
        assert "[bold red]prod[/]" in table
        assert not [line for line in table.splitlines() if line.startswith("AR-2")]
        assert rita.data("requests")[0]["grantee"]["display_name"] == EVIL, "JSON says exactly what the server said"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_goes_nowhere_else(tmp_path: Path, status: int) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password other\n")
    (tmp_path / ".netrc").chmod(0o600)
    with serving(lambda asked: Answer(data=ME)) as other:
        moved = Answer(status, {}, {"Location": f"{other.address}/api/client/v1/session"})
        with serving(lambda asked: moved) as server:
            said = at(server.address, tmp_path).try_("whoami")
            assert (said.code, "sends us elsewhere" in said.err) == (7, True)
            assert [one.headers["Authorization"] for one in server.asked] == [f"Bearer {TOKEN}"]
        assert other.asked == []


def test_no_token_goes_out_in_clear_or_to_a_server_that_was_not_named(tmp_path: Path) -> None:
    for wrong in ("http://latchkey.example.com", "ftp://x", "https://a@b.example", "latchkey.example", "https://x?y=1"):
        said = Terminal(tmp_path).try_("login", wrong, "--token", typed=f"{TOKEN}\n")
        assert said.code == 2, wrong
        assert TOKEN not in said.out + said.err
    assert Terminal(tmp_path, {"LATCHKEY_TOKEN": TOKEN}).try_("whoami").code == 2
    proxied = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    with serving(lambda asked: Answer(data=ME)) as server:
        rita = at(server.address, tmp_path)
        rita.env |= proxied
        assert rita.run("whoami").code == 0, "what stays on this computer goes through no proxy"
    assert address("https://Latchkey.example.com:8443/x/") == "https://latchkey.example.com:8443/x"
    with pytest.raises(Problem):
        address("http://127.0.0.1.evil.example")


def test_a_file_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    with serving(lambda asked: Answer(data=ME)) as server:
        rita = Terminal(tmp_path)
        said = rita.run("login", server.address, "--token", typed=f"{TOKEN}\n")
        assert TOKEN not in said.out + said.err
        assert rita.run("whoami").code == 0
        assert Terminal(tmp_path, {"LATCHKEY_URL": "http://localhost:1"}).try_("whoami").code == 3
        rita.kept.chmod(0o644)
        said = rita.try_("whoami")
        assert (said.code, f"chmod 600 {rita.kept}" in said.err) == (1, True)
        rita.kept.chmod(0o600)
        rita.kept.write_text("{")
        assert rita.try_("whoami").code == 1


def test_a_broken_line_makes_no_second_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("latchkey_cli.client.time.sleep", waits.append)
    answers = [Answer(503, {}), Answer(429, {}, {"Retry-After": "7"}), Answer(data={"message": "AR-1 was approved."})]
    with serving(lambda asked: answers[len(server.asked) - 1]) as server:
        assert "was approved" in at(server.address, tmp_path).run("approve", "AR-1").err
        keys = [one.headers["Idempotency-Key"] for one in server.asked]
        assert (len(keys), len(set(keys)), waits) == (3, 1, [0.5, 7])
        assert "Idempotency-Key" not in server.asked[0].data
    with serving(lambda asked: Answer(429, {"detail": "Slow."}, {"Retry-After": "86400"})) as server:
        assert at(server.address, tmp_path).try_("approve", "AR-1").code == 7
        assert len(server.asked) == 1


def test_a_line_that_breaks_while_credentials_come_is_not_asked_twice(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("access-details"):
            return Answer(502, {})
        return page(a_session("postgresql"))

    with serving(answer) as server:
        said = at(server.address, tmp_path).try_("creds", "Shop")
        assert (said.code, "latchkey reset" in said.err) == (7, True)
        assert sum(one.path.endswith("access-details") for one in server.asked) == 1


NONSENSE = {
    "no JSON": b"<html>",
    "deep": b"[" * 100_000,
    "another shape": b'{"data": 7}',
    "a null": b"null",
    "rows of nothing": b'{"data": [1, null, {}], "pagination": {}}',
    "wrong kinds": json.dumps({"data": [{"id": [], "status": 7, "grantee": "x"}], "pagination": {}}).encode(),
    "too long": b'"' + b"x" * (21 * 2**20) + b'"',
}


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_ends_in_words_and_not_in_a_traceback(tmp_path: Path, body: str) -> None:
    with serving(lambda asked: Answer(raw=NONSENSE[body])) as server:
        said = at(server.address, tmp_path).try_("requests")
        assert said.code in {0, 1, 7}
        assert "latchkey_cli/" not in said.err, "no line of a traceback of ours"
        assert TOKEN not in said.err + said.out


def test_a_server_that_hangs_up_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latchkey_cli.client.time.sleep", lambda seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        said = at(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path).try_("approve", "AR-1")
    assert (said.code, "Look first whether it was done" in plain(said.err)) == (7, True)


def test_lengths_of_time_are_read_as_they_are_written() -> None:
    assert [seconds_of(text) for text in ("30m", "1d12h", "2H", "1w", "90s")] == [1800, 129_600, 7200, 604_800, 90]
    assert [seconds_of(text) for text in ("", "30", "h", "-1h", "1h30", "0m", "½h", "1e3s")] == [None] * 8
    assert [seconds_of(lasting(one)) for one in (1, 59, 3661, 90_061)] == [1, 59, 3661, 90_061]
    assert clean("a\x1bb\u202ec\nd\te") == "a\ufffdb\ufffdc d e"
