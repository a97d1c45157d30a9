"""Connectors: who does the work, with rename and delete."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from connectors import VERSION
from integrations import actions, queries
from integrations.choices import ConnectorKind
from integrations.install import upgrade
from integrations.models import Connector, ConnectorInstance, Order
from integrations.views.common import actor_of, address_of, need, page

# Instances and integrations that one page shows.
SHOWN = 50
ERRORS = 5


def connectors(request: HttpRequest) -> HttpResponse:
    """All of them, with how they are."""
    need(request, "integrations.view_connector")
    rows = [(one, queries.through(one.connector).count()) for one in queries.connectors(timezone.now())]
    return page(request, "connectors.html", "Connectors", model=Connector, rows=rows)


def connector(request: HttpRequest, row: Connector) -> HttpResponse:
    """One of them: its instances, and the integrations that run through it."""
    need(request, "integrations.view_connector")
    return page(
        request,
        "connector.html",
        row.name,
        model=Connector,
        connector=row,
        seen=queries.seen(row, timezone.now()),
        instances=[_told(row, one) for one in queries.instances(row)[:SHOWN]],
        integrations=queries.through(row)[:SHOWN],
        through=queries.through(row).count(),
        embedded=actions.is_embedded(row),
        remote=row.kind == ConnectorKind.REMOTE,
        tokens=queries.tokens(row)[:SHOWN],
        backlog=queries.backlog(row, timezone.now()),
        errors=queries.latest_errors(row, limit=ERRORS),
        now=timezone.now(),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """One instance as the page shows it; `upgrade` is the command that makes it current, if it is not."""

    row: ConnectorInstance
    alive: bool
    outdated: bool
    upgrade: str
    surroundings: str


def _told(connector: Connector, one: ConnectorInstance) -> Told:
    outdated = queries.is_outdated(one.version)
    alive = one.stopped_at is None and one.last_seen_at > timezone.now() - queries.SILENT_AFTER
    place = dict(one.surroundings)
    command = ""
    if outdated and alive:
        command = upgrade(
            place.get("runs_as", ""),
            name=connector.name,
            url=settings.PUBLIC_URL,
            image=settings.CONNECTOR_IMAGE,
            version=VERSION,
        )
    # Host and process are in the row's own name.
    shown = {name: value for name, value in sorted(place.items()) if value and name not in {"host", "process"}}
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())
    return Told(one, alive, outdated, command, words)


def functions(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What a connector may do there: each program of ours, and what its owner made of it."""
    need(request, "integrations.view_connector")
    row = get_object_or_404(Connector, pk=pk)
    alive = list(queries.alive_instances(row, timezone.now()))
    return page(
        request,
        "connector_functions.html",
        f"What {row.name} may do",
        model=Connector,
        connector=row,
        instance=alive[0] if alive else None,
        differ=len({(one.rules, tuple(sorted(one.functions.items()))) for one in alive}) > 1,
        providers=queries.allowed(alive[0]) if alive else [],
    )


@require_POST
def rename(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give it another name; the action asks for the permission."""
    row = get_object_or_404(Connector, pk=pk)
    try:
        actions.rename_connector(row, request.POST.get("name", ""), actor=actor_of(request))
    except actions.BadName as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"The connector is called {row.name}.")
    return HttpResponseRedirect(address_of(row))


def delete(request: HttpRequest, row: Connector) -> HttpResponse:
    """Ask, then delete; refused while integrations run through it, which are named."""
    need(request, "integrations.delete_connector")
    refused = ""
    if request.method == "POST":
        try:
            actions.delete_connector(row, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused = str(problem)
        else:
            messages.success(request, f"The connector {row.name} is deleted.")
            return HttpResponseRedirect(reverse("admin:integrations_connector_changelist"))
    return page(
        request,
        "connector_delete.html",
        f"Delete {row.name}",
        model=Connector,
        connector=row,
        integrations=queries.through(row)[:SHOWN],
        through=queries.through(row).count(),
        embedded=actions.is_embedded(row),
        refused=refused,
        status=409 if refused else 200,
    )


@require_POST
def hurry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make one waiting order due now, and go back to the overview; the action asks for the permission."""
    order = get_object_or_404(Order.objects.select_related("integration"), pk=pk)
    if actions.hurry_order(order, actor=actor_of(request)):
        messages.success(request, f"{order.integration}: due now. The connector takes it up at once.")
    else:
        messages.warning(request, "It did not wait: it is due already, running, or settled.")
    return HttpResponseRedirect(reverse("admin:index"))
