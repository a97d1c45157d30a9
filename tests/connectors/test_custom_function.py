"""The contract with functions of the customer's own: what the sample shows, and what bad functions must not break."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, Ending, Grant, GrantReport, Order, Page, Person, Report, Unit, Verb
from connectors.contract.secret import Secret
from connectors.registry import PROVIDERS
from connectors.runners import local
from connectors.toolkit import http
from connectors.toolkit.sealing import new_private_key, public_key
from tests.connectors.custom_functions import KEY, SAMPLE, Web, over_http, sample
from tests.connectors.http_stub import Handler, listening

TRIO = ("http-custom", "aws-lambda-custom", "gcp-function-custom")
ADA = Person("person", "Ada", ("ada@example.org",))
READ = Unit("resource", "sales", "read")
PUBLISH = Unit("resource", "payroll", "publish")


@dataclass
class Told:
    """A function that answers as it is told to: `answers` by event, else "ok"; it keeps what it was sent."""

    answers: dict[str, Any] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    status: int = 200
    slow: float = 0.0

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of one kind."""
        return [event["params"] for event in self.sent if event["event_type"] == kind]


class _Answering(Handler):
    world: Told

    def do_POST(self) -> None:
        event = json.loads(self.body())
        self.world.sent.append(event)
        self.world.headers.append(self.headers)
        time.sleep(self.world.slow)
        answer = self.world.answers.get(event["event_type"], {"status": "ok"})
        self.reply(self.world.status, answer(event["params"]) if callable(answer) else answer, {"Location": "/x"})


@dataclass
class World:
    """A function, and a person who gets access through it."""

    address: str
    told: Told
    number: int = 0

    def grant(self, *units: Unit, **change: Any) -> Grant:
        """Return a new grant."""
        self.number += 1
        made = Grant(f"grant-{self.number}", f"lk_{self.number}", units or (READ,), time.time() + 3600, True)
        return replace(made, **change)

    def order(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **change: Any) -> Order:
        """Return an order."""
        endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
        desired = Desired(ADA, holds, endings) if verb not in (Verb.CHECK, Verb.DISCOVER) else None
        config, secrets = {"address": self.address}, {"signing_key": Secret(KEY)}
        order = Order("order", 1, verb, "http-custom", "integration", config, secrets, desired)
        return replace(order, seal_to=public_key(new_private_key()), **change)

    def run(self, verb: Verb, *holds: Grant, gone: tuple[Grant, ...] = (), **change: Any) -> Report:
        """Run an order."""
        return local.run(self.order(verb, holds, gone, **change), on_page=lambda page: None)


@pytest.fixture
def world() -> Iterator[World]:
    """A function that knows of nobody."""
    told = Told({"list-access": {"status": "ok", "read_at": 12.5, "access": [], "users": []}})
    with listening(_Answering, told) as address:
        yield World(f"{address}/hook", told)


@pytest.fixture(scope="module")
def reports() -> Iterator[Web]:
    """The sample function."""
    with over_http() as running:
        yield running


def of(report: Report, grant: Grant) -> GrantReport:
    """Return what a report says of a grant."""
    (found,) = [one for one in report.grants if one.grant_id == grant.grant_id]
    return found


def outcomes(report: Report, grant: Grant) -> list[str]:
    """Return the outcomes of a grant's units."""
    assert report.error is None, report.error
    return [one.outcome.value for one in of(report, grant).units]


def failure(report: Report, grant: Grant) -> Any:
    """Return the error of a grant's first unit."""
    error = of(report, grant).units[0].error
    assert error is not None
    return error


def entry(grant: Grant, unit: Unit = READ, **change: str) -> dict[str, str]:
    """Return an entry of list-access."""
    kind, resource, permission = unit.resource_type, unit.resource, unit.permission
    mine = {"username": grant.login, "grant_id": grant.grant_id, "resource_type": kind}
    return {**mine, "resource": resource, "permission": permission, **change}


def shows(*entries: dict[str, str], users: tuple[Grant, ...] = ()) -> dict[str, Any]:
    """Return an answer to list-access."""
    made = [{"username": one.login, "grant_id": one.grant_id} for one in users]
    return {"status": "ok", "read_at": 12.5, "access": list(entries), "users": made}


