"""The wire: every message comes out as it went in, and nothing that comes in can do more than be refused."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import wire
from connectors.contract.errors import ErrorKind, ErrorReport
from connectors.contract.orders import (
    Desired,
    Ending,
    Found,
    Function,
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
from connectors.contract.wire import BadMessage, Message

UNIT = Unit("database", '["sh\\"op"]', "READ")
ORDER = Order(
    order_id="order",
    epoch=7,
    verb=Verb.APPLY,
    provider="postgresql",
    integration_id="integration",
    config={"hostname": "ä", "port": 5432, "nested": {"a": [1, None]}},
    secrets={"password": Secret("canary")},
    desired=Desired(
        Person("p", "Ada", ("ada@example.com",), {"city": ("Berlin", "Paris")}),
        (Grant("g", "login", (UNIT,), math.inf, True),),
        (Ending("e", "login", (UNIT,)), Ending("d", "draining", (UNIT,), 1_800_000_000.5)),
    ),
    seal_to="ab",
    references={"password": SecretReference("vault", "kv/shop", "password")},
)
REPORT = Report(
    "order",
    7,
    ErrorReport(ErrorKind.UNREACHABLE, "gone", "wait"),
    grants=(
        GrantReport("g", (UnitReport(UNIT, UnitOutcome.HELD),), details={"port": 5432, "list": ["a"]}, sessions_left=2),
    ),
    read_back=ReadBack(1.5, (Found(UNIT, "login", "g"),)),
    functions=(Function("give", "ab"),),
)
MESSAGES: list[Message] = [
    wire.Hello("aa", "0.1.0", "bb", place={"host": "x"}, providers=("a",), functions={"a/b": "cc"}),
    wire.Welcome("aa", "0.1.0"),
    wire.Goodbye("enough", again=False),
    wire.Heartbeat(3, ("order",), 1.25),
    wire.Beat(1.25),
    wire.Ready(2),
    wire.Work(wire.to_wire(ORDER), {"password": "dd"}),
    wire.Cancel("order", 7),
    wire.PageOf("order", 7, 1, Page((ResourceFact("t", "s", "n", "p", {"k": "v"}),), "next", 10)),
    wire.AskBaseline("order", 7, 1, (UNIT,), (UNIT, UNIT)),
    wire.TellBaseline("order", 7, 1, ()),
    wire.ReportOf(REPORT),
    wire.Taken("order", 7, refused=True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_out_as_it_went_in(message: Message) -> None:
    assert wire.read(wire.write(message)) == message
    assert wire.read(wire.write(message).encode()) == message


def test_every_kind_of_message_is_tried() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(Message))


def test_an_order_travels_without_its_secrets_and_is_whole_again_with_them() -> None:
    text = wire.write(wire.Work(wire.to_wire(ORDER)))
    assert "canary" not in text
    read = wire.read(text)
    assert isinstance(read, wire.Work)
    assert wire.from_wire(read.order, ORDER.secrets, ORDER.lease_seconds) == ORDER


def test_a_secret_in_a_message_is_refused_rather_than_sent() -> None:
    leaking = dataclasses.replace(wire.to_wire(ORDER), config={"password": Secret("canary")})
    with pytest.raises(TypeError, match="Secret does not travel"):
        wire.write(wire.Work(leaking))


def test_a_newer_minor_version_may_say_more() -> None:
    data = json.loads(wire.write(wire.Heartbeat(1)))
    assert wire.read(json.dumps({**data, "mood": "good"})) == wire.Heartbeat(1)
    assert wire.read('{"is": "Song", "text": "la"}') is None
    assert wire.read('{"is": "Heartbeat", "free": 1}') == wire.Heartbeat(1)


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", "{}", '{"is": 5}', '{"is": "Heartbeat"}', '{"is": "Heartbeat", "free": "1"}',
     '{"is": "Heartbeat", "free": true}', '{"is": "Heartbeat", "free": 1, "working": "abc"}',
     '{"is": "Work", "order": 5}', '{"is": "Work", "order": {"verb": "steal"}}',
     '{"is": "Hello", "instance": null, "version": "1", "key": "a"}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_words(text: str) -> None:
    with pytest.raises(BadMessage):
        wire.read(text)


def test_a_message_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadMessage, match="at most"):
        wire.read("x" * (wire.MESSAGE_MAX + 1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_any_one_field_replaced_is_read_or_refused(message: Message, data: Any) -> None:
    told = json.loads(wire.write(message))
    key = data.draw(st.sampled_from(sorted(told)))
    told[key] = data.draw(json_values)
    try:
        wire.read(json.dumps(told))
    except BadMessage as error:
        assert "Secret" not in str(error)


def test_the_context_of_a_secret_tells_order_lease_and_field_apart() -> None:
    contexts = {
        wire.sealing_context(order, epoch, field) for order in ("a", "ab") for epoch in (1, 12) for field in ("b", "2b")
    }
    assert len(contexts) == 8
