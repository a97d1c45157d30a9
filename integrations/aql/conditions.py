"""A query as a condition in SQL. Its text is put together from what stands here; every value is a parameter.

Rows are known as r (resource), t (its type), p (permission) and i (integration). No condition is ever NULL: so NOT is
the complement, on both databases. LIKE is not used: SQLite's knows no capitals.
"""

# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from integrations.aql.fields import COMPLEMENTS, RISK_WORDS
from integrations.aql.tree import And, Node, Not, Or, Term, height_of

GROUP = 50
SQL = tuple[str, list[Any]]
_COLUMNS = {
    "resource_type": ["t.type"], "resource_name": ["{row}.name"], "resource_path": ["{row}.path"],
    "resource": ["CAST({row}.id AS text)"], "resource_status": ["{row}.status"],
    "resource_source_id": ["{row}.source_id"],
    "permission": ["CAST(p.id AS text)", "p.source_id"], "permission_name": ["p.name"],
    "integration_name": ["i.name"], "permission_source_id": ["p.source_id"],
}  # fmt: skip
_DOCUMENTS = {"resource_context": "{row}.context", "permission_tag": "p.tags", "permission_context": "p.context"}
_LEVELS = {"resource_risk_level": "{row}.risk_level", "permission_risk_level": "p.risk_level"}
_PARTS = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]


def condition(node: Node, row: str = "r") -> SQL:
    """Return the condition that a row of r, t, p, i is selected. `row` is what the resource is called, if not r.

    A query that names resources only needs no other rows.
    """
    return _said(node, row, negative=False, within="AND")


def _cost(node: Node) -> int:
    """Return how much is read to answer a part: nothing but the row, its documents, or its tags."""
    if isinstance(node, Term):
        return 2 if node.field == "resource_tag" else 1 if node.field in _DOCUMENTS else 0
    return _cost(node.part) if isinstance(node, Not) else max(map(_cost, node.parts))


def _said(node: Node, row: str, *, negative: bool, within: str) -> SQL:
    """Return the condition of a node, or of its complement, as it stands between ANDs or ORs.

    SQLite's parser keeps a hundred things open at most: so NOT goes down to the comparisons, parentheses are left out
    where none are needed, and the deepest part comes first, where it opens one thing per level. Of equally deep ones
    what costs least comes first: both databases answer from left to right, and stop when they know.
    """
    match node:
        case Term():
            return _term(node, row, negative)
        case Not(part):
            return _said(part, row, negative=not negative, within=within)
        case And(parts) | Or(parts):
            word = "AND" if isinstance(node, And) != negative else "OR"
            ordered = sorted(parts, key=lambda part: (-height_of(part), _cost(part)))
            told = [_said(part, row, negative=negative, within=word) for part in ordered]
            sql = f" {word} ".join(part for part, _ in told)
            sql = f"({sql})" if word == "OR" and within == "AND" else sql
            return sql, [value for _, values in told for value in values]


def any_met(parts: Sequence[SQL]) -> SQL:
    """Join conditions by OR, many of them in groups: SQLite goes a thousand levels deep into an expression."""
    if len(parts) > GROUP:
        return any_met([any_met(parts[start : start + GROUP]) for start in range(0, len(parts), GROUP)])
    return f"({' OR '.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]


def one_of(values: Iterable[Any]) -> SQL:
    """Return a list to be IN, as one parameter however long it is."""
    if connection.vendor == "postgresql":
        chosen = list(values)
        cast = "bigint[]" if chosen and isinstance(chosen[0], int) else "text[]"
        return f"= ANY(%s::{cast})", [chosen]
    return "IN (SELECT value FROM json_each(%s))", [json.dumps(list(values))]


def ids_in(values: Iterable[str]) -> list[int]:
    """Return which of the values are ids as they are written: not 007, not a superscript, not beyond the column."""
    return [int(one) for one in values if one.isascii() and one.isdigit() and len(one) < 19 and str(int(one)) == one]


def _term(term: Term, row: str, negative: bool) -> SQL:
    sql, values = _positive(term, COMPLEMENTS.get(term.operator, term.operator), row)
    return (f"NOT ({sql})" if negative != (term.operator in COMPLEMENTS) else f"({sql})"), values


def _positive(term: Term, operator: str, row: str) -> SQL:
    if term.field in _LEVELS:
        within, values = one_of(sorted({level for value in term.values for level in _levels(value)}))
        return f"{_LEVELS[term.field].format(row=row)} {within}", values
    if term.field == "resource" and operator in {"=", "in"}:
        # No id is 0.
        within, values = one_of(ids_in(term.values) or [0])
        return f"{row}.id {within}", values
    if term.field == "resource_tag":
        compared, values = compare("g.value", operator, term.values)
        # A key is there once per resource, so this is one value. The planner is not to join as many tables as there are
        # comparisons: it would take seconds to think about it.
        tag = f"SELECT {compared} FROM integrations_tag g WHERE g.resource_id = {row}.id AND g.key = %s"
        return f"COALESCE(({tag}), 1 = 0)", [*values, term.key]
    if term.field in _DOCUMENTS:
        return _in_document(_DOCUMENTS[term.field].format(row=row), term.key, operator, term.values)
    columns = _COLUMNS.get(term.field) or [_integration_id(), "i.name", "i.type"]
    if term.field == "integration_id":
        columns = columns[:1]
    return any_met([compare(column.format(row=row), operator, term.values) for column in columns])


def _levels(value: str) -> tuple[int, ...]:
    return RISK_WORDS.get(value) or (int(value),)


def _in_document(column: str, key: str, operator: str, values: tuple[str, ...]) -> SQL:
    """Compare a text of a JSON document. The key is a value like any other: whatever stands in it is no path."""
    if connection.vendor == "postgresql":
        compared, more = compare("d.value #>> '{}'", operator, values)
        rows = f"(SELECT {column} -> %s::text AS value) d WHERE jsonb_typeof(d.value) = 'string'"
        return f"EXISTS (SELECT 1 FROM {rows} AND {compared})", [key, *more]
    compared, more = compare("d.value", operator, values)
    rows = f"json_each({column}) d WHERE d.key = %s AND d.type = 'text'"
    return f"EXISTS (SELECT 1 FROM {rows} AND {compared})", [key, *more]


def _integration_id() -> str:
    if connection.vendor == "postgresql":
        return "CAST(i.id AS text)"
    # SQLite keeps a UUID as 32 hex digits.
    return " || '-' || ".join(f"substr(i.id, {start}, {length})" for start, length in _PARTS)


def compare(column: str, operator: str, values: tuple[str, ...]) -> SQL:
    """Return a positive comparison of a text that is there, exact and case-sensitive."""
    if operator == "in":
        within, more = one_of(values)
        return f"({column}) {within}", more
    (value,) = values
    postgresql, length = connection.vendor == "postgresql", len(value)
    if operator == "contains":
        return f"{'strpos' if postgresql else 'instr'}({column}, %s) > 0", [value]
    if operator == "=" or not length:
        return (f"({column}) = %s", [value]) if operator == "=" else ("1 = 1", [])
    if operator == "starts_with":
        return f"{'left' if postgresql else 'substr'}({column}, {'' if postgresql else '1, '}{length:d}) = %s", [value]
    return f"{'right' if postgresql else 'substr'}({column}, {'' if postgresql else '-'}{length:d}) = %s", [value]