# Proof.


@pytest.mark.parametrize("answer", [{"status": "ok"}, "ok", b"ok", {"status": "error", "error": "misconfigured"}])
def test_a_function_without_list_access_is_refused_by_check_and_proves_nothing(world: World, answer: Any) -> None:
    world.told.answers |= {"list-access": answer, "list-resources": {"permissions": [{"id": "read"}], "resources": []}}
    report = world.run(Verb.CHECK)
    (bad,) = [one for one in report.findings if one.level == "error"]
    assert bad.fix
    ended = world.run(Verb.APPLY, gone=(world.grant(),))
    assert ended.error is not None
    assert ended.error.kind is ErrorKind.MISCONFIGURED


def test_an_end_that_the_function_only_claims_is_not_believed(world: World) -> None:
    grant = world.grant()
    world.told.answers["list-access"] = shows(entry(grant), users=(grant,))
    report = world.run(Verb.APPLY, gone=(grant,))
    assert outcomes(report, grant) == ["failed"]
    assert failure(report, grant).kind is ErrorKind.UNREACHABLE
    assert report.read_back is not None
    assert [one.unit for one in report.read_back.ours] == [READ]


def test_access_that_the_function_only_claims_is_not_believed(world: World) -> None:
    grant = world.grant()
    assert outcomes(world.run(Verb.APPLY, grant), grant) == ["failed"]


def test_the_time_of_the_proof_is_the_functions_own(world: World) -> None:
    report = world.run(Verb.READ_BACK)
    assert report.read_back is not None
    assert report.read_back.read_at == 12.5


def test_what_is_to_end_is_taken_even_where_the_function_does_not_show_it(world: World) -> None:
    grant = world.grant(READ, PUBLISH)
    assert outcomes(world.run(Verb.APPLY, gone=(grant,)), grant) == ["gone", "gone"]
    assert [(one["permission"], one["resources"]) for one in world.told.events("revoke-access")] == [
        ("publish", ["payroll"]),
        ("read", ["sales"]),
    ]


def test_access_by_a_grant_that_nobody_knows_is_ended_and_told(world: World) -> None:
    lost = world.grant()
    world.told.answers["list-access"] = shows(entry(lost), users=(lost,))
    report = world.run(Verb.APPLY)
    assert [one["grant_id"] for one in world.told.events("revoke-access")] == [lost.grant_id]
    assert "was ended" in of(report, lost).warnings[0]


def test_what_is_the_persons_own_is_standing_and_left_alone(world: World) -> None:
    grant = world.grant()
    world.told.answers["list-access"] = shows(entry(grant, username="ada", grant_id=""))
    report = world.run(Verb.APPLY, gone=(grant,))
    assert report.read_back is not None
    assert [one.login for one in report.read_back.standing] == ["ada"]
    assert [one["username"] for one in world.told.events("revoke-access")] == [grant.login]


@pytest.mark.parametrize("other", ["", "grant-of-somebody"])
def test_a_user_that_was_not_made_for_the_grant_is_not_taken_over(world: World, other: str) -> None:
    grant = world.grant()
    world.told.answers["list-access"] = shows(users=(replace(grant, grant_id=other),))
    report = world.run(Verb.APPLY, grant)
    assert failure(report, grant).kind is ErrorKind.REFUSED
    assert {event["event_type"] for event in world.told.sent} == {"list-access"}


def test_a_user_that_stays_fails_the_clean_up(world: World) -> None:
    grant = world.grant()
    world.told.answers["list-access"] = shows(users=(grant,))
    assert outcomes(world.run(Verb.CLEAN_UP, gone=(grant,)), grant) == ["failed"]
    assert len(world.told.events("delete-credentials")) == 1


# Events.


def test_every_event_carries_the_end_of_the_lease_and_the_custom_parameters(world: World) -> None:
    parameters = {"quote": "'; DROP TABLE users; --", "deep": {"list": [1, None, "{username}"]}}
    config = {"address": world.address, "custom_parameters": json.dumps(parameters)}
    world.run(Verb.APPLY, world.grant(), config=config, lease_seconds=20.0)
    assert len(world.told.sent) >= 3
    for event in world.told.sent:
        assert event["params"]["custom_parameters"] == parameters
        assert event["params"]["integration_id"] == "integration"
        assert time.time() + 10 < event["params"]["deadline"] < time.time() + 20


