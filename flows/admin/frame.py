"""What the admin pages of policy share: who may, who acts, and the frame."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from audit.actor import Actor, person
from audit.choices import Source


def need(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the person has the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def actor_of(request: HttpRequest) -> Actor:
    """Return the person at the admin site."""
    return person(request.user, Source.ADMIN)


def page(
    request: HttpRequest, model: type[Model], template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page in the admin site's frame."""
    kind = model._meta.model_name
    may = {name: request.user.has_perm(f"flows.{name}_{kind}") for name in ("add", "change", "delete")}
    told = {**admin.site.each_context(request), "title": title, "opts": model._meta, "may": may, **context}
    return TemplateResponse(request, f"admin/flows/{template}", told, status=status)
