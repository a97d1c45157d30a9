"""A plain query as rows of a form, and back: comparisons that all have to be true."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.aql.parsing import parse
from integrations.aql.tree import And, Query, Term, all_of

# One row of the form: field, key, operator, values.
Row = Term


def rows_of(query: Query) -> list[Row] | None:
    """Return a query as rows, or None where it is more than comparisons joined by and."""
    parts = query.root.parts if isinstance(query.root, And) else (query.root,)
    rows = [part for part in parts if isinstance(part, Term)]
    return rows if len(rows) == len(parts) else None


def query_of(rows: Sequence[Row]) -> str:
    """Return the text of a query that says what the rows say; "" for none. Raises BadQuery for what is no row."""
    if not rows:
        return ""
    text = Query(all_of(rows)).text()
    parse(text)
    return text
