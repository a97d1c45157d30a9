"""Requests as files, and the one client that sends them."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.contract.errors import (
    CredentialsRejected,
    LeaseLost,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.provider import AnyProgram, Run
from connectors.contract.secret import Secret
from connectors.toolkit.http import BODY_MAX, Pace, Service
from connectors.toolkit.http_files import RequestFile
from tests.http_server import Answer, serving

HOSTILE = ["a/b", "a?b=c", "a#b", "a%2Fb", "ä ö", "a&b", "{name}", "a;b"]


def file(tmp_path: Path, **document: Any) -> RequestFile:
    """Write a request."""
    path = tmp_path / "ask.json"
    path.write_text(json.dumps({"what": "Asks.", "method": "GET", "path": "/things", **document}))
    return RequestFile(path)


def run(**change: Any) -> Run:
    """Return what a provider gets."""
    return Run(**{"alive": lambda: None, "seal": lambda details, grant_id="": "", **change})


def test_slots_are_filled_as_data_wherever_they_stand(tmp_path: Path) -> None:
    asking = file(
        tmp_path,
        method="POST",
        path="/orgs/{org}/files/{+place}",
        query={"size": "{size}", "fixed": "{not a slot} {size}"},
        body={"role": "{role}", "list": ["{size}", "plain"], "text": "is {role} text"},
    )
    assert asking.slots == {"org", "place", "size", "role"}
    composed = asking.compose({"org": "a/b c", "place": "x/y z", "size": 5, "role": {"deep": True}})
    assert composed.path == "/orgs/a%2Fb%20c/files/x/y%20z"
    assert composed.query == {"size": "5", "fixed": "{not a slot} {size}"}
    assert composed.body == {"role": {"deep": True}, "list": [5, "plain"], "text": "is {role} text"}


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_becomes_more_than_one_segment(tmp_path: Path, value: str) -> None:
    with serving(lambda asked: Answer(data={})) as server, Service(server.address, run()) as service:
        service.read(file(tmp_path, path="/a/{name}/z"), name=value)
    (asked,) = server.asked
    assert asked.path.count("/") == 3
    assert asked.query == {}


@pytest.mark.parametrize("value", ["", ".", "..", "a\0b"])
def test_values_that_no_path_could_take_are_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(Misconfigured, match="path"):
        file(tmp_path, path="/a/{name}").compose({"name": value})


def test_a_value_of_none_leaves_its_key_out(tmp_path: Path) -> None:
    asking = file(tmp_path, query={"page": "{page}"}, body={"a": "{a}", "b": 1})
    composed = asking.compose({"page": None, "a": None})
    assert (composed.query, composed.body) == ({}, {"b": 1})


def test_other_values_than_the_slots_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="has the slots"):
        file(tmp_path, path="/a/{name}").compose({"nome": "x"})


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", '{"what": "a", "method": "GET"}', '{"what": "a", "method": "STEAL", "path": "/"}',
     '{"what": "a", "method": "GET", "path": "things"}', '{"what": "a", "method": "GET", "path": "/", "extra": 1}'],
)  # fmt: skip
def test_a_file_that_is_no_request_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=r"bad\.json"):
        _ = RequestFile(path).slots


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Misconfigured), (401, CredentialsRejected), (403, NotPermitted), (404, TargetMissing), (410, TargetMissing),
     (302, Misconfigured), (409, Misconfigured), (408, Unreachable), (429, Unreachable), (500, Unreachable),
     (503, Unreachable)],
)  # fmt: skip
def test_each_status_is_an_instruction(tmp_path: Path, status: int, error: type[TargetError]) -> None:
    headers = {"Location": "http://elsewhere.invalid/"} | ({"Retry-After": "7"} if status == 429 else {})
    said = Answer(status, {"message": "because"}, headers)
    with serving(lambda asked: said) as server, Service(server.address, run()) as service:
        with pytest.raises(error) as caught:
            service.read(file(tmp_path, needs="the scope admin"))
    assert len(server.asked) == 1  # no redirect is followed, and nothing is tried twice
    assert "because" in caught.value.message
    assert f"{status}" in caught.value.message
    if status == 403:
        assert caught.value.fix == "It needs the scope admin."
    if status == 429:
        assert "7 s" in caught.value.fix


def test_a_403_that_says_when_to_come_back_is_no_refusal(tmp_path: Path) -> None:
    said = Answer(403, {"message": "because"}, {"Retry-After": "7"})
    with serving(lambda asked: said) as server, Service(server.address, run()) as service:
        with pytest.raises(Unreachable) as caught:
            service.read(file(tmp_path, needs="the scope admin"))
    assert "7 s" in caught.value.fix


def test_statuses_that_are_accepted_are_answers(tmp_path: Path) -> None:
    with serving(lambda asked: Answer(404, raw=b"nothing")) as server, Service(server.address, run()) as service:
        answer = service.read(file(tmp_path), accept=(404,))
    assert (answer.status, answer.data, answer.text) == (404, None, "nothing")


def test_a_dry_run_sends_nothing_and_hides_secrets(tmp_path: Path) -> None:
    going = run()
    asking = file(tmp_path, method="POST", path="/a/{name}", query={"q": "{q}"}, body={"password": "{password}"})
    with serving(lambda asked: Answer()) as server, Service(server.address, going, dry_run=True) as service:
        assert service.change(asking, name="x", q=1, password=Secret("canary")) is None
    assert server.asked == []
    assert [one.function for one in going.programs] == ["ask"]
    assert "POST /a/x?q=1" in going.programs[0].text
    assert "canary" not in going.programs[0].text
    assert going.functions == []


def test_a_secret_reaches_the_service_and_no_error(tmp_path: Path) -> None:
    asking = file(tmp_path, method="POST", body={"password": "{password}"})
    with serving(lambda asked: Answer(500, {"message": "no"})) as server, Service(server.address, run()) as service:
        with pytest.raises(Unreachable) as caught:
            service.change(asking, password=Secret("canary"))
    assert server.asked[0].data == {"password": "canary"}
    assert "canary" not in repr(caught.value) + caught.value.message


def test_the_owners_program_is_sent_instead(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"what": "Mine.", "method": "PUT", "path": "/own"}')

    def admit(program: AnyProgram, /) -> AnyProgram:
        return program.replaced(own)

    going = run(admit=admit)
    with serving(lambda asked: Answer()) as server, Service(server.address, going) as service:
        service.change(file(tmp_path, method="POST"))
    assert [(one.method, one.path) for one in server.asked] == [("PUT", "/own")]
    assert [(one.name, one.digest) for one in going.functions] == [("ask", RequestFile(own).digest)]


def test_a_program_that_may_not_run_is_not_sent(tmp_path: Path) -> None:
    def admit(program: AnyProgram, /) -> AnyProgram:
        raise Refused("no")

    with serving(lambda asked: Answer()) as server, Service(server.address, run(admit=admit)) as service:
        for send in (service.read, service.change):
            with pytest.raises(Refused):
                send(file(tmp_path))
    assert server.asked == []


def test_nothing_is_sent_after_the_lease(tmp_path: Path) -> None:
    def over() -> None:
        raise LeaseLost("over")

    with serving(lambda asked: Answer()) as server, Service(server.address, run(alive=over)) as service:
        with pytest.raises(LeaseLost):
            service.read(file(tmp_path))
    assert server.asked == []


def test_a_service_that_says_nothing_is_left_when_the_lease_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        going = run(remaining=lambda: 0.3)
        with Service(f"http://127.0.0.1:{silent.getsockname()[1]}", going) as service:
            with pytest.raises(Unreachable, match="in time"):
                service.read(file(tmp_path))


def test_a_body_that_drips_does_not_outlive_the_lease(tmp_path: Path) -> None:
    deadline = time.monotonic() + 0.5

    def alive() -> None:
        if time.monotonic() > deadline:
            raise LeaseLost("over")

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(100):
                try:
                    line.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                except OSError:
                    return
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        with Service(f"http://127.0.0.1:{listener.getsockname()[1]}", run(alive=alive)) as service:
            with pytest.raises(LeaseLost):
                service.read(file(tmp_path))
        thread.join()


def test_an_answer_without_end_is_refused(tmp_path: Path) -> None:
    with serving(lambda asked: Answer(raw=b"x" * (BODY_MAX + 1))) as server, Service(server.address, run()) as service:
        with pytest.raises(Misconfigured, match="more than"):
            service.read(file(tmp_path))


def test_a_service_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Service(f"http://127.0.0.1:{port}", run()) as service, pytest.raises(Unreachable):
        service.read(file(tmp_path))


def test_a_base_that_is_no_address_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no address"):
        Service("ftp://example.invalid", run())


def test_the_pace_is_kept_by_all_who_share_it() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    pace = Pace(20, monotonic=lambda: now[0], sleep=sleep)
    for _ in range(4):
        pace.wait(10)
    assert slept == [0.05, 0.05, 0.05]
    now[0] += 1
    pace.wait(10)
    assert len(slept) == 3
    with pytest.raises(Unreachable, match="as often as it allows"):
        Pace(0.001, monotonic=lambda: 0.0, sleep=sleep).wait(-1)
