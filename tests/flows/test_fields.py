"""Tickets and custom fields: what is taken, and that no pattern can hold the server up."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flows.decision.fields import fits, wrong_answers, wrong_fields, wrong_pattern, wrong_ticket


@pytest.mark.parametrize(
    ("pattern", "ticket", "taken"),
    [
        ("", "", True),
        ("[A-Z]{2,5}-[0-9]{1,8}", "PAY-17", True),
        ("[A-Z]{2,5}-[0-9]{1,8}", "see PAY-17", False),
        ("[A-Z]{2,5}-[0-9]{1,8}", "", False),
        ("INC[0-9]+", "INC0012345", True),
        ("INC[0-9]+", "INC" + "1" * 300, False),
    ],
)
def test_a_ticket_fits_the_pattern_as_a_whole(pattern: str, ticket: str, taken: bool) -> None:
    assert (wrong_ticket(pattern, ticket) == "") is taken


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", r"(.)\1", "(?=a)b", "a*a*a*b", "[0-9", "x" * 300, "((a{1,9}){1,9}){1,9}", "(?:a*)*b"],
)
def test_a_pattern_that_could_take_for_ever_is_refused_in_words(pattern: str) -> None:
    assert wrong_pattern(pattern)
    assert not fits(pattern, "aaa")


@pytest.mark.parametrize(
    "pattern",
    ["a?" * 40 + "b", "[a]{0,40}" * 6 + "b", "(ab?|a)" * 20 + "c", "a{1,99}" * 8, "a{,99}" * 5 + "b"],
)
def test_a_pattern_of_too_many_lengths_is_refused_though_each_has_an_end(pattern: str) -> None:
    assert "too many lengths" in wrong_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(INC|CHG|PRB|TASK)-[0-9]+",
        r"https?://[a-z.]+/[0-9]{1,9}/?",
        r"[A-Z]{2,10}-\d{1,8}",
        "a|b|c",
        r"#?[\w?*|+]{1,40}",
    ],
)
def test_patterns_that_people_write_are_taken(pattern: str) -> None:
    assert wrong_pattern(pattern) == ""


def test_no_pattern_that_is_taken_takes_long() -> None:
    for pattern in ("[a-z]*[a-z]*x", ".*.*x", "a+a+b", "(a|b)c*d*", "[A-Z]{1,200}[A-Z]{1,200}x"):
        assert not wrong_pattern(pattern), pattern
        begun = time.process_time()
        assert not fits(pattern, "a" * 999)
        # Quadratic at most, on at most a thousand characters.
        assert time.process_time() - begun < 2


def field(kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"key": "area", "label": "Area", "kind": kind} | more


@pytest.mark.parametrize(
    ("one", "answer", "wrong"),
    [
        (field(), "", ""),
        (field(required=True), " ", "has to be filled in"),
        (field(required=True), "anything", ""),
        (field("number"), "12.5", ""),
        (field("number"), "12,5", "write a number"),
        (field("number"), "١٢", "write a number"),
        (field("date"), "2026-11-30", ""),
        (field("date"), "30.11.2026", "write a date"),
        (field("date"), "2026-02-30", "write a date"),
        (field("choice", choices=["a", "b"]), "b", ""),
        (field("choice", choices=["a", "b"]), "c", "choose one"),
        (field(pattern="[a-z]{1,5}"), "ABC", "has to look like"),
        (field(), "x" * 1001, "at most"),
    ],
)
def test_an_answer_is_what_its_field_wants(one: dict[str, Any], answer: str, wrong: str) -> None:
    found = [text for _, text in wrong_answers([one], {"area": answer})]
    assert (wrong in found[0]) if wrong else (found == [])


@pytest.mark.parametrize(
    "fields",
    [
        "no list",
        [field(), field()],
        [field() | {"key": "Not a key"}],
        [field() | {"label": ""}],
        [field("colour")],
        [field("choice")],
        [field(pattern="(a+)+")],
        [field() | {"key": f"k{number}"} for number in range(21)],
    ],
)
def test_fields_that_make_no_sense_are_refused(fields: Any) -> None:
    assert wrong_fields(fields)


def test_fields_that_make_sense_are_taken() -> None:
    assert wrong_fields([field("choice", choices=["a"]), field() | {"key": "second"}]) == []
