"""What an editor has to know: what each word of a text is, and what may be written next."""

# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from integrations.aql.advice import with_key
from integrations.aql.fields import FIELDS, RISK_VALUES, Field
from integrations.aql.parsing import is_readable, terminals_after, value_of
from integrations.aql.scan import Piece, pieces
from integrations.aql.tree import quoted
from integrations.choices import ResourceStatus
from integrations.models import Integration, Permission, ResourceType

# So many suggestions at most, and so many entries of an index looked at for them.
SUGGESTIONS, LOOKED_AT = 20, 500
_KINDS = {
    "FIELD": "field", "KEYED": "field", "COMPARE": "operator", "LIST": "operator", "AND": "logic", "OR": "logic",
    "NOT": "logic", "STRING": "value", "LPAR": "sign", "RPAR": "sign", "LSQB": "sign", "RSQB": "sign", "COMMA": "sign",
}  # fmt: skip
EXPLAINED = {
    "=": "is exactly", "!=": "is not", "contains": "has in it", "not_contains": "has not in it",
    "starts_with": "begins with", "ends_with": "ends with", "in": "is one of", "not_in": "is none of",
    "and": "both", "or": "one of both", "not": "the opposite of what follows",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be written in place of the text from `start` to the cursor."""

    start: int
    text: str
    explanation: str = ""


def fields() -> tuple[Field, ...]:
    """Return all fields, each with its explanation."""
    return tuple(FIELDS.values())


def operators(field: str) -> tuple[tuple[str, str], ...]:
    """Return the operators of a field, each with what it says in words."""
    return tuple((operator, EXPLAINED[operator]) for operator in FIELDS[field].operators)


def tokens(text: str) -> list[tuple[str, int, int]]:
    """Return (kind, start, end) of each word: field, operator, logic, value, sign, or wrong. Raises nothing."""
    return [(_KINDS.get(piece.kind, "wrong"), piece.start, piece.end) for piece in pieces(text)]


def complete(text: str, cursor: int) -> list[Suggestion]:
    """Return what may be written at the cursor, what fits what is begun first. A query or two, by index."""
    before = text[:cursor]
    if not is_readable(before):
        return []
    written = list(pieces(before))
    begun = written.pop() if written and _is_begun(written[-1], cursor) else None
    start, prefix = (begun.start, begun.text) if begun else (cursor, "")
    kinds = terminals_after(written)
    if "STRING" in kinds:
        return [] if begun and begun.kind != "OPEN" else _values(written, start, prefix.removeprefix('"'))
    words = [one for one in _words(kinds, written) if one[0].lower().startswith(prefix.lower())]
    return [Suggestion(start, word, explanation) for word, explanation in words[:SUGGESTIONS]]


def _is_begun(piece: Piece, cursor: int) -> bool:
    """Whether a word may go on: it ends at the cursor, and is no sign and no closed value."""
    return (
        piece.end == cursor
        and piece.kind != "STRING"
        and (piece.kind == "OPEN" or piece.text[-1].isalnum() or piece.text[-1] == "_")
    )


def _words(kinds: set[str], written: list[Piece]) -> Iterable[tuple[str, str]]:
    """Return the words that the grammar takes next, with what they mean."""
    if "FIELD" in kinds:
        yield from ((with_key(field.name), field.explanation) for field in fields())
        yield "not", EXPLAINED["not"]
    if "COMPARE" in kinds:
        yield from operators(_field_of(written).text)
    if "AND" in kinds:
        yield from ((word, EXPLAINED[word]) for word in ("and", "or"))


def _field_of(written: list[Piece]) -> Piece:
    return next(piece for piece in reversed(written) if piece.kind in {"FIELD", "KEYED"})


def _values(written: list[Piece], start: int, prefix: str) -> list[Suggestion]:
    field = _field_of(written)
    in_key = written[-1].kind == "LSQB"
    if in_key:
        found = _skipping("key", (), prefix) if field.text == "resource_tag" else []
    elif field.text == "resource_tag":
        found = _skipping("value", (value_of(written[written.index(field) + 2].text),), prefix)
    else:
        found = list(_known(field.text))
    fitting = dict.fromkeys(one for one in found if one.startswith(prefix))
    return [Suggestion(start, f"{quoted(one)}]" if in_key else quoted(one)) for one in list(fitting)[:SUGGESTIONS]]


def _known(field: str) -> Iterable[str]:
    """Return the values of a field that is about something of which there is little; of others, none."""
    if FIELDS[field].risk:
        return RISK_VALUES
    if field == "resource_status":
        return ResourceStatus.values
    if field in {"integration", "integration_name"}:
        names = Integration.objects.order_by("name").values_list("name", flat=True)
        types = Integration.objects.order_by("type").values_list("type", flat=True).distinct()
        return [*names, *(types if field == "integration" else ())]
    if field == "resource_type":
        return ResourceType.objects.order_by("type").values_list("type", flat=True).distinct()
    column = {"permission": "source_id", "permission_name": "name"}.get(field)
    return Permission.objects.order_by(column).values_list(column, flat=True).distinct() if column else ()


def _skipping(column: str, key: tuple[str, ...], prefix: str) -> list[str]:
    """Return the first keys or values of tags from the prefix on: from one to the next in the index, not row by row."""
    where = "key = %s AND" if key else ""
    least = f"SELECT min({column}) FROM integrations_tag WHERE {where} {column}"
    sql = f"""
        WITH RECURSIVE found(entry, number) AS (
            SELECT ({least} >= %s), 1
            UNION ALL SELECT ({least} > found.entry), number + 1 FROM found
            WHERE found.entry IS NOT NULL AND number < {LOOKED_AT}
        ) SELECT entry FROM found WHERE entry IS NOT NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [*key, prefix, *key])
        return [entry for (entry,) in cursor.fetchall()]
