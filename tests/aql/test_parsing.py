"""What the language is: what is read, what is refused, with what words."""

from __future__ import annotations

import random

import pytest

from integrations.aql import (
    DEPTH_MAX,
    FIELDS,
    LENGTH_MAX,
    TERMS_MAX,
    VALUES_MAX,
    And,
    BadQuery,
    Field,
    Not,
    Or,
    Query,
    Term,
    parse,
)
from tests.aql.cases import NASTY, a_query

A, B, C = (Term("resource_name", "=", (value,)) for value in "abc")


def refused(text: str) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        parse(text)
    assert caught.value.line >= 1
    assert caught.value.column >= 1
    assert f"Line {caught.value.line}, column {caught.value.column}: " in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ('resource_name = "a"', A),
        ('resource_name="a"', A),
        ('\n\tresource_name\n=\r\n"a" ', A),
        ('((resource_name = "a"))', A),
        ('resource_name = "a" or resource_name = "b" and resource_name = "c"', Or((A, And((B, C))))),
        ('(resource_name = "a" OR resource_name = "b") AND resource_name = "c"', And((Or((A, B)), C))),
        ('not resource_name = "a" and resource_name = "b"', And((Not(A), B))),
        ('NOT (resource_name = "a" and resource_name = "b")', Not(And((A, B)))),
        ('not not resource_name = "a"', A),
        ('resource_name = "a" and (resource_name = "b" and resource_name = "c")', And((A, B, C))),
        ('resource_name in ("a")', Term("resource_name", "in", ("a",))),
        ('resource_name not_in ("a" , "b","c")', Term("resource_name", "not_in", ("a", "b", "c"))),
        ('resource_tag["a \\"b"] = ""', Term("resource_tag", "=", ("",), 'a "b')),
        ('resource_tag [ "k" ]="x"', Term("resource_tag", "=", ("x",), "k")),
        (r'resource_name = "\"\\\n\r\t"', Term("resource_name", "=", ('"\\\n\r\t',))),
        ('resource_name = "it\'s # not -- a comment"', Term("resource_name", "=", ("it's # not -- a comment",))),
    ],
)
def test_a_query_is_read(text: str, root: Term | Not | And | Or) -> None:
    assert parse(text) == Query(root)


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS.keys())
def test_every_field_takes_its_operators_and_no_others(field: Field) -> None:
    for operator in ("=", "!=", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in"):
        name = f'{field.name}["k"]' if field.keyed else field.name
        value = '("high")' if operator in {"in", "not_in"} else '"high"'
        text = f"{name} {operator} {value}"
        if operator in field.operators:
            assert str(parse(text)) == text
        else:
            assert refused(text).expected == field.operators


@pytest.mark.parametrize(
    ("text", "line", "column", "found", "suggestion"),
    [
        ('resource_types = "a"', 1, 1, "resource_types", "resource_type"),
        ('Resource_Type = "a"', 1, 1, "Resource_Type", "resource_type"),
        ('integration_id = "…" AND resource_type = "rds-instance" AND tags.Environment = "production"',
         1, 1, "integration_id", "integration"),
        ('integration = "…"\n AND tags.Environment = "production"', 2, 6, "tags.Environment",
         'resource_tag["Environment"]'),
        ('permission.tags.x = "a"', 1, 1, "permission.tags.x", 'permission_tag["x"]'),
        ('resource_tags["a"] = "b"', 1, 1, "resource_tags", 'resource_tag["key"]'),
        ("resource_name = 'a'", 1, 17, "'a'", '"a"'),
        ("resource_name = “a”", 1, 17, "“a”", '"a"'),
        ("resource_tag['env'] = \"a\"", 1, 14, "'env'", '"env"'),
        ('resource_name == "a"', 1, 15, "==", "="),
        ('resource_name <> "a"', 1, 15, "<>", "!="),
        ('resource_name like "a"', 1, 15, "like", "contains"),
        ('resource_name CONTAINS "a"', 1, 15, "CONTAINS", "contains"),
        ('resource_name not in ("a")', 1, 15, "not", "not_in"),
        ('resource_name not contains "a"', 1, 15, "not", "not_contains"),
        ('resource_name = ("a")', 1, 17, "(", "in"),
        ('resource_name in "a"', 1, 18, '"a"', '("a")'),
        ("resource_name = prod", 1, 17, "prod", '"prod"'),
        ("resource_risk_level = 3", 1, 23, "3", '"3"'),
        ('resource_risk_level = "critical"', 1, 23, '"critical"', '"high"'),
        ('resource_risk_level in ("low", "High")', 1, 32, '"High"', '"high"'),
        ('permission_risk_level = "10"', 1, 25, '"10"', '"9"'),
        ('permission_risk_level contains "h"', 1, 23, "contains", "="),
        ('resource_name = "a" && resource_name = "b"', 1, 21, "&&", "and"),
        ('resource_name = "a" And resource_name = "b"', 1, 21, "And", "and"),
        ('! resource_name = "a"', 1, 1, "!", "not"),
        ('resource_tag = "a"', 1, 14, "=", 'resource_tag["key"]'),
        ('resource_type["k"] = "a"', 1, 14, "[", ""),
        ('resource_name = "a', 1, 17, '"a', '"a"'),
        ('resource_name = "a\nb"', 1, 17, '"a', '"a"'),
        ('resource_name = "C:\\prod"', 1, 20, "\\p", "\\\\p"),
        ('resource_name in ("a",)', 1, 23, ")", ""),
        ("resource_name in ()", 1, 19, ")", ""),
        ('resource_name = "a" or', 1, 23, "", ""),
        ('resource_name = "a" )', 1, 21, ")", ""),
        ('(resource_name = "a"', 1, 21, "", ""),
        ("", 1, 1, "", ""),
        ("  \n ", 2, 2, "", ""),
        ("resource_name", 1, 14, "", ""),
        ("resource_tag", 1, 13, "", 'resource_tag["key"]'),
        ('"a" = resource_name', 1, 1, '"a"', ""),
        ('resource_name = "a" resource_name = "b"', 1, 21, "resource_name", ""),
        ('resource_name = "a" -- all', 1, 21, "--", ""),
        ("résumé = 5; DROP TABLE", 1, 1, "résumé", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_what_is_right(
    text: str, line: int, column: int, found: str, suggestion: str
) -> None:
    error = refused(text)
    assert (error.line, error.column, error.found, error.suggestion) == (line, column, found, suggestion)
    if suggestion:
        assert f"Did you mean {suggestion}?" in str(error)


def test_the_message_says_what_was_expected() -> None:
    assert str(refused("resource_name = 'a'")) == (
        "Line 1, column 17: values are written in double quotes, not 'a'. Did you mean \"a\"?"
    )
    assert str(refused('resource_tag "a"')) == (
        'Line 1, column 14: found "a", expected [. Did you mean resource_tag["key"]?'
    )
    assert refused('resource_risk_level = "critical"').expected[:3] == ("low", "medium", "high")


NAMED = 'resource_name = "a"'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(" * (DEPTH_MAX + 1) + NAMED + ")" * (DEPTH_MAX + 1), "nested too deeply"),
        ("(" * 9000, "nested too deeply"),
        ("not (" * 1900, "nested too deeply"),
        (" or ".join(['resource="a"'] * (TERMS_MAX + 1)), "at most 500 comparisons"),
        ("resource in (" + ",".join(['"a"'] * (VALUES_MAX + 1)) + ")", "at most 1,000 values"),
        ('resource_name = "' + "a" * LENGTH_MAX + '"', "at most 10,000 characters"),
        ('resource="a"and ' * 499 + 'resource="' + "\t" * 2000 + '"', "at most 10,000 characters"),
        ('resource_name = "\0"', "can be in no text"),
        ('resource_name = "\ud800"', "can be in no text"),
    ],
)  # fmt: skip
def test_no_query_can_hurt(text: str, words: str) -> None:
    assert words in str(refused(text))


def test_what_is_just_small_enough_is_read() -> None:
    assert parse("not " * 2400 + NAMED)
    assert parse("(" * DEPTH_MAX + NAMED + ")" * DEPTH_MAX)
    assert parse("not (" * DEPTH_MAX + NAMED + ' or resource="1")' * DEPTH_MAX)
    assert parse(" or ".join(['resource="a"'] * TERMS_MAX))
    assert parse("resource in (" + ",".join(['"a"'] * VALUES_MAX) + ') and resource_tag["k"] = "a"')


def test_whatever_is_written_is_read_again_as_it_was(rng: random.Random) -> None:
    values = {name: [*NASTY] for name in (*FIELDS, "keys")} | {"risk": ["low", "high", "5"]}
    for _ in range(500):
        query = a_query(rng, values, depth=4)
        assert parse(query.text()) == query
        assert parse(str(parse(query.text()))).text() == query.text()


def test_no_text_does_anything_but_parse_or_be_refused(rng: random.Random) -> None:
    words = [*FIELDS, "and", "or", "not", "=", "!=", "in", "contains", "(", ")", "[", "]", ",", '"a"', '"', "'", "\\",
             "\n", " ", "==", "x", "é", "\0", "1", '"\\', '"high"', '["k"]', "resource_tag"]  # fmt: skip
    values = {name: ["a", "b"] for name in (*FIELDS, "keys")} | {"risk": ["low"]}
    read = refused = 0
    for _ in range(3000):
        text = str(a_query(rng, values, depth=1))
        for _ in range(rng.randint(0, 2)):
            place = rng.randint(0, len(text))
            text = text[:place] + rng.choice(["", *words]) + text[place + rng.choice([0, 1, 5]) :]
        try:
            parse(text)
            read += 1
        except BadQuery as error:
            refused += 1
            assert 1 <= error.line <= text.count("\n") + 1
            assert 1 <= error.column <= len(text) + 1
    assert read > 500
    assert refused > 500
