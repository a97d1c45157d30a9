"""Connectors that run elsewhere: made, given a token that is shown once, and the commands that install one."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from connectors import VERSION
from integrations import actions, queries
from integrations import install as installation
from integrations.models import Connector, ConnectorToken
from integrations.views.common import actor_of, address_of, need, page

DAYS_MAX = 3650


@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """Make a connector with its first token."""
    need(request, "integrations.add_connector")
    name, problem = request.POST.get("name", ""), ""
    if request.method == "POST":
        try:
            row = actions.create_connector(name, actor=actor_of(request))
        except actions.BadName as error:
            problem = str(error)
        else:
            return _installing(request, row, token=actions.make_token(row, actor=actor_of(request)))
    told = {"model": Connector, "name": name, "problem": problem}
    return page(request, "connector_add.html", "Add a connector", status=422 if problem else 200, **told)


def install(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The commands that install one more instance."""
    need(request, "integrations.view_connector")
    return _installing(request, get_object_or_404(Connector, pk=pk))


@never_cache
@require_POST
def make_token(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a further token, and show it this once: the answer to this very request is the only place it is in."""
    row = get_object_or_404(Connector, pk=pk)
    need(request, "integrations.change_connector")
    days = request.POST.get("days", "").strip()
    if days and not (days.isdigit() and 1 <= int(days) <= DAYS_MAX):
        messages.error(request, f"A token lasts 1 to {DAYS_MAX} days, or, left empty, until it is revoked.")
        return HttpResponseRedirect(address_of(row))
    expires_at = timezone.now() + timedelta(days=int(days)) if days else None
    try:
        token = actions.make_token(row, actor=actor_of(request), expires_at=expires_at)
    except actions.NotRemote as problem:
        messages.error(request, str(problem))
        return HttpResponseRedirect(address_of(row))
    return _installing(request, row, token=token)


@require_POST
def revoke_token(request: HttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Revoke a token; who is in with it is cut off."""
    need(request, "integrations.change_connector")
    token = get_object_or_404(ConnectorToken.objects.select_related("connector"), pk=number, connector=pk)
    if actions.revoke_token(token, actor=actor_of(request)):
        messages.success(request, f"{token} is revoked. Instances that used it are cut off.")
    else:
        messages.warning(request, f"{token} was revoked before.")
    return HttpResponseRedirect(address_of(token.connector))


def _installing(request: HttpRequest, row: Connector, *, token: str = "") -> HttpResponse:
    """Show the commands, with the token where one was just made."""
    told = {"name": row.name, "url": settings.PUBLIC_URL, "image": settings.CONNECTOR_IMAGE, "version": VERSION}
    platforms = [(one, installation.install(one, **told)) for one in installation.PLATFORMS]
    return page(
        request,
        "connector_install.html",
        f"Install {row.name}",
        model=Connector,
        connector=row,
        token=token,
        platforms=platforms,
        server=installation.outbound(settings.PUBLIC_URL),
        secure=settings.PUBLIC_URL.startswith("https://"),
        seen=queries.seen(row, timezone.now()),
    )
