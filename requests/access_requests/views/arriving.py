"""Addresses that third-party clients print for their people: each leads to the page of ours that is meant."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access_requests.api.ids import request_number
from access_requests.views.common import page


@page("GET", "HEAD")
def step_up(http: HttpRequest) -> HttpResponse:
    """Lead to where the second factor of a request is proven; without a request, to what waits."""
    number = request_number(http.GET.get("request", ""))
    return redirect("request_factor", pk=number) if number else redirect("my_access")


@page("GET", "HEAD")
def open_requests(http: HttpRequest) -> HttpResponse:
    """Lead to what waits."""
    return redirect("my_access")
