"""What the pages of integrations share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

from audit.actor import Actor, person
from audit.choices import Source
from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Manifest
from connectors.registry import BUILT_IN
from integrations import queries
from integrations.models import Integration


def need(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the person has the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def actor_of(request: HttpRequest) -> Actor:
    """Return the person at the admin site."""
    return person(request.user, Source.ADMIN)


def page(
    request: HttpRequest, template: str, title: str, *, model: Any = Integration, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page in the admin site's frame, with what the person may do to rows of `model`."""
    name = model._meta.model_name
    may = {verb: request.user.has_perm(f"integrations.{verb}_{name}") for verb in ("add", "change", "delete", "sync")}
    told = {**admin.site.each_context(request), "title": title, "opts": model._meta, "may": may, **context}
    return TemplateResponse(request, f"admin/integrations/{template}", told, status=status)


def address_of(row: models.Model) -> str:
    """Return the address of a row's admin page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def address_of_dependant(one: queries.Dependant) -> str:
    """Return where the admin site shows a dependant; nothing where it has no page for it."""
    try:
        if one.key:
            return reverse(f"admin:{one.model}_change", args=[one.key])
        return f"{reverse(f'admin:{one.model}_changelist')}?{one.query}"
    except NoReverseMatch:
        return ""


def about(manifest: Manifest) -> dict[str, Any]:
    """Return what a page shows of a provider: its set-up files to copy, its programs with their digests."""
    programs = BUILT_IN.programs(manifest.id)
    functions = [(one, programs[one.name].read_text(encoding="utf-8")) for one in BUILT_IN.functions(manifest.id)]
    return {"manifest": manifest, "setup_files": BUILT_IN.setup_files(manifest.id), "functions": functions}


def manifest_or_404(type_: str) -> Manifest:
    """Return a provider's manifest."""
    try:
        return queries.manifest(type_)
    except Misconfigured as error:
        raise Http404(error.message) from error
