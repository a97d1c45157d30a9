"""The query language: what selects entitlements, read, written, asked of one entitlement and of the whole inventory.

    query = parse('resource_type = "database" and resource_tag["env"] = "prod"')     raises BadQuery
    query.holds(entitlement)       asked of one entitlement; pure
    query.text()                   written in one way; parses to an equal query
    selected(query).count()        asked of the inventory: .count(most), .page(after, size), .pairs(); grantable=True
                                   leaves out what is missing or switched off
    rows_of(query), query_of(rows) a plain query as rows of a form, and back
    words.complete(text, cursor), words.tokens(text), words.fields(), words.operators(field)     for an editor
    editing.tell(text)             what is wrong with a text, or how much it selects and the first of it
    editing.draft_of(data, button) what was sent of a query while it is written, as text or as rows of a form
    places([Wanted(query=query)])  of integrations.search: what may be asked for, with text, in reading order

Comparison is exact and case-sensitive. Logic has two values: an absent tag equals nothing, so = contains starts_with
ends_with in are false of it and != not_contains not_in are true; `not` is the complement.
"""

from integrations.aql.errors import BadQuery
from integrations.aql.fields import FIELDS, OPERATORS, Field
from integrations.aql.parsing import DEPTH_MAX, LENGTH_MAX, TERMS_MAX, VALUES_MAX, parse
from integrations.aql.rows import Row, query_of, rows_of
from integrations.aql.selecting import COUNT_MAX, Selected, selected
from integrations.aql.tree import And, Not, Or, Query, Term

__all__ = [
    "COUNT_MAX",
    "DEPTH_MAX",
    "FIELDS",
    "LENGTH_MAX",
    "OPERATORS",
    "TERMS_MAX",
    "VALUES_MAX",
    "And",
    "BadQuery",
    "Field",
    "Not",
    "Or",
    "Query",
    "Row",
    "Selected",
    "Term",
    "parse",
    "query_of",
    "rows_of",
    "selected",
]
