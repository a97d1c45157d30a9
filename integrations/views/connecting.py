"""Connecting and editing: a form in steps on one page, tested before it is saved. What was typed is never lost."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from connectors.contract.errors import ErrorReport
from connectors.contract.manifest import Manifest
from connectors.contract.orders import Finding, Report
from connectors.stores.builtin import SecretUnreadable
from integrations import actions, queries
from integrations.forms import TEXT_MAX, IntegrationForm
from integrations.models import Integration
from integrations.views.common import about, actor_of, address_of, manifest_or_404, need, page

# Secrets typed before a test are held in the session, as ciphertext, so that no page has to carry them.
DRAFTS = "integration_secrets"
DRAFT_SECONDS = 1800
DRAFTS_KEPT = 5


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


@sensitive_post_parameters()
def connect(request: HttpRequest, type_: str) -> HttpResponse:
    """Connect a system of one kind: test, then save."""
    need(request, "integrations.add_integration")
    manifest = manifest_or_404(type_)
    form = IntegrationForm(manifest, data=request.POST or None, drafted=_drafted(request, type_))
    return _form_page(request, manifest, form)


@sensitive_post_parameters()
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Edit an integration: test, then save."""
    need(request, "integrations.change_integration")
    saved = get_object_or_404(Integration, pk=pk, deleting_since=None)
    manifest = manifest_or_404(saved.type)
    form = IntegrationForm(manifest, saved=saved, data=request.POST or None, drafted=_drafted(request, str(pk)))
    return _form_page(request, manifest, form)


def _form_page(request: HttpRequest, manifest: Manifest, form: IntegrationForm) -> HttpResponse:
    """Show the form; test what it says; save it when asked to and the test, or the person, allows it."""
    trial = None
    if request.method == "POST":
        _hold(request, form)
        if form.is_valid():
            trial = _try(request, form)
        wanted = "_save" in request.POST and trial is not None
        if wanted and trial is not None and (form.cleaned_data["anyway"] or not trial.failed):
            integration = _save(request, form, trial)
            if integration is not None:
                _forget(request, form)
                messages.success(request, f"{integration.name} is saved. A check and a sync are under way.")
                return HttpResponseRedirect(address_of(integration))
    title = f"Edit {form.saved.name}" if form.saved else f"Connect {manifest.name}"
    return page(
        request,
        "connect.html",
        title,
        form=form,
        trial=trial,
        saving="_save" in request.POST,
        integration=form.saved,
        text=form["custom_access_details"].value() or "",
        text_max=TEXT_MAX,
        quality=queries.quality(manifest.id),
        **about(manifest),
    )


def _key(form: IntegrationForm) -> str:
    return str(form.saved.pk) if form.saved else form.manifest.id


@sensitive_variables("given")
def _hold(request: HttpRequest, form: IntegrationForm) -> None:
    """Keep the secrets of this form for the next try, under a key that is not in the session."""
    given = {name: form.data.get(f"secret_{name}", "") for name in (one.name for one in form.manifest.secret_fields())}
    typed = {name: value for name, value in given.items() if value}
    if not typed:
        return
    kept = form.drafted | typed
    try:
        sealed = actions.keep_draft(kept)
    except ValueError:  # no key: the test says so in words
        return
    drafts = {name: one for name, one in request.session.get(DRAFTS, {}).items() if name != _key(form)}
    while len(drafts) >= DRAFTS_KEPT:
        drafts.pop(next(iter(drafts)))
    request.session[DRAFTS] = drafts | {_key(form): {**sealed, "at": time.time()}}
    form.hold(kept)


def _drafted(request: HttpRequest, key: str) -> dict[str, str]:
    """Return the secrets held for a form, unless they are old."""
    if request.method != "POST":
        return {}
    draft = request.session.get(DRAFTS, {}).get(key)
    if not draft or time.time() - draft.get("at", 0) > DRAFT_SECONDS:
        return {}
    return actions.open_draft(draft)


def _forget(request: HttpRequest, form: IntegrationForm) -> None:
    drafts = request.session.get(DRAFTS, {})
    if drafts.pop(_key(form), None):
        request.session[DRAFTS] = drafts


@sensitive_variables("secrets")
def _try(request: HttpRequest, form: IntegrationForm) -> Trial | None:
    """Test what the form says; None when the form itself has a problem, which it then shows."""
    secrets, type_ = form.secrets(), form.manifest.id
    try:
        report: Report = actions.try_connection(
            type_,
            form.config(),
            secrets,
            saved=form.saved,
            kept=form.kept(),
            connector=form.cleaned_data["connector"],
            actor=actor_of(request),
        )
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
        "kept": form.kept(),
        "owners": form.cleaned_data["owners"],
        "actor": actor_of(request),
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
