"""The inventory by query: what it selects, a page at a time; the query is in the address."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from integrations import queries
from integrations.aql import Query, Row, parse, query_of, selected
from integrations.aql.editing import Draft, Told, draft_of, tell
from integrations.choices import ResourceStatus, RiskBand
from integrations.queries import PAGE

_AFTER = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


def is_query(request: HttpRequest) -> bool:
    """Whether the inventory is asked by query."""
    return "query" in request.GET or request.GET.get("by") == "query"


def by_query(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows of the query in the address and of what it selects, with what is missing, too."""
    draft = draft_of(request.GET, request.GET.get("_do", ""))
    told = Told(draft.text, draft.problem) if draft.problem else tell(draft.text, grantable=False, sample=0)
    context: dict[str, Any] = {"draft": draft, "told": told, "everything": True, "oldest": queries.oldest_sync()}
    if told.problem or not draft.text.strip():
        return context
    after = _AFTER.fullmatch(request.GET.get("after", ""))
    return context | _found(draft, parse(draft.text), (int(after[1]), int(after[2])) if after else (0, 0))


def _found(draft: Draft, query: Query, after: tuple[int, int]) -> dict[str, Any]:
    pairs = selected(query).page(after, PAGE + 1)
    kept = urlencode({"query": draft.text})
    last = "-".join(map(str, pairs[PAGE - 1])) if len(pairs) > PAGE else ""
    return {
        "searched": True,
        "rows": queries.entitlements(pairs[:PAGE]),
        "first_page": f"?{kept}" if after > (0, 0) else "",
        "following": f"?{kept}&after={last}" if last else "",
        "kept": kept,
    }


def query_for(given: dict[str, str]) -> str:
    """Return a query that selects what the filters find; "" where a query cannot say it."""
    key, has_value, value = given["tag"].partition("=")
    if given["q"] or (given["tag"] and not has_value):
        return ""
    rows = [
        Row("integration", "=", (given["integration"],)),
        Row("resource_type", "=", (given["type"],)),
        Row("resource_status", "=", (given["status"] if given["status"] in ResourceStatus.values else "",)),
        Row("resource_risk_level", "=", (given["risk"] if given["risk"] in RiskBand.values else "",)),
        Row("resource_tag", "=", (value.strip(),), key.strip()),
    ]
    return query_of([row for row in rows if row.values[0]])
