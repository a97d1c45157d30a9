"""Where an index leads to what a query selects: by the value of a tag, by name, by id."""

# ruff: noqa: S608

from __future__ import annotations

from django.db import connection

from integrations.aql.conditions import SQL, ids_in, one_of
from integrations.aql.tree import And, Node, Or, Term

_COLUMNS = {"resource_name": "name", "resource_source_id": "source_id"}
# So many parts of an AND lead at most; where more could, the others are asked of what these lead to.
LEADERS_MAX = 6
# An OR of more parts leads nowhere: PostgreSQL would think longer than it reads.
WAYS_MAX = 20
# Keeps a subquery as it is: PostgreSQL begins with it, whatever it believes of its size.
KEPT = " OFFSET 0"


def kept() -> str:
    """Return what keeps a subquery apart; SQLite needs no telling."""
    return KEPT if connection.vendor == "postgresql" else ""


def leads(node: Node) -> bool:
    """Whether all that is selected is among the candidates that an index leads to."""
    match node:
        case And(parts):
            return any(leads(part) for part in parts)
        case Or(parts):
            return len(parts) <= WAYS_MAX and all(leads(part) for part in parts)
        case Term(field, operator):
            return operator in {"=", "in"} and field in {"resource_tag", "resource", *_COLUMNS}
        case _:
            return False


def leads_exactly(node: Node) -> bool:
    """Whether the candidates are what is selected, and none of them has to be asked."""
    if isinstance(node, And) and len(node.parts) > LEADERS_MAX:
        return False
    if isinstance(node, And | Or):
        return leads(node) and all(leads_exactly(part) for part in node.parts)
    return leads(node)


def leaders(parts: tuple[Node, ...]) -> list[Node]:
    """Return which of the parts of an AND lead: the simple ones first."""
    return sorted(filter(leads, parts), key=lambda part: not isinstance(part, Term))[:LEADERS_MAX]


def tagged(term: Term, types: tuple[str, ...] = ()) -> SQL:
    """Return the ids of resources that have the tag, of these types if any: read from integrations_tag_select alone."""
    value, values = ("= %s", [term.values[0]]) if len(term.values) == 1 else one_of(term.values)
    sql = f"SELECT g.resource_id FROM integrations_tag g WHERE g.key = %s AND g.value {value}"
    if not types:
        return sql, [term.key, *values]
    kind, more = ("= %s", [types[0]]) if len(types) == 1 else one_of(types)
    return f"{sql} AND g.type {kind}", [term.key, *values, *more]


def candidates(node: Node, types: tuple[str, ...], kinds: SQL) -> SQL:
    """Return the ids of rows among which is all that a query selects of some types; it has to lead.

    `types` are texts, none for all; `kinds` says the same of a column of resource type ids: (IN …, values).
    """
    if isinstance(node, Or):
        parts = [candidates(part, types, kinds) for part in node.parts]
        return " UNION ".join(f"SELECT * FROM ({sql}) y" for sql, _ in parts), [v for _, vs in parts for v in vs]
    if isinstance(node, And):
        (first, values), *others = (candidates(part, types, kinds) for part in leaders(node.parts))
        met = "".join(f" AND c.resource_id IN ({sql})" for sql, _ in others)
        return f"SELECT c.resource_id FROM ({first}) c WHERE 1 = 1{met}", [
            *values,
            *(v for _, vs in others for v in vs),
        ]
    assert isinstance(node, Term)
    if node.field == "resource_tag":
        return tagged(node, types)
    if node.field == "resource":
        chosen, numbers = one_of(ids_in(node.values) or [0])
        return f"SELECT n.id AS resource_id FROM integrations_resource n WHERE n.id {chosen}", numbers
    within, values = kinds
    named, texts = one_of(node.values)
    where = f"n.resource_type_id {within} AND n.{_COLUMNS[node.field]} {named}"
    return f"SELECT n.id AS resource_id FROM integrations_resource n WHERE {where}", [*values, *texts]
