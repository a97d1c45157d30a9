"""A grantee's password: shown once, in the answer to the click, and kept nowhere on the way."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_variables

from access_requests import actions
from access_requests.models import AccessSession
from access_requests.views.common import actor_of, find, me, page
from access_requests.views.request import render_request


def _session(http: HttpRequest, pk: int, session: uuid.UUID) -> AccessSession:
    """Return a session of a request that is theirs to see. Raises Http404 otherwise; whose it is the action checks."""
    return get_object_or_404(AccessSession, pk=session, group__request=find(http, pk))


@page("POST")
@sensitive_variables("secret")
def show_password(http: HttpRequest, pk: int, session: uuid.UUID) -> HttpResponse:
    """Show the password, once: this answer is the only place it is ever in."""
    try:
        secret = actions.take_credentials(_session(http, pk, session), user=me(http), actor=actor_of(http))
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return render_request(http, pk, problem=str(problem), status=409)
    return render_request(http, pk, secret=secret)


@page("POST")
def reset_password(http: HttpRequest, pk: int, session: uuid.UUID) -> HttpResponse:
    """Have a new password made; the old one stops working."""
    try:
        actions.reset_credentials(_session(http, pk, session), user=me(http), actor=actor_of(http))
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return render_request(http, pk, problem=str(problem), status=409)
    messages.success(http, "A new one is being made. The old one stops working.")
    return redirect("request_page", pk=pk)
