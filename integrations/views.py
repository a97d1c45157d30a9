"""Admin pages that act: the catalogue, connecting, one integration, and its buttons."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from connectors.contract.errors import ErrorReport, Misconfigured, TargetError
from connectors.contract.manifest import Manifest
from connectors.contract.orders import Finding, Report
from connectors.registry import BUILT_IN
from connectors.stores.builtin import SecretUnreadable
from integrations import actions, queries
from integrations.choices import IntegrationStatus
from integrations.forms import IntegrationForm
from integrations.models import Integration, Order, Resource

# How many runs, orders and dependents one page shows.
LATEST = 10
DEPENDENTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Trial:
    """What a test of a connection said."""

    findings: tuple[Finding, ...] = ()
    error: ErrorReport | None = None

    @property
    def failed(self) -> bool:
        """Whether it would not work as it stands; a warning is no failure."""
        return self.error is not None or any(finding.level == "error" for finding in self.findings)

    @property
    def words(self) -> str:
        """Return what is wrong, for the trail."""
        said = [(one.message, one.fix) for one in self.findings if one.level == "error"]
        if self.error:
            said.insert(0, (self.error.message, self.error.fix))
        return " ".join(f"{message} {fix}".strip() for message, fix in said)


def catalogue(request: HttpRequest) -> HttpResponse:
    """Choose what to connect."""
    need(request, "integrations.add_integration")
    kinds = sorted(queries.catalogue().values(), key=lambda kind: (kind.category, kind.name))
    return _page(request, "catalogue.html", "Connect an integration", kinds=kinds)


@sensitive_post_parameters()
def connect(request: HttpRequest, type_: str) -> HttpResponse:
    """Connect a system of one kind: test, then save."""
    need(request, "integrations.add_integration")
    manifest = _manifest(type_)
    return _form_page(request, manifest, IntegrationForm(manifest, data=request.POST or None))


@sensitive_post_parameters()
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Edit an integration: test, then save."""
    need(request, "integrations.change_integration")
    saved = get_object_or_404(Integration, pk=pk)
    manifest = _manifest(saved.type)
    return _form_page(request, manifest, IntegrationForm(manifest, saved=saved, data=request.POST or None))


def _form_page(request: HttpRequest, manifest: Manifest, form: IntegrationForm) -> HttpResponse:
    """Show the form; test what it says; save it when asked to and the test, or the person, allows it."""
    trial = None
    if request.method == "POST" and form.is_valid():
        trial = _try(request, form)
        wanted = "_save" in request.POST and trial is not None
        if wanted and trial is not None and (form.cleaned_data["anyway"] or not trial.failed):
            integration = _save(request, form, trial)
            if integration is not None:
                messages.success(request, f"{integration.name} is saved. A check and a sync are under way.")
                return HttpResponseRedirect(_address(integration))
    title = f"Edit {form.saved.name}" if form.saved else f"Connect {manifest.name}"
    return _page(
        request,
        "connect.html",
        title,
        form=form,
        trial=trial,
        saving="_save" in request.POST,
        integration=form.saved,
        **_about(manifest),
    )


@sensitive_variables("secrets")
def _try(request: HttpRequest, form: IntegrationForm) -> Trial | None:
    """Test what the form says; None when the form itself has a problem, which it then shows."""
    secrets, type_ = form.secrets(), form.manifest.id
    try:
        report: Report = actions.try_connection(type_, form.config(), secrets, saved=form.saved, actor=_actor(request))
    except actions.BadConfig as problem:
        form.add_problems(problem.problems)
        return None
    except (SecretUnreadable, ValueError) as problem:
        form.add_error(None, f"{problem} Enter the secrets again, or restore the key.")
        return None
    return Trial(report.findings, report.error)


def _save(request: HttpRequest, form: IntegrationForm, trial: Trial) -> Integration | None:
    """Connect or edit; None when somebody took the name meanwhile."""
    told: dict[str, Any] = {
        "config": form.config(),
        "secrets": form.secrets(),
        "actor": _actor(request),
        "although": trial.words if trial.failed else "",
    }
    name, chosen = form.cleaned_data["name"], form.cleaned_data["connector"]
    try:
        if form.saved is None:
            return actions.connect(name, form.manifest.id, connector=chosen, settings=form.settings(), **told)
        settings = form.settings() | ({"connector": chosen} if chosen else {})
        return actions.edit(form.saved, name=name, settings=settings, **told)
    except actions.BadConfig as problem:
        form.add_problems(problem.problems)
    except IntegrityError:
        form.add_error("name", "Another integration took this name meanwhile. Choose a different one.")
    return None


def show(request: HttpRequest, integration: Integration, status: SafeString) -> HttpResponse:
    """One integration: how it is (`status`, as the list shows it), what was found, what is under way."""
    try:
        about = _about(queries.manifest(integration.type))
    except Misconfigured as error:
        about = {"unknown": f"{error.message} {error.fix}"}
    runs = list(integration.sync_runs.all()[:LATEST])
    kinds = integration.resource_types.annotate(found=models.Count("resources")).order_by("type")
    return _page(
        request,
        "integration.html",
        integration.name,
        integration=integration,
        status_shown=status,
        disabled=integration.status == IntegrationStatus.DISABLED,
        config=_config(integration, about.get("manifest")),
        runs=runs,
        running=next((run for run in runs if run.finished_at is None), None),
        orders=integration.orders.select_related("person").defer("desired", "result")[:LATEST],
        kinds=[(kind, ", ".join(map(str, kind.permissions.all()))) for kind in kinds.prefetch_related("permissions")],
        **about,
    )


