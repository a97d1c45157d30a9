"""Calls of AWS: typed errors, one try, nothing that outlives the lease, no secret in a log, files as AWS has them."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.registry import PROVIDERS
from connectors.toolkit.aws import Cloud, check_region, complaints
from connectors.toolkit.aws_errors import UnderWay
from connectors.toolkit.bookmarks import Bookmark, pieces, read
from connectors.toolkit.call_files import CallFile, Calls
from connectors.toolkit.pace import Berths, Pace, PerKey
from connectors.toolkit.policy_files import PolicyFile
from connectors.vet.programs import complaints as vetted
from tests.aws.server import environment

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "the-connectors-own",
    "AWS_EC2_METADATA_DISABLED": "1",
}
NOWHERE = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
XML = (
    '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Code>{0}</Code>'
    "<Message>said {0}</Message></Error></ErrorResponse>"
)
OK = (
    '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><UserName>ada</UserName>'
    "<Path>/</Path><UserId>AIDAEXAMPLEEXAMPLE</UserId><Arn>arn:aws:iam::123456789012:user/ada</Arn>"
    "<CreateDate>2026-01-01T00:00:00Z</CreateDate></User></GetUserResult></GetUserResponse>"
)


class Stub:
    """A server that answers as it is told and counts."""

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], None] = say(200, OK)
        self.asked: list[dict[str, str]] = []


def say(status: int, text: str, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = text.encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server in AWS's place."""
    found = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.asked.append(dict(self.headers))
            found.answer(self)

        def log_message(self, *rest: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with environment({**KEYS, **NOWHERE, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}):
        yield found
    server.shutdown()
    server.server_close()


def lease(seconds: float = 60.0) -> Run:
    """Return a run whose lease lasts so long."""
    ends = time.monotonic() + seconds

    def alive() -> None:
        if time.monotonic() >= ends:
            raise LeaseLost("over")

    return Run(alive, lambda details, grant_id="": "", remaining=lambda: max(0.0, ends - time.monotonic()))


def a_file(folder: Path, **change: Any) -> CallFile:
    """Return a call of GetUser, or another."""
    document = {
        "what": "Reads a user.",
        "needs": "iam:GetUser",
        "service": "iam",
        "operation": "GetUser",
        "parameters": {"UserName": "{login}"},
    }
    path = folder / "user.json"
    path.write_text(json.dumps({key: value for key, value in {**document, **change}.items() if value is not None}))
    return CallFile(path, "login")


@contextmanager
def cloud(run: Run | None = None, **options: Any) -> Iterator[Cloud]:
    with Cloud(run or lease(), region="eu-west-1", **options) as found:
        yield found


CODES: list[tuple[str, int, type[TargetError]]] = [
    ("Throttling", 400, Unreachable),
    ("ThrottlingException", 400, Unreachable),
    ("ServiceUnavailable", 503, Unreachable),
    ("InternalFailure", 500, Unreachable),
    ("SomethingNew", 500, Unreachable),
    ("AccessDenied", 403, NotPermitted),
    ("UnauthorizedOperation", 403, NotPermitted),
    ("NoSuchEntity", 404, TargetMissing),
    ("ResourceNotFoundException", 400, TargetMissing),
    ("AWS.SimpleQueueService.NonExistentQueue", 400, TargetMissing),
    ("InvalidInstanceID.NotFound", 400, TargetMissing),
    ("InvalidClientTokenId", 403, CredentialsRejected),
    ("ExpiredToken", 403, CredentialsRejected),
    ("SignatureDoesNotMatch", 403, CredentialsRejected),
    ("RequestExpired", 400, Misconfigured),
    ("LimitExceeded", 409, Misconfigured),
    ("ValidationError", 400, Misconfigured),
    ("EntityAlreadyExists", 409, Refused),
    ("ConflictException", 409, UnderWay),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES, ids=str)
def test_what_aws_says_becomes_an_instruction_and_is_not_tried_again(
    stub: Stub, tmp_path: Path, code: str, status: int, kind: type[TargetError]
) -> None:
    stub.answer = say(status, XML.format(code))
    with cloud() as aws, pytest.raises(kind) as caught:
        aws.read(a_file(tmp_path), login="ada")
    assert type(caught.value) is kind
    assert f"said {code}" in caught.value.message
    assert len(stub.asked) == 1
    if kind is NotPermitted:
        assert caught.value.fix == "Allow the connector iam:GetUser."


def test_an_answer_is_read_and_aws_says_the_time(stub: Stub, tmp_path: Path) -> None:
    stub.answer = say(200, OK, Date="Thu, 01 Jan 2026 00:00:00 GMT")
    with cloud() as aws:
        # The stub's own Date comes first; what counts is that it is one that a server said.
        assert aws.read(a_file(tmp_path), login="ada")["User"]["UserName"] == "ada"
        assert aws.now == int(aws.now)


@pytest.mark.parametrize("status", [200, 502])
def test_what_is_not_aws_is_unreachable(stub: Stub, tmp_path: Path, status: int) -> None:
    stub.answer = say(status, "<html>Please sign in to the <b>network")
    with cloud() as aws, pytest.raises(Unreachable):
        aws.read(a_file(tmp_path), login="ada")


def test_a_redirect_is_not_followed(stub: Stub, tmp_path: Path) -> None:
    stub.answer = say(307, "", Location="http://127.0.0.1:1/")
    with cloud() as aws, pytest.raises(TargetError):
        aws.read(a_file(tmp_path), login="ada")
    assert len(stub.asked) == 1


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    address = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with environment({**KEYS, **NOWHERE, **address}), cloud() as aws, pytest.raises(Unreachable):
        aws.read(a_file(tmp_path), login="ada")


def test_a_silent_server_does_not_outlive_the_lease(stub: Stub, tmp_path: Path) -> None:
    stub.answer = lambda handler: time.sleep(5)
    began = time.monotonic()
    with cloud(lease(0.4)) as aws, pytest.raises((Unreachable, LeaseLost)):
        aws.read(a_file(tmp_path), login="ada")
    assert time.monotonic() - began < 2


def test_an_answer_that_drips_does_not_outlive_the_lease(stub: Stub, tmp_path: Path) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"1\r\nx\r\n")
            time.sleep(0.05)

    stub.answer = drip
    began = time.monotonic()
    with cloud(lease(0.4)) as aws, pytest.raises(LeaseLost):
        aws.read(a_file(tmp_path), login="ada")
    assert time.monotonic() - began < 2


