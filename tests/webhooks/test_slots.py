"""Slots: a fixed vocabulary, filled as data into the parsed tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.slots import DEPTH_MAX, VOCABULARY, as_query, filled, problems, sample

VALUES = {"request.id": 7, "request.justification": 'because "of", {{ flow.name }}', "flow.name": "Prod"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_string_that_is_one_slot_keeps_the_type_and_text_becomes_text() -> None:
    body = {"id": "{{ request.id }}", "text": "AR-{{request.id}}: {{ request.justification }}", "n": [1, None, True]}
    assert filled(body, VALUES) == {
        "id": 7,
        "text": 'AR-7: because "of", {{ flow.name }}',  # what a person wrote is not read as a slot
        "n": [1, None, True],
    }


def test_two_slots_in_one_string_are_two() -> None:
    assert filled("{{ request.id }} {{ flow.name }}", VALUES) == "7 Prod"
    assert filled("{{ request.id }}{{ request.id }}", VALUES) == "77"


def test_lists_nothing_and_numbers_inside_text() -> None:
    values = {"requestor.groups": ["a", "b"], "request.ticket": None, "resources": [{"name": "x"}]}
    assert filled("{{requestor.groups}}|{{request.ticket}}|{{resources}}", values) == 'a, b||[{"name": "x"}]'
    assert filled("{{ request.fields.not_asked }}", values) is None
    assert as_query({"n": 7, "t": True, "l": ["a", "b"], "no": None}) == {"n": "7", "t": "true", "l": "a, b", "no": ""}


@given(JSON)
def test_a_value_is_whole_whatever_it_is(value: Any) -> None:
    """Nothing that a person writes can change the document around it."""
    body = {"before": 1, "why": "{{ request.justification }}", "after": [2]}
    assert json.loads(json.dumps(filled(body, {"request.justification": value}))) == {
        "before": 1,
        "why": value,
        "after": [2],
    }


@given(st.text())
def test_text_in_text_stays_one_string(value: str) -> None:
    made = filled({"a": "x{{ request.justification }}y"}, {"request.justification": value})
    assert made == {"a": f"x{value}y"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"a": "{{ request.justfication }}"}, "Did you mean “request.justification”?"),
        ({"a": ["{{ requester.email }}"]}, "Did you mean “requestor.email”?"),
        ({"a": "{{ email }}"}, "Did you mean “requestor.email”?"),
        ({"a": "{{ zzz }}"}, "There are: request.id"),
        ({"a": "{{ request.fields.a b }}"}, "There is no slot"),
        ({"a": "{{ request.id"}, "not closed"),
        ({"a": "{{ request.id }} {{"}, "not closed"),
        ({"{{ request.id }}": 1}, "A slot stands in a value"),
        ({"a": "{{ request.__class__ }}"}, "There is no slot"),
        ({"a": "{{ }}"}, "There is no slot"),
    ],
)
def test_a_slot_that_is_none_is_refused_with_the_nearest(body: Any, words: str) -> None:
    assert words in " ".join(problems(body))


def test_every_word_of_the_vocabulary_is_taken_and_has_a_sample() -> None:
    body = {name: f"{{{{ {name} }}}}" for name in [*VOCABULARY, "request.fields.cost-center"]}
    assert list(problems(body)) == []
    made = filled(body, sample(body))
    assert made["request.id"] == 4711
    assert made["request.fields.cost-center"] == "Sample of cost-center"
    assert None not in made.values()


def test_depth_is_bounded() -> None:
    body: Any = "x"
    for _ in range(DEPTH_MAX + 5):
        body = [body]
    assert "nested deeper" in " ".join(problems(body))