def _config(integration: Integration, manifest: Manifest | None) -> list[tuple[str, str]]:
    """Return the configuration in words: plain values, and of a secret only whether one is kept."""
    if manifest is None:
        return [(name, str(value)) for name, value in sorted(integration.config.items())]
    kept = set(integration.secrets.values_list("field", flat=True))
    plain = [(field.label, str(integration.config.get(field.name, "–"))) for field in manifest.plain_fields()]
    secret = [(one.label, "kept, never shown" if one.name in kept else "missing") for one in manifest.secret_fields()]
    kinds = {kind.id: kind.name for kind in manifest.resource_types}
    found = [kinds.get(kind, kind) for kind in integration.enabled_types]
    found = found or [kind.name for kind in manifest.resource_types if not kind.optional]
    rotation = f"after {integration.rotation_days} days" if integration.rotation_days else "never"
    return [
        ("Type", manifest.name),
        ("Connector", str(integration.connector)),
        *plain,
        *secret,
        ("Finds", ", ".join(found)),
        ("Notes for grantees", integration.custom_access_details or "–"),
        ("Credentials are reset", rotation),
        ("Logins are deleted", f"{integration.cleanup_days} days after their access ended"),
    ]


@require_POST
def press(request: HttpRequest, pk: uuid.UUID, button: str) -> HttpResponse:
    """Do what one of the page's buttons says; the action itself asks for the permission."""
    need(request, "integrations.view_integration")
    integration, actor = get_object_or_404(Integration, pk=pk), _actor(request)
    try:
        if button == "check":
            actions.check(integration, actor=actor)
            messages.success(request, "A check is under way. Reload the page to see what it finds.")
        elif button == "sync":
            actions.sync(integration, actor=actor)
            messages.success(request, "A sync is under way. Reload the page to see how far it is.")
        elif button == "disable":
            actions.disable(integration, actor=actor)
            messages.success(request, "Disabled: no checks, syncs or new access. Access that exists ends as it should.")
        elif button == "enable":
            actions.enable(integration, actor=actor)
            messages.success(request, "Enabled. A check is under way.")
        else:
            raise Http404
    except TargetError as error:
        messages.error(request, f"{error.message} {error.fix}".strip())
    return HttpResponseRedirect(_address(integration))


@require_POST
def hurry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make one waiting order due now, and go back to the overview; the action asks for the permission."""
    order = get_object_or_404(Order.objects.select_related("integration"), pk=pk)
    if actions.hurry_order(order, actor=_actor(request)):
        messages.success(request, f"{order.integration}: due now. The connector takes it up at once.")
    else:
        messages.warning(request, "It did not wait: it is due already, running, or settled.")
    return HttpResponseRedirect(reverse("admin:index"))


def delete(request: HttpRequest, integration: Integration) -> HttpResponse:
    """Ask, then delete; refused while something depends on it, which is named."""
    need(request, "integrations.delete_integration")
    needed = dependents(integration)
    refused = ""
    if request.method == "POST":
        try:
            actions.delete(integration, actor=_actor(request))
        except actions.StillNeeded as problem:
            needed, refused = dependents(integration), str(problem)
        else:
            messages.success(request, f"{integration.name} is deleted.")
            return HttpResponseRedirect(reverse("admin:integrations_integration_changelist"))
    title = f"Delete {integration.name}"
    return _page(
        request,
        "delete.html",
        title,
        integration=integration,
        needed=needed,
        refused=refused,
        status=409 if refused else 200,
    )


def dependents(integration: Integration) -> list[tuple[str, str]]:
    """Return what stands in the way of deleting an integration: words and address, at most DEPENDENTS_SHOWN.

    Whoever protects an integration is found through its model's relations, so no floor above is named here.
    """
    found: dict[str, str] = {}
    for relation in Integration._meta.related_objects:
        if getattr(relation, "on_delete", None) is models.PROTECT and relation.related_model is not Resource:
            rows = relation.related_model._default_manager.filter(**{relation.field.name: integration})
            for row in rows[:DEPENDENTS_SHOWN]:
                owner = _owner(row)
                words = f"{owner._meta.verbose_name} {owner}"
                found.setdefault(words, _address(owner))
    return list(found.items())[:DEPENDENTS_SHOWN]


def _owner(row: models.Model) -> models.Model:
    """Return the nearest row above `row` that has an admin page: a target's flow, a unit's request."""
    while not admin.site.is_registered(type(row)):
        above = [
            getattr(row, field.name)
            for field in row._meta.concrete_fields
            if isinstance(field, models.ForeignKey) and field.related_model not in {Integration, User}
        ]
        parent = next((one for one in above if isinstance(one, models.Model)), None)
        if parent is None:
            break
        row = parent
    return row


def _address(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _about(manifest: Manifest) -> dict[str, Any]:
    """Return what a page shows of a provider: its set-up files to copy, its programs with their digests."""
    files, programs = BUILT_IN.setup_files(manifest.id), BUILT_IN.functions(manifest.id)
    return {"manifest": manifest, "setup_files": files, "functions": programs}


def _manifest(type_: str) -> Manifest:
    try:
        return queries.manifest(type_)
    except Misconfigured as error:
        raise Http404(error.message) from error


def need(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the person has the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _actor(request: HttpRequest) -> Actor:
    return person(request.user, Source.ADMIN)


def _page(request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page in the admin site's frame."""
    may = {
        name: request.user.has_perm(f"integrations.{name}_integration") for name in ("add", "change", "delete", "sync")
    }
    told = {**admin.site.each_context(request), "title": title, "opts": Integration._meta, "may": may, **context}
    return TemplateResponse(request, f"admin/integrations/{template}", told, status=status)