def test_nothing_is_sent_after_the_lease(stub: Stub, tmp_path: Path) -> None:
    with cloud(lease(0.0)) as aws, pytest.raises(LeaseLost):
        aws.read(a_file(tmp_path), login="ada")
    assert stub.asked == []


def test_without_an_identity_the_credentials_are_rejected(tmp_path: Path) -> None:
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", **NOWHERE}
    with environment(nobody), cloud() as aws, pytest.raises(CredentialsRejected):
        aws.read(a_file(tmp_path), login="ada")


def test_a_profile_that_is_not_there_is_misconfigured(stub: Stub) -> None:
    with pytest.raises(Misconfigured, match="nobody"):
        Cloud(lease(), region="eu-west-1", profile="nobody")


def test_a_value_that_no_call_could_take_is_misconfigured_and_not_sent(stub: Stub, tmp_path: Path) -> None:
    with cloud() as aws, pytest.raises(Misconfigured):
        aws.read(a_file(tmp_path), login=["ada"])
    assert stub.asked == []


def test_a_dry_run_writes_down_what_it_would_send_without_secrets(stub: Stub, tmp_path: Path) -> None:
    run = lease()
    with cloud(run, dry_run=True) as aws:
        assert aws.change(a_file(tmp_path), login=Secret("hidden")) is None
    assert stub.asked == []
    assert [one.function for one in run.programs] == ["user"]
    assert "iam GetUser" in run.programs[0].text
    assert "hidden" not in run.programs[0].text


