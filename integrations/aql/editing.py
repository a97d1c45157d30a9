"""What an editor shows of a query: what is wrong with it, what it selects now, and its comparisons as rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from integrations.aql.errors import BadQuery
from integrations.aql.fields import FIELDS, MEMBERSHIP, OPERATORS, Field
from integrations.aql.mending import mended, place_of
from integrations.aql.parsing import parse
from integrations.aql.rows import query_of, rows_of
from integrations.aql.selecting import COUNT_MAX, selected
from integrations.aql.tree import Query, Term
from integrations.aql.words import operators
from integrations.queries.entitlements import Entitlement, entitlements

SAMPLE, ROWS_MAX = 10, 50


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a text. Where it is a query: how many entitlements it selects now, and the first of them."""

    text: str
    problem: BadQuery | None = None
    start: int = 0
    end: int = 0
    mended: str = ""
    number: int = 0
    sample: tuple[Entitlement, ...] = ()

    @property
    def count(self) -> str:
        """Return the number in words; a count stops at its bound."""
        if self.number > COUNT_MAX:
            return f"more than {COUNT_MAX:,} entitlements"
        return f"{self.number:,} entitlement{'' if self.number == 1 else 's'}"


def tell(text: str, *, grantable: bool = True, sample: int = SAMPLE) -> Told:
    """Read a text, ask what it selects, and say so. Seven queries at most, whatever is selected; none for no query.

    `grantable` leaves out what is missing or switched off, as flows do.
    """
    if not text.strip():
        return Told(text)
    try:
        query = parse(text)
    except BadQuery as problem:
        start, end = place_of(text, problem)
        return Told(text, problem, start, end, mended(text, problem))
    found = selected(query, grantable=grantable)
    pairs = found.page(size=sample) if sample else []
    # Whoever has seen all of it need not count it.
    number = len(pairs) if len(pairs) < sample else found.count()
    return Told(text, number=number, sample=tuple(entitlements(pairs)))


@dataclass(frozen=True, slots=True)
class EditRow:
    """One comparison while it is written; `text` is its value, or one value a line. Without a value it says nothing."""

    field: str = "resource_type"
    key: str = ""
    operator: str = "="
    text: str = ""

    @property
    def of(self) -> Field:
        """Return what is known of the field."""
        return FIELDS[self.field]

    @property
    def is_list(self) -> bool:
        """Whether it may have many values."""
        return self.operator in MEMBERSHIP

    @property
    def operators(self) -> tuple[tuple[str, str], ...]:
        """Return which operators may be chosen, each with what it says."""
        return operators(self.field)

    def term(self) -> Term | None:
        """Return what it says."""
        values = tuple(filter(None, self.text.split("\n"))) if self.is_list else (self.text,) if self.text else ()
        return Term(self.field, self.operator, values, self.key if self.of.keyed else "") if values else None


@dataclass(frozen=True, slots=True)
class Draft:
    """A query while it is written: as text, and as rows where it is edited so. `why` says why it cannot be."""

    text: str
    rows: tuple[EditRow, ...] | None = None
    why: str = ""
    problem: BadQuery | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the fields to choose from."""
        return tuple(FIELDS.values())

    @property
    def is_full(self) -> bool:
        """Whether there may be no more rows."""
        return len(self.rows or ()) >= ROWS_MAX


def draft_of(data: QueryDict, button: str = "", name: str = "query") -> Draft:
    """Return what was sent, as it is after a button: basic, aql, mend, row:add, row:remove:N. Others change nothing.

    Rows are there where `aql-mode` is "basic": aql-field, aql-key, aql-operator and aql-values, one of each per row.
    """
    text = data.get(name, "").replace("\r\n", "\n")
    if data.get("aql-mode") == "basic":
        return _of_rows(text, _changed(_sent(data), button), keep=button != "aql")
    if button == "basic":
        return as_rows(text)
    if button == "mend":
        return Draft(tell(text, sample=0).mended or text)
    return Draft(text)


def as_rows(text: str) -> Draft:
    """Return a query as rows, or why it stays a text."""
    if not text.strip():
        return Draft(text, (EditRow(),))
    try:
        query = parse(text)
    except BadQuery as problem:
        return Draft(text, why=f"Basic reads whole queries, and this is none yet. {problem.message}")
    rows = rows_of(query)
    why = _why_no_rows(query, rows)
    if why or rows is None:
        return Draft(text, why=why)
    return Draft(text, tuple(EditRow(one.field, one.key, one.operator, "\n".join(one.values)) for one in rows))


def _why_no_rows(query: Query, rows: list[Term] | None) -> str:
    """Return why a query cannot be shown as rows, in words; nothing where it can."""
    if rows is None:
        return "Basic shows comparisons that are all joined by and; this query has or, not or parentheses."
    if len(rows) > ROWS_MAX:
        return f"Basic shows at most {ROWS_MAX} comparisons; this query has {len(rows)}."
    if any(not value or "\n" in value or "\r" in value for one in rows for value in one.values):
        return "Basic shows one value a line; a value in this query is empty or has a line break in it."
    return ""


def _of_rows(text: str, rows: tuple[EditRow, ...], *, keep: bool) -> Draft:
    """Return the query that rows say; where they say none that can be read, the text stays as it was."""
    try:
        written = query_of([term for term in (row.term() for row in rows) if term])
    except BadQuery as problem:
        return Draft(text, rows, problem=problem)
    return Draft(written, (rows or (EditRow(),)) if keep else None)


def _sent(data: QueryDict) -> tuple[EditRow, ...]:
    lists = [data.getlist(f"aql-{part}") for part in ("field", "key", "operator", "values")]
    if len(lists[0]) > ROWS_MAX or len({len(one) for one in lists}) > 1:
        raise SuspiciousOperation("These are no rows of a form.")
    return tuple(_row(*told) for told in zip(*lists, strict=True))


def _row(field: str, key: str, operator: str, text: str) -> EditRow:
    if field not in FIELDS or operator not in OPERATORS:
        raise SuspiciousOperation("This is no row of a form.")
    # Of an operator that the new field does not take, nothing is left.
    operator = operator if operator in FIELDS[field].operators else "="
    text = text.replace("\r\n", "\n")
    row = EditRow(field, key, operator, text)
    # One value for an operator that takes one: the first of a list.
    return row if row.is_list else replace(row, text=text.split("\n", 1)[0])


def _changed(rows: tuple[EditRow, ...], button: str) -> tuple[EditRow, ...]:
    if button == "row:add" and len(rows) < ROWS_MAX:
        return (*rows, EditRow())
    number = button.removeprefix("row:remove:")
    if number != button and number.isascii() and number.isdecimal() and len(number) < 4:
        return tuple(row for place, row in enumerate(rows) if place != int(number))
    return rows
