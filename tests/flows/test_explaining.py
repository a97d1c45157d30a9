"""Why a flow decides, and what the others lack: each question has its answer, and its next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.decision import Facts, FlowFacts, decide
from flows.decision.explaining import Gate, for_requestor, hurdles, why
from tests.flows.test_decision import RITA, condition, entitlement, facts_of, flow

SATURDAY = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
OFFICE = {"start": "08:00", "end": "17:00", "days": ["MONDAY", "FRIDAY"], "time_zone": "Europe/Berlin"}
NOBODY = {"mode": "none", "groups": []}


def asked(*flows: FlowFacts, **more: Any) -> Facts:
    told = {"requestor": RITA, "grantee": RITA, "asks": (entitlement("shop"),), "flows": flows, "at": SATURDAY} | more
    return Facts(**told)


@pytest.mark.parametrize(
    ("change", "more", "gate", "told", "step"),
    [
        ({"active": False}, {}, Gate.ON, "switched off", "Ask an admin"),
        ({"trigger": "automatic"}, {}, Gate.ON, "automatic", "nothing to ask for"),
        (
            {"requestors": {"operator": "and", "conditions": [condition("group", "is", "dba")]}},
            {},
            Gate.REQUESTOR,
            "not in the group “dba”",
            "Ask an admin to add you",
        ),
        ({}, {"grantee": facts_of("abel")}, Gate.GRANTEE, "is none of these", "Let Abel ask for it"),
        ({}, {"break_glass": True}, Gate.BREAK_GLASS, "cannot be broken", "without breaking"),
        ({"timeframe": OFFICE}, {}, Gate.WINDOW, "shut now", "This opens Monday 08:00 Europe/Berlin."),
        ({}, {"duration_seconds": 7200}, Gate.DURATION, "at most 1 h, and 2 h", "at most 1 h"),
    ],
)
def test_the_first_thing_that_failed_is_told_with_what_to_do(
    change: dict[str, Any], more: dict[str, Any], gate: Gate, told: str, step: str
) -> None:
    facts = asked(flow(**change), **more)
    (found,) = hurdles(facts, facts.asks[0], facts.flows)
    assert (found.gate, told in found.told, step in found.next_step) == (gate, True, True), found


def test_a_flow_that_gives_it_to_nobody_did_not_come_near() -> None:
    facts = asked(flow(targets=[]))
    assert hurdles(facts, facts.asks[0], facts.flows) == []


def test_what_came_nearest_comes_first_and_flows_of_others_are_not_for_the_requestor() -> None:
    others = flow(1, requestors={"operator": "or", "conditions": [condition("group", "is", "secret club")]})
    shut = flow(2, timeframe=OFFICE)
    facts = asked(others, shut)
    found = hurdles(facts, facts.asks[0], facts.flows)
    assert [each.flow.version_id for each in found] == [2, 1]
    (mine,) = for_requestor(found)
    assert "secret" not in mine.plain + mine.next_step + mine.name
    assert "secret" not in found[1].plain + found[1].next_step


def test_of_an_outside_person_it_is_told_that_they_have_to_be_named() -> None:
    vendor = replace(RITA, outside=True)
    berlin = {"operator": "or", "conditions": [condition("city", "is", "Berlin")]}
    facts = asked(flow(requestors=berlin), requestor=vendor, grantee=vendor)
    (found,) = hurdles(facts, facts.asks[0], facts.flows)
    assert "have to be named" in found.told


@pytest.mark.parametrize(
    ("first", "second", "seconds", "reason"),
    [
        ({"duration_seconds": 7200}, {"approval": NOBODY}, 7200, "it allows the time asked for"),
        ({"approval": NOBODY}, {}, None, "it asks for the least approval"),
        ({"duration_seconds": 7200}, {}, None, "it allows the longest time"),
        ({}, {}, None, "its name comes first"),
    ],
)
def test_why_names_the_first_thing_in_which_the_chosen_flow_is_better(
    first: dict[str, Any], second: dict[str, Any], seconds: int | None, reason: str
) -> None:
    (part,) = decide(asked(flow(2, **second), flow(1, **first), duration_seconds=seconds)).parts
    assert part.flow.version_id == 1
    assert why(part) == f"Of 2 access flows that give this, {reason}."


def test_why_of_an_only_flow() -> None:
    (part,) = decide(asked(flow())).parts
    assert why(part) == "It is the only access flow that gives this."