def test_pages_are_calls_of_their_own_and_begin_where_they_are_told(stub: Stub, tmp_path: Path) -> None:
    page = (
        '<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users/>'
        "<IsTruncated>{0}</IsTruncated>{1}</ListUsersResult></ListUsersResponse>"
    )
    texts = [page.format("true", "<Marker>second</Marker>"), page.format("false", "")]

    def one_after_the_other(handler: BaseHTTPRequestHandler) -> None:
        say(200, texts[len(stub.asked) - 1])(handler)

    stub.answer = one_after_the_other
    parameters = {"PathPrefix": "/", "Marker": "{marker}"}
    file = a_file(tmp_path, operation="ListUsers", parameters=parameters, pages={"marker": "Marker"})
    run = lease()
    with cloud(run) as aws:
        assert len(list(aws.pages(file, begin="first"))) == 2
    assert len(stub.asked) == 2
    assert [one.name for one in run.functions] == ["user"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": "iamm"}, "no service"),
        ({"operation": "GetUsers"}, "no operation"),
        ({"operation": "PutUserPolicy"}, "needs PolicyDocument"),
        ({"parameters": {"Login": "{login}"}}, "no parameter 'Login'"),
        ({"operation": "CreateUser", "parameters": {"UserName": "{login}", "Tags": [{"Name": "x"}]}}, "'Name'"),
        ({"operation": "CreateUser", "parameters": {"UserName": "{login}", "Tags": {"Name": "x"}}}, "is no list"),
        ({"operation": "CreateUser", "parameters": {"UserName": ["{login}"]}}, "is no string"),
    ],
)
def test_a_call_that_aws_does_not_have_is_found(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    assert complaints(a_file(tmp_path)) == []
    assert any(words in complaint for complaint in complaints(a_file(tmp_path, **change)))


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("create_user", '"CreateUser"', '"MakeUser"', "no operation"),
        ("create_user", '"{login}"', '"ada"', "but the code declares"),
        ("allow_queue_admin", '"{ends_at}"', '"2030-01-01T00:00:00Z"', "does not end"),
        ("allow_queue_admin", '"{tags}"', '"{labels}"', "but the code declares"),
        ("queues", '"needs"', '"needed"', "a call has"),
        ("queues", "{", "[", "no JSON"),
    ],
)
def test_vet_finds_what_is_wrong_with_a_call_or_a_policy(
    tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    folder = tmp_path / "aws-account"
    shutil.copytree(PROVIDERS / "aws-account", folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert vetted(folder) == []
    path = folder / "programs" / f"{name}.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert any(words in complaint for complaint in vetted(folder)), vetted(folder)


@pytest.mark.parametrize(
    "change", [{"what": None}, {"extra": 1}, {"parameters": []}, {"pages": {"marker": "M"}}, {"pages": []}]
)
def test_a_call_file_of_another_shape_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        _ = a_file(tmp_path, **change).document


def test_slots_are_whole_values_and_nothing_else(tmp_path: Path) -> None:
    file = a_file(tmp_path, parameters={"UserName": "{login}", "Path": "/{login}/"})
    call = file.compose({"login": '{"x": "{login}"}'})
    assert call.parameters == {"UserName": '{"x": "{login}"}', "Path": "/{login}/"}
    assert file.compose({"login": None}).parameters == {"Path": "/{login}/"}
    with pytest.raises(Misconfigured, match="slots"):
        file.compose({"login": "a", "more": "b"})
    with pytest.raises(Misconfigured, match="no JSON"):
        _ = Calls(tmp_path).program("user").replaced(_written(tmp_path / "bad.json", "{")).document


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


STATEMENT = {"Sid": "One", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "{resources}"}
END = {"DateLessThan": {"aws:CurrentTime": "{ends_at}"}}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (STATEMENT, "does not end"),
        ({**STATEMENT, "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}}, "does not end"),
        ({**STATEMENT, "Condition": END, "Sid": "not one"}, "Sid"),
    ],
)
def test_a_policy_that_does_not_end_is_no_policy(tmp_path: Path, statement: dict[str, Any], words: str) -> None:
    good = {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Condition": END}]}
    assert PolicyFile(_written(tmp_path / "p.json", json.dumps(good))).slots == {"resources", "ends_at"}
    bad = _written(tmp_path / "q.json", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with pytest.raises(Misconfigured, match=words):
        _ = PolicyFile(bad).slots


@pytest.mark.parametrize("region", ["", "eu west", "eu-west-1.evil.example", "eu/west", "ü-1", "-"])
def test_what_is_no_region_never_becomes_part_of_an_address(region: str) -> None:
    assert check_region("us-gov-east-1") == "us-gov-east-1"
    with pytest.raises(Misconfigured):
        check_region(region)


def test_a_pace_is_kept_by_all_threads_together() -> None:
    paces = PerKey(lambda: Pace(100.0))
    times: list[float] = []

    def call() -> None:
        for _ in range(10):
            paces.of("eu", "role").wait(10)
            times.append(time.monotonic())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(times) - min(times) >= 0.38
    assert paces.of("eu", "other") is not paces.of("eu", "role")


def test_a_turn_that_is_too_far_off_is_not_waited_for() -> None:
    pace = Pace(0.1)
    pace.wait(1)
    with pytest.raises(Unreachable):
        pace.wait(1)


def test_berths_are_as_many_as_there_are() -> None:
    berths = Berths(2)
    assert berths.take(0)
    assert berths.take(0)
    assert not berths.take(0.01)
    berths.leave()
    assert berths.take(0)


def test_a_bookmark_goes_on_after_any_piece() -> None:
    answers = {None: {"rows": [1, 2, 3], "next": "b"}, "b": {"rows": [], "next": "c"}, "c": {"rows": [4, 5]}}

    def asked(token: str | None) -> Iterator[dict[str, Any]]:
        while True:
            yield answers[token]
            token = answers[token].get("next")
            if token is None:
                return

    def rest(here: Bookmark) -> list[tuple[list[int], str]]:
        return list(pieces(asked(here.token), "next", lambda answer: answer["rows"], here, 2))

    whole = rest(Bookmark("part"))
    assert [rows for rows, _ in whole] == [[1, 2], [3], [4, 5]]
    for number, (_, resume) in enumerate(whole):
        here = read(resume, ["part"])
        assert here is not None
        assert [rows for rows, _ in rest(here)] == [rows for rows, _ in whole[number + 1 :]]
    assert read(whole[0][1], ["other"]) is None
