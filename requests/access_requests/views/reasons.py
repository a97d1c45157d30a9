"""Why not: what is in the way of something, and what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import offering
from access_requests.forms import SearchForm
from access_requests.views.common import me, page


@page("GET", "HEAD")
def why_not(http: HttpRequest) -> HttpResponse:
    """Say why something cannot be had, or how it can."""
    form = SearchForm(http.GET)
    text = form.cleaned_data.get("q", "") if form.is_valid() else ""
    answer = offering.why_not(offering.asker(me(http)), text, at=timezone.now()) if text else None
    return render(http, "portal/why_not.html", {"text": text, "answer": answer})
