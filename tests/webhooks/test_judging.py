"""What an answer means. Whatever cannot be understood is no yes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.choices import MatchOperator
from flows.judging import judge, path_problem

ANSWER = {
    "ok": True,
    "n": 3,
    "state": "approved by CAB",
    "tags": ["a", "b"],
    "items": [{"s": "open"}, {"s": "shut"}],
    "no": None,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def holds(path: str, operator: str, value: str, data: Any = ANSWER) -> bool:
    return judge(200, data, [{"path": path, "operator": operator, "value": value}]).said == "yes"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("$" + ".(a|a)" * 30, lambda inner: {"a": inner}),
        ("$" + "[0,0]" * 30, lambda inner: [inner]),
        ("$" + "[*].$[*]" * 5, lambda inner: [inner] * 3),
        ("$.*.`parent`.*.`parent`.*", lambda inner: [inner] * 3),
        ("$[*] where $[*]", lambda inner: [inner] * 3),
    ],
)
def test_a_path_that_could_take_for_ever_is_refused_and_says_no_yes(path: str, data: Any) -> None:
    assert path_problem(path)
    nested: Any = {}
    for _ in range(8 if "*" in path else 40):
        nested = data(nested)
    begun = time.process_time()
    assert not holds(path, "is_not", "x", nested)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("$.ok", "is", "true", True),
        ("$.ok", "is", "True", False),
        ("$.ok", "is_not", "false", True),
        ("$.n", "is", "3", True),
        ("$.no", "is", "null", True),
        ("$.state", "contains", "CAB", True),
        ("$.state", "starts_with", "approved", True),
        ("$.state", "starts_with", "CAB", False),
        ("$.state", "does_not_contain", "refused", True),
        ("$.tags", "contains", "b", True),
        ("$.tags", "is", "a", True),
        ("$.tags", "is_not", "a", False),
        ("$.items[*].s", "is", "open", True),
        ("$.items[*].s", "is_not", "open", False),
        ("$.items[0].s", "is", "open", True),
        ("$.items[1].s", "is", "open", False),
        ("$..s", "is", "shut", True),
        ("$.absent", "is", "", False),
        ("$.absent", "is_not", "no", False),
        ("$.absent.deeper", "does_not_contain", "no", False),
        ("$.items[9].s", "is_not", "open", False),
        ("$.tags[0:1:0]", "is", "a", False),
        ("$.ok", "resembles", "true", False),
    ],
)
def test_a_validator_compares_what_it_finds(path: str, operator: str, value: str, expected: bool) -> None:
    assert holds(path, operator, value) is expected


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, "yes"), (204, "yes"), (301, "failed"), (302, "failed"), (400, "failed"), (403, "failed"), (404, "failed"),
     (401, "again"), (408, "again"), (429, "again"), (500, "again"), (503, "again"), (100, "failed")],
)  # fmt: skip
def test_without_validators_success_is_a_yes(status: int, said: str) -> None:
    assert judge(status, None, []).said == said


def test_all_validators_have_to_hold_and_each_is_told() -> None:
    both = [{"path": "$.ok", "operator": "is", "value": "true"}, {"path": "$.n", "operator": "is", "value": "4"}]
    verdict = judge(200, ANSWER, both)
    assert verdict.said == "no"
    assert [(one.holds, one.found) for one in verdict.judged] == [(True, "true"), (False, "3")]
    assert "$.n" in verdict.why
    assert "3" not in verdict.why


def test_what_is_no_json_is_no_answer() -> None:
    assert judge(200, None, [{"path": "$.a", "operator": "is", "value": "b"}]).said == "failed"


@given(JSON, st.sampled_from(list(MatchOperator)))
def test_no_answer_whatever_breaks_a_validator_and_what_is_absent_is_no_yes(data: Any, operator: str) -> None:
    for path in ("$.a", "$..a", "$[*]", "$.a[0].b", "a.b", "$.*", "$.a[1:5]"):
        judge(200, data, [{"path": path, "operator": operator, "value": "x"}])
    assert not holds("$.only_here_in_this_test.x", operator, "", data)


@pytest.mark.parametrize(
    ("path", "fine"),
    [("$.a", True), ("$.a[*].b", True), ("a.b", True), ("$..a", True), ("$", True), ("", False), ("$.[", False),
     ("a b", False), ("$..a..b", False), ("$" + ".a" * 200, False), ("\x00", False), ("$[?(@.a)]", False)],
)  # fmt: skip
def test_a_path_that_cannot_be_used_is_refused_in_words(path: str, fine: bool) -> None:
    assert (path_problem(path) == "") is fine


def test_a_deep_answer_is_no_yes_and_breaks_nothing() -> None:
    data: Any = {"a": 1}
    for _ in range(900):
        data = {"x": data}
    assert judge(200, data, [{"path": "$..a", "operator": "is_not", "value": "2"}]).said in {"yes", "no"}