def test_a_grant_is_told_with_its_person_and_its_end(world: World) -> None:
    world.run(Verb.APPLY, world.grant(ends_at=1900000000.0), world.grant(PUBLISH, ends_at=math.inf))
    first, second = world.told.events("grant-access")
    assert first["person"] == {"id": "person", "name": "Ada", "aliases": ["ada@example.org"]}
    assert first["ends_at"] == "2030-03-17T17:46:40+00:00"
    assert "ends_at" not in second


def test_many_resources_travel_in_one_event(world: World) -> None:
    units = tuple(Unit("resource", f"r{number:04}", "read") for number in range(501))
    world.run(Verb.APPLY, world.grant(*units))
    assert [len(one["resources"]) for one in world.told.events("grant-access")] == [500, 1]


def test_one_thing_that_is_refused_leaves_the_others_alone(world: World) -> None:
    grant = world.grant(READ, PUBLISH)
    no = {"status": "error", "error": "target_missing", "message": "Gone.", "fix": "Ask for another."}
    world.told.answers |= {
        "grant-access": lambda params: no if params["permission"] == "read" else {"status": "ok"},
        "list-access": shows(entry(grant, PUBLISH), users=(grant,)),
    }
    report = world.run(Verb.APPLY, grant)
    assert outcomes(report, grant) == ["failed", "held"]
    error = failure(report, grant)
    assert (error.kind, error.fix) == (ErrorKind.TARGET_MISSING, "Ask for another.")


@pytest.mark.parametrize(
    ("secret", "keys"),
    [("abc", True), ({"token": "abc", "host": "h"}, True), (None, False), ("", False), ([1], False)],
)
def test_credentials_are_sealed_where_there_are_any(world: World, secret: Any, keys: bool) -> None:
    grant = world.grant()
    world.told.answers["create-credentials"] = {"status": "ok", "secret": secret}
    told = of(world.run(Verb.APPLY, grant), grant)
    assert bool(told.sealed_credentials) is keys
    assert "abc" not in repr(told)


def test_the_details_are_the_functions(world: World) -> None:
    grant = world.grant()
    answer = shows(entry(grant), users=(grant,))
    answer["users"][0]["details"] = {"uri": "https://r.example", "port": 7, "deep": {"no": 1}}
    world.told.answers["list-access"] = answer
    assert of(world.run(Verb.APPLY, grant), grant).details == {
        "username": grant.login,
        "uri": "https://r.example",
        "port": "7",
    }


def test_a_dry_run_sends_nothing_that_changes_and_shows_what_it_would(world: World) -> None:
    report = world.run(Verb.APPLY, world.grant(), dry_run=True)
    assert [one.function for one in report.programs] == ["create_credentials", "grant_access"]
    assert json.loads(report.programs[1].text)["params"]["permission"] == "read"
    assert {event["event_type"] for event in world.told.sent} == {"list-access"}


def test_resources_come_by_the_functions_pages_with_tags_from_both_places(world: World) -> None:
    def listed(params: dict[str, Any]) -> dict[str, Any]:
        page = int(params.get("page", "1"))
        made = [{"id": f"r{page}", "name": f"R {page}", "tags": {"own": "yes"}, "metadata": {"size": 3, "deep": []}}]
        return {"resources": made, "permissions": [{"id": "read"}], "next_page": str(page + 1) if page < 3 else None}

    tags = {"status": "ok", "tags": {"r2": {"team": "x"}}}
    world.told.answers |= {"list-resources": listed, "list-resources-tags": tags}
    pages: list[Page] = []
    report = local.run(world.order(Verb.DISCOVER, resource_types=("resource",)), on_page=pages.append)
    assert report.error is None
    facts = [one for page in pages for one in page.resources]
    assert [one.source_id for one in facts] == ["r1", "r2", "r3"]
    assert facts[1].tags == {"team": "x", "own": "yes"}
    assert facts[1].context == {"size": "3"}
    assert [(one.resource_type, one.name) for one in report.resource_types] == [("resource", "Resource")]


