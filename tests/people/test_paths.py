"""Paths into a directory's record: what they find, and what is no path."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.actions.people.paths import problem, values_at

RECORD = {
    "profile": {"city": "Köln", "level": 7, "remote": True, "nothing": None, "a.b": "dotted"},
    "emails": [{"value": "a@example.com"}, {"value": "b@example.com"}, {"other": 1}],
    "tags": ["x", "y", "x", "", {"no": "text"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("profile.city", ["Köln"]),
        ("$.profile.city", ["Köln"]),
        ("profile.level", ["7"]),
        ("profile.remote", ["true"]),
        ("profile.nothing", []),
        ("profile.missing.deeper", []),
        ('profile["a.b"]', ["dotted"]),
        ("emails[0].value", ["a@example.com"]),
        ("emails[9].value", []),
        ("emails[*].value", ["a@example.com", "b@example.com"]),
        ("tags", ["x", "y"]),
        ("profile", []),
    ],
)
def test_a_path_finds_texts_each_once(path: str, found: list[str]) -> None:
    assert values_at(RECORD, path) == found


@pytest.mark.parametrize(
    "path", ["", "$", "..a", "a..b", "a[", "a[-1]", "a[?(@.b)]", "a b", "a" * 201, "a." * 13 + "a"]
)
def test_what_is_no_path_is_said_to_be_none(path: str) -> None:
    assert problem(path)
    with pytest.raises(ValueError, match=r"\w"):
        values_at(RECORD, path)


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_no_text_does_anything_else_than_find_or_be_refused(path: str) -> None:
    if problem(path):
        return
    assert all(isinstance(one, str) for one in values_at(RECORD, path))


@settings(max_examples=60)
@given(
    st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5),
    st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text and text.isprintable()),
)
def test_what_was_put_at_a_path_is_found_there(names: list[str], value: str) -> None:
    record: object = value
    for name in reversed(names):
        record = {name: record}
    assert values_at(record, ".".join(names)) == [value]
