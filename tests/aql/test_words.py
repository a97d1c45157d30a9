"""What an editor is told, and rows of a form as a query."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.aql import FIELDS, OPERATORS, And, BadQuery, Query, Term, parse, query_of, rows_of
from integrations.aql.words import EXPLAINED, complete, fields, operators, tokens
from integrations.models import Permission, Tag
from tests.aql.cases import NASTY, a_query
from tests.portal import making


@pytest.fixture
def inventory(cast: object) -> None:
    made = making.integration("payments-prod", ())
    for number in range(40):
        one = making.resource(made, f"orders_{number}")
        for key, value in (("env", "prod" if number % 2 else "dev"), ("owner", f"o{number:02}"), ('a"b', "x")):
            Tag.objects.create(resource=one, type="database", key=key, value=value)


def suggested(text: str) -> list[str]:
    return [one.text for one in complete(text, len(text))]


def test_every_field_and_operator_is_explained() -> None:
    assert [field.name for field in fields()] == list(FIELDS)
    assert all(field.explanation.endswith(".") for field in fields())
    assert {*OPERATORS, "and", "or", "not"} == set(EXPLAINED)
    assert [one for one, _ in operators("resource_risk_level")] == ["=", "!=", "in", "not_in"]


def test_every_word_of_a_text_has_a_kind() -> None:
    text = 'resource_tag["a"] = "b" and not (x in \'c\') or "d'
    assert [(kind, text[start:end]) for kind, start, end in tokens(text)] == [
        ("field", "resource_tag"), ("sign", "["), ("value", '"a"'), ("sign", "]"), ("operator", "="), ("value", '"b"'),
        ("logic", "and"), ("logic", "not"), ("sign", "("), ("wrong", "x"), ("operator", "in"), ("wrong", "'c'"),
        ("sign", ")"), ("logic", "or"), ("wrong", '"d'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("resource_t", ["resource_type", 'resource_tag["key"]']),
        ("PERMISSION_N", ["permission_name"]),
        ("no", ["not"]),
        ("resource_name ", list(OPERATORS)),
        ("resource_name not", ["not_contains", "not_in"]),
        ("resource_risk_level ", ["=", "!=", "in", "not_in"]),
        ('resource_risk_level = "h', ['"high"']),
        ('resource_status = "', ['"active"', '"missing"']),
        ('resource_name = "a" ', ["and", "or"]),
        ('resource_name = "a" a', ["and"]),
        ('resource_name = "a" and (resource_s', ["resource_status", "resource_source_id"]),
        ('resource_type = "', ['"database"']),
        ('resource_type = "Data', []),
        ('integration = "', ['"payments-prod"', '"postgresql"']),
        ('integration_name in ("pay', ['"payments-prod"']),
        ('permission in ("ADMIN", "READ_', ['"READ_ONLY"', '"READ_WRITE"']),
        ('permission_name = "Read', ['"Read and write"', '"Read only"']),
        ('resource_tag["', ['"a\\"b"]', '"env"]', '"owner"]']),
        ("resource_tag[", ['"a\\"b"]', '"env"]', '"owner"]']),
        ('resource_tag["e', ['"env"]']),
        ('resource_tag["env"] = "', ['"dev"', '"prod"']),
        ('resource_tag["env"] in ("dev", "p', ['"prod"']),
        ('resource_tag["a\\"b"] = "', ['"x"']),
        ('resource_tag["owner"] = "o3', [f'"o3{number}"' for number in range(10)]),
        ('resource_tag["gone"] = "', []),
        ('resource_name = "', []),
        ("resource_name =", []),
        ("nonsense ( ", []),
        ('resource_tag["\0', []),
        ("a" * 20_000, []),
    ],
)  # fmt: skip
def test_what_may_be_written_next_is_suggested(inventory: None, text: str, expected: list[str]) -> None:
    assert suggested(text) == expected


def test_twenty_are_suggested_at_most_in_one_query(inventory: None) -> None:
    text = 'resource_tag["owner"] = "o" or x'
    with CaptureQueriesContext(connection) as queries:
        found = complete(text, text.index('" or'))
    assert [one.text for one in found] == [f'"o{number:02}"' for number in range(20)]
    assert {one.start for one in found} == {text.index('"o"')}
    assert len(queries) == 1


def test_what_is_suggested_is_read(inventory: None) -> None:
    Permission.objects.update(name='a "b" \\')
    (name,) = suggested('permission_name = "')
    assert parse(f"permission_name = {name}") == Query(Term("permission_name", "=", ('a "b" \\',)))


def test_a_plain_query_is_rows_and_rows_are_a_query(rng: random.Random) -> None:
    values = {name: [*NASTY] for name in (*FIELDS, "keys")} | {"risk": ["low", "5"]}
    plain = 0
    for _ in range(500):
        query = a_query(rng, values, depth=1)
        rows = rows_of(query)
        if rows is not None:
            plain += 1
            assert parse(query_of(rows)) == query
    assert plain > 100


def test_what_is_more_than_rows_is_none() -> None:
    named, other = Term("resource_name", "=", ("a",)), Term("resource_name", "=", ("b",))
    assert rows_of(Query(And((named, other)))) == [named, other]
    assert rows_of(parse('resource_name = "a" or resource_name = "b"')) is None
    assert rows_of(parse('not resource_name = "a"')) is None
    assert query_of([]) == ""
    with pytest.raises(BadQuery):
        query_of([Term("resource_risk_level", "=", ("critical",))])
    with pytest.raises(BadQuery):
        query_of([Term("resource_name", "in", ())])
