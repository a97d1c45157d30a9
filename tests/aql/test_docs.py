"""docs/aql.md says what is so."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from integrations.aql import (
    COUNT_MAX,
    DEPTH_MAX,
    FIELDS,
    LENGTH_MAX,
    OPERATORS,
    TERMS_MAX,
    VALUES_MAX,
    BadQuery,
    parse,
)

TEXT = (settings.ROOT / "docs" / "aql.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- query -->\n```\n(.*?)```", TEXT, re.DOTALL)
ERRORS = re.findall(r"^\| `(.*)` \| (Line .*) \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_read(example: str) -> None:
    query = parse(example)
    assert parse(query.text()) == query


def test_every_code_block_is_an_example() -> None:
    assert len(EXAMPLES) == TEXT.count("```") // 2 >= 5


def test_every_field_operator_and_limit_is_named() -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)) - {written for written, _ in ERRORS}
    assert rows == {f'{one.name}["key"]' if one.keyed else one.name for one in FIELDS.values()} | set(OPERATORS)
    for number in (LENGTH_MAX, TERMS_MAX, VALUES_MAX, DEPTH_MAX, COUNT_MAX):
        assert f"{number:,}" in TEXT


@pytest.mark.parametrize(("written", "told"), ERRORS)
def test_every_error_is_told_as_it_is_written_there(written: str, told: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(written)
    assert caught.value.message == told


def test_errors_are_shown() -> None:
    assert len(ERRORS) == 4