# Answers that are none.


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        [],
        {"status": "ok", "read_at": True, "access": []},
        {"status": "ok", "read_at": "now", "access": []},
        {"status": "ok", "read_at": 1, "access": {}},
        {"status": "ok", "read_at": 1, "access": [1]},
        {"status": "ok", "read_at": 1, "access": [{"username": "x"}]},
        {"status": "ok", "read_at": 1, "access": [], "users": [{"username": 7}]},
        {"status": "ok", "read_at": 1, "access": [], "users": [{"username": "x" * 1001}]},
    ],
)
def test_a_bad_answer_is_misconfigured_and_says_where_to_look(world: World, answer: Any) -> None:
    world.told.answers["list-access"] = answer
    error = world.run(Verb.READ_BACK).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert "docs/custom-function" in error.fix


@pytest.mark.parametrize("kind", ["unreachable", "not_permitted", "refused", "credentials_rejected", "misconfigured"])
def test_the_function_names_the_kind_of_its_error(world: World, kind: str) -> None:
    world.told.answers["list-access"] = {"status": "error", "error": kind, "message": "No." * 1000, "fix": "Do."}
    error = world.run(Verb.READ_BACK).error
    assert error is not None
    assert (error.kind.value, error.fix) == (kind, "Do.")
    assert len(error.message) < 600


@pytest.mark.parametrize(("status", "kind"), [(404, "misconfigured"), (410, "misconfigured"), (302, "misconfigured")])
def test_a_wrong_address_does_not_look_like_access_that_is_gone(world: World, status: int, kind: str) -> None:
    world.told.status = status
    error = world.run(Verb.APPLY, gone=(world.grant(),)).error
    assert error is not None
    assert error.kind.value == kind
    assert len(world.told.sent) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "credentials_rejected"), (403, "not_permitted"), (500, "unreachable")]
)
def test_other_statuses_are_typed(world: World, status: int, kind: str) -> None:
    world.told.status = status
    error = world.run(Verb.READ_BACK).error
    assert error is not None
    assert error.kind.value == kind


def test_a_function_that_is_too_slow_does_not_outlive_the_lease(world: World) -> None:
    world.told.slow = 3.0
    began = time.monotonic()
    error = world.run(Verb.READ_BACK, lease_seconds=1.0).error
    assert time.monotonic() - began < 2.5
    assert error is not None
    assert error.kind in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)


def test_an_answer_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_MAX", 100_000)
    world.told.answers["list-access"] = {"status": "ok", "filler": "x" * 200_000}
    error = world.run(Verb.READ_BACK).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED


def test_pages_that_do_not_end_are_misconfigured(world: World) -> None:
    world.told.answers["list-resources"] = {"resources": [], "permissions": [{"id": "read"}], "next_page": "again"}
    error = world.run(Verb.DISCOVER).error
    assert error is not None
    assert "do not end" in error.message


@pytest.mark.parametrize("risk", [0, 10, True, "high"])
def test_a_risk_level_is_1_to_9(world: World, risk: Any) -> None:
    world.told.answers["list-resources"] = {"permissions": [{"id": "read", "risk_level": risk}]}
    error = world.run(Verb.DISCOVER).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED


@pytest.mark.parametrize("given", ["[]", "{", "1"])
def test_custom_parameters_are_an_object(world: World, given: str) -> None:
    error = world.run(Verb.CHECK, config={"address": world.address, "custom_parameters": given}).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED


# Signatures.


