"""The query editor's questions: what may be written next; what a text says, what is wrong with it, what it selects."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from integrations import queries
from integrations.aql import LENGTH_MAX
from integrations.aql.editing import Draft, Told, draft_of, tell
from integrations.aql.words import complete as completions
from integrations.aql.words import tokens
from integrations.views.common import need


@require_POST
def complete(request: HttpRequest) -> JsonResponse:
    """Answer with what may be written at the cursor of `query`; both count code points."""
    need(request, "integrations.view_resource")
    text, cursor = request.POST.get("query", ""), request.POST.get("cursor", "")
    place = int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 7 else len(text)
    found = completions(text, place)
    told = [{"start": one.start, "text": one.text, "explanation": one.explanation} for one in found]
    return JsonResponse({"suggestions": told})


@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """Answer with the words of a query, what is wrong with it or what it selects, and with `rows` its rows.

    `all` counts what is missing or switched off, too.
    """
    need(request, "integrations.view_resource")
    everything = "all" in request.POST
    draft = draft_of(request.POST, request.POST.get("_do", ""))
    told = Told(draft.text, draft.problem) if draft.problem else tell(draft.text, grantable=not everything)
    answer: dict[str, Any] = {
        "tokens": tokens(draft.text) if len(draft.text) <= LENGTH_MAX else [],
        "wrong": [told.start, told.end] if told.problem and not draft.problem else None,
        "says": _says(request, told, everything),
        "why": draft.why,
    }
    if request.POST.get("aql-mode") == "basic" and not draft.problem:
        answer["query"] = draft.text
    if "rows" in request.POST and draft.rows is not None:
        answer["rows"] = _rows(request, draft)
    return JsonResponse(answer)


def _says(request: HttpRequest, told: Told, everything: bool) -> str:
    context = {"told": told, "oldest": queries.oldest_sync(), "everything": everything}
    return render_to_string("admin/integrations/_aql_says.html", context, request)


def _rows(request: HttpRequest, draft: Draft) -> str:
    return render_to_string("admin/integrations/_aql_rows.html", {"draft": draft}, request)
