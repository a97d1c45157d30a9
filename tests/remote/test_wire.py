"""The wire: what is written is read, by this version and its neighbours; what is none does no harm."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import VERSION
from connectors.contract import wire
from connectors.contract.errors import ErrorReport, Unreachable
from connectors.contract.orders import (
    Desired,
    Ending,
    Found,
    Grant,
    GrantReport,
    Order,
    Page,
    Person,
    ReadBack,
    Report,
    ResourceFact,
    SecretReference,
    Unit,
    UnitOutcome,
    UnitReport,
    Verb,
)
from connectors.contract.secret import Secret
from tests.architecture.source import PROJECT

UNIT = Unit("database", "ördérs", "READ_ONLY")
ORDER = Order(
    "id",
    3,
    Verb.APPLY,
    "postgresql",
    "integration",
    {"port": 5432, "hostname": "db"},
    secrets={"password": Secret("canary")},
    desired=Desired(
        Person("p", "P", ("a",), {"city": ("Berlin",)}),
        (Grant("g", "l", (UNIT,), math.inf, True),),
        (Ending("e", "l"),),
    ),
    references={"key": SecretReference("vault", "kv/x", "k")},
    resume="after",
)
REPORT = Report(
    "id",
    3,
    error=ErrorReport(Unreachable.kind, "Down.", "Wait."),
    grants=(GrantReport("g", (UnitReport(UNIT, UnitOutcome.HELD),), details={"port": 1, "deep": {"a": [1, None]}}),),
    read_back=ReadBack(1.5, (Found(UNIT, "l", "g"),)),
)
EVERY = [
    wire.Hello("a" * 32, VERSION, "b" * 64, place={"host": "h"}, functions={"p/x": "d"}),
    wire.Welcome("a" * 32, VERSION),
    wire.Goodbye("Because."),
    wire.Heartbeat(3, ("id",), 17.25),
    wire.Beat(17.25),
    wire.Ready(2, 1.0),
    wire.Work(wire.to_wire(ORDER), {"password": "00"}, 4.5),
    wire.Cancel("id", 3),
    wire.PageOf("id", 3, 1, Page((ResourceFact("t", "s", "n", "p", {"k": "v"}),), "after", 10)),
    wire.AskBaseline("id", 3, 1, (UNIT,), (UNIT,)),
    wire.TellBaseline("id", 3, 1, (UNIT,)),
    wire.ReportOf(REPORT),
    wire.Taken("id", 3, 1, True),
]


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_what_is_written_is_read(message) -> None:
    assert wire.read(wire.write(message)) == message
    (text,) = wire.read_exchange(wire.write_exchange([wire.write(message)], "i", "l", 2.5)).messages
    assert wire.understood(text) == message


def test_every_message_is_tried_here() -> None:
    assert {type(message).__name__ for message in EVERY} == set(wire.KINDS)


def test_an_order_travels_without_its_secrets() -> None:
    text = wire.write(wire.Work(wire.to_wire(ORDER)))
    assert "canary" not in text
    read = wire.read(text)
    assert isinstance(read, wire.Work)
    assert wire.from_wire(read.order, ORDER.secrets, ORDER.lease_seconds) == ORDER


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_a_neighbour_that_adds_something_is_understood(message) -> None:
    told = json.loads(wire.write(message)) | {"new": {"in": [1.1]}}
    assert wire.read(json.dumps(told)) == message
    # And one that does not know yet what this version added with a default.
    for one in dataclasses.fields(message):
        if one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING:
            told.pop(one.name)
    assert type(wire.read(json.dumps(told))) is type(message)


def test_a_kind_that_is_not_known_is_passed_over() -> None:
    assert wire.read('{"is": "Sing", "song": 1}') is None


BAD = [
    "",
    "null",
    "[]",
    "{}",
    '{"is": 1}',
    '{"is": "Ready"}',
    '{"is": "Ready", "more": "1"}',
    '{"is": "Ready", "more": true}',
    '{"is": "Ready", "more": 1.5}',
    '{"is": "Ready", "more": 1e999}',
    '{"is": "Ready", "more": 1, "echo": NaN}',
    '{"is": "Ready", "more": 1, "echo": 1' + "0" * 400 + "}",
    '{"is": "Ready", "more": ' + "9" * 5000 + "}",
    '{"is": "Ready", "more": 99999999999999999999}',
    '{"is": "Goodbye", "reason": "a\\u0000b"}',
    '{"is": "Goodbye", "reason": "\\ud800"}',
    '{"is": "Heartbeat", "free": 1, "working": {"a": 1}}',
    '{"is": "Heartbeat", "free": 1, "working": [1]}',
    '{"is": "Cancel", "order_id": null, "epoch": 1}',
    '{"is": "ReportOf", "report": {"order_id": "a", "epoch": 1, "error": {"kind": "odd", "message": ""}}}',
    "[" * 100_000,
    '{"is":' * 50_000,
    "\x00",
    b"\xff\xfe",
    " " * (wire.MESSAGE_MAX + 1),
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:30]))
def test_what_is_no_message_is_refused(text) -> None:
    with pytest.raises(wire.BadMessage):
        wire.read(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["is", "report", "order_id", "epoch", "free"]) | st.text(), inner)
        ),
    )
)
def test_whatever_json_comes_only_one_error_comes_of_it(data) -> None:
    for kind in ("Heartbeat", "ReportOf", "Hello", "PageOf"):
        told = data | {"is": kind} if isinstance(data, dict) else {"is": kind, "free": data, "report": data}
        try:
            wire.read(json.dumps(told))
        except wire.BadMessage:
            continue


def test_server_and_connector_are_of_one_version() -> None:
    assert PROJECT["project"]["version"] == VERSION