def test_requests_are_signed_anew_each_time_and_say_nothing_of_the_key(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    report = world.run(
        Verb.APPLY, world.grant(), secrets={"signing_key": Secret(KEY), "authorization": Secret("Key k-1")}
    )
    ids = [headers["webhook-id"] for headers in world.told.headers]
    assert len(set(ids)) == len(ids) >= 3
    assert {headers["Authorization"] for headers in world.told.headers} == {"Key k-1"}
    assert KEY not in repr(report) + caplog.text


@pytest.mark.parametrize(("key", "words"), [("too-few", "too short"), ("whsec_no base64!", "no base64")])
def test_a_key_that_protects_nothing_is_refused(world: World, key: str, words: str) -> None:
    error = world.run(Verb.CHECK, secrets={"signing_key": Secret(key)}).error
    assert error is not None
    assert words in error.message
    assert world.told.sent == []


def test_a_key_in_the_spelling_of_the_standard_is_understood(world: World) -> None:
    raw = bytes(range(32))
    key = Secret(f"whsec_{base64.b64encode(raw).decode()}")
    world.run(Verb.READ_BACK, secrets={"signing_key": key})
    headers, body = world.told.headers[0], json.dumps(world.told.sent[0], ensure_ascii=False).encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


def signed(body: bytes, *, key: str = KEY, at: float | None = None, id_: str = "") -> dict[str, str]:
    """Return the headers of a request to the sample, written down by hand from its README."""
    id_, sent = id_ or f"msg_{time.monotonic_ns()}", str(int(at or time.time()))
    digest = hmac.new(key.encode(), f"{id_}.{sent}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id_, "webhook-timestamp": sent, "webhook-signature": signature}


def event(kind: str = "get-status", **params: Any) -> bytes:
    """Return an event."""
    return json.dumps({"event_type": kind, "params": {"deadline": time.time() + 60, **params}}).encode()


def test_the_sample_takes_what_is_signed(reports: Web) -> None:
    body = event()
    answer = requests.post(reports.config["address"], body, headers=signed(body), timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "headers",
    [
        lambda body: {},
        lambda body: signed(body, key="another key of more than 24 characters"),
        lambda body: signed(body, at=time.time() - 301),
        lambda body: signed(body, at=time.time() + 310),
        lambda body: signed(body + b" "),
        lambda body: {**signed(body), "webhook-timestamp": "soon"},
        lambda body: {**signed(body), "webhook-id": "msg_other"},
    ],
)
def test_the_sample_refuses_what_is_not(reports: Web, headers: Callable[[bytes], dict[str, str]]) -> None:
    body = event()
    assert requests.post(reports.config["address"], body, headers=headers(body), timeout=10).status_code == 401


def test_the_sample_takes_nothing_twice(reports: Web) -> None:
    body = event()
    headers = signed(body)
    answers = [requests.post(reports.config["address"], body, headers=headers, timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]


# The sample itself.


def told_by_sample(tmp_path: Path, kind: str, **params: Any) -> dict[str, Any]:
    """Return the sample's answer to one event."""
    module = sample()
    answer: dict[str, Any] = module.answer(module.Store(tmp_path / "reports.db"), json.loads(event(kind, **params)))
    return answer


@pytest.mark.parametrize(
    ("kind", "params", "error"),
    [
        ("open-the-door", {}, "misconfigured"),
        ("grant-access", {}, "misconfigured"),
        ("get-status", {"deadline": 1.0}, "unreachable"),
        (
            "grant-access",
            {"username": "x", "grant_id": "g", "resource_type": "resource", "resources": ["no"], "permission": "read"},
            "target_missing",
        ),
    ],
)
def test_the_sample_says_what_is_wrong(tmp_path: Path, kind: str, params: dict[str, Any], error: str) -> None:
    answer = told_by_sample(tmp_path, kind, **params)
    assert (answer["status"], answer["error"]) == ("error", error)
    assert answer["message"]


def test_the_samples_access_ends_by_itself(tmp_path: Path) -> None:
    store = sample().Store(tmp_path / "reports.db")
    password = store.make_user("ada_1", "g", "p", "i")
    store.give("ada_1", "g", [("sales", "read")], "2020-01-01T00:00:00+00:00")
    assert not store.may("ada_1", password, "sales", "read")
    store.give("ada_1", "g", [("sales", "read")], None)
    assert store.may("ada_1", password, "sales", "read")
    assert not store.may("ada_1", "x", "sales", "read")


def test_the_readme_knows_every_event_and_the_providers_send_no_other() -> None:
    readme = SAMPLE.with_name("README.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([a-z-]+)` \|", readme, re.MULTILINE))
    assert described == set(sample().EVENTS)
    for name in TRIO:
        files = (PROVIDERS / name / "programs").glob("*.json")
        assert {json.loads(file.read_text())["event_type"] for file in files} == described


def test_all_three_ways_send_the_same_events() -> None:
    programs = [
        {path.name: path.read_text() for path in (PROVIDERS / name / "programs").glob("*.json")} for name in TRIO
    ]
    assert programs[0] == programs[1] == programs[2]
