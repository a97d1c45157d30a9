"""One integration: how it is, what was found, what is under way, its buttons, its end."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from connectors.contract.errors import Misconfigured, TargetError
from connectors.contract.manifest import Manifest
from integrations import actions, queries
from integrations.api.terraform import integration_text
from integrations.choices import IntegrationStatus, SyncState
from integrations.models import Integration
from integrations.queries import owner_name
from integrations.views.code import as_json, as_toml, document
from integrations.views.common import about, actor_of, address_of, address_of_dependant, need, page

# How many runs and orders one page shows.
LATEST = 10


def show(request: HttpRequest, integration: Integration) -> HttpResponse:
    """Show one."""
    try:
        shown = about(queries.manifest(integration.type))
    except Misconfigured as error:
        shown = {"unknown": f"{error.message} {error.fix}"}
    kinds = integration.resource_types.order_by("type").prefetch_related("permissions")
    told = document(integration)
    return page(
        request,
        "integration.html",
        integration.name,
        config=_config(integration, shown.get("manifest")),
        owners=[owner_name(one) for one in integration.owners.select_related("user", "group")],
        orders=integration.orders.select_related("person").defer("desired", "result")[:LATEST],
        kinds=kinds,
        panels=queries.panels(integration, request.user),
        as_json=as_json(told),
        as_toml=as_toml(told),
        as_terraform=integration_text(integration),
        may_see_orders=request.user.has_perm("integrations.view_order"),
        may_see_trail=request.user.has_perm("audit.view_auditentry"),
        **_status(integration),
        **shown,
    )


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the part of the page that moves: the same partial the page included."""
    need(request, "integrations.view_integration")
    integration = get_object_or_404(Integration.objects.select_related("connector"), pk=pk)
    may = {"sync": request.user.has_perm("integrations.sync_integration")}
    return render(request, "admin/integrations/_status.html", {**_status(integration), "may": may})


def _status(integration: Integration) -> dict[str, Any]:
    """Return what the moving part shows."""
    runs = list(integration.sync_runs.all()[:LATEST])
    running = next((run for run in runs if run.state == SyncState.RUNNING), None)
    applying = next((run for run in runs if run.state == SyncState.APPLYING), None)
    directory = queries.directory_of(integration) if queries.tells_people(integration) else None
    checking = queries.open_system_orders(integration)
    return {
        "integration": integration,
        "disabled": integration.status == IntegrationStatus.DISABLED,
        "runs": runs,
        "running": running,
        "applying": applying,
        "directory": directory,
        "last": next((run for run in runs if run.finished_at is not None), None),
        "checking": checking,
        "moving": bool(running or applying or checking or integration.deleting_since),
    }


def _config(integration: Integration, manifest: Manifest | None) -> list[tuple[str, str]]:
    """Return the configuration in words: plain values, and of a secret only whether one is kept."""
    if manifest is None:
        return [(name, str(value)) for name, value in sorted(integration.config.items())]
    stores = {one.field: one.get_store_display() for one in integration.secrets.all()}
    plain = [(field.label, str(integration.config.get(field.name, "–"))) for field in manifest.plain_fields()]
    secret = [
        (one.label, f"kept, never shown ({stores[one.name].lower()} store)" if one.name in stores else "missing")
        for one in manifest.secret_fields()
    ]
    if manifest.kind == "people":
        return [*plain, *secret]
    kinds = {kind.id: kind.name for kind in manifest.resource_types}
    found = [kinds.get(kind, kind) for kind in integration.enabled_types]
    found = found or [kind.name for kind in manifest.resource_types if not kind.optional]
    # A system that says itself what it has: what the last sync heard.
    found = found or list(integration.resource_types.order_by("type").values_list("name", flat=True))
    hours = integration.reconcile_hours
    rotation = f"after {integration.rotation_days} days" if integration.rotation_days else "never"
    return [
        *plain,
        *secret,
        ("Finds", ", ".join(found) or "what the system says it has"),
        ("Credentials are reset", rotation),
        ("Logins are deleted", f"{integration.cleanup_days} days after their access ended"),
        ("Drift is looked for", f"every {hours} hours" if hours else "never"),
    ]


@require_POST
def press(request: HttpRequest, pk: uuid.UUID, button: str) -> HttpResponse:
    """Do what one of the page's buttons says; the action itself asks for the permission."""
    need(request, "integrations.view_integration")
    integration = get_object_or_404(Integration, pk=pk)
    try:
        messages.success(request, _press(request, integration, button))
    except TargetError as error:
        messages.error(request, f"{error.message} {error.fix}".strip())
    return HttpResponseRedirect(address_of(integration))


def _press(request: HttpRequest, integration: Integration, button: str) -> str:
    """Act, and return what to tell."""
    actor = actor_of(request)
    match button:
        case "refresh":
            actions.check(integration, actor=actor)
            actions.sync(integration, actor=actor)
            return "A check and a sync are under way."
        case "check":
            actions.check(integration, actor=actor)
            return "A check is under way."
        case "sync":
            actions.sync(integration, actor=actor)
            return "A sync is under way."
        case "disable":
            actions.disable(integration, actor=actor)
            return "Disabled: no checks, syncs or new access. Access that exists ends as it should."
        case "enable":
            actions.enable(integration, actor=actor)
            return "Enabled. A check is under way."
    raise Http404


def delete(request: HttpRequest, integration: Integration) -> HttpResponse:
    """Ask, then delete; refused while something depends on it, which is named to who may read of it."""
    need(request, "integrations.delete_integration")
    refused = False
    if request.method == "POST":
        try:
            gone = actions.delete(integration, actor=actor_of(request))
        except actions.StillNeeded:
            refused = True
        else:
            rest = "" if gone else " Its inventory is large: it goes batch by batch, and the list shows it until then."
            messages.success(request, f"{integration.name} is deleted.{rest}")
            return HttpResponseRedirect(reverse("admin:integrations_integration_changelist"))
    needed = queries.dependants(integration)
    readable = [one for one in needed if request.user.has_perm(one.permission)]
    return page(
        request,
        "delete.html",
        f"Delete {integration.name}",
        integration=integration,
        needed=[(one.words, address_of_dependant(one)) for one in readable],
        hidden=len(needed) - len(readable),
        blocked=bool(needed),
        refused=refused,
        status=409 if refused else 200,
    )
