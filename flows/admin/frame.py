"""What the admin pages of policy share: who may, who acts, and the frame."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from flows.forms.places import Places
from flows.models import Space

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    # Generic only for the type checker.
    _Admin = object

# What a page calls the row that it is about.
_ROWS = {"accessflow": "flow", "bundle": "bundle", "accessscope": "scope", "space": "space"}


class InSpaces(_Admin):
    """Lets those who hold a role in a space do in it what the role allows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether they may write a new one anywhere."""
        return _me(request).may_somewhere(f"flows.add_{self.opts.model_name}")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they may change this one or, without one, any."""
        return _may(_me(request), f"flows.change_{self.opts.model_name}", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they may delete this one or, without one, any."""
        return _may(_me(request), f"flows.delete_{self.opts.model_name}", obj)


def _may(user: User, permission: str, row: Any) -> bool:
    return user.may_somewhere(permission) if row is None else user.has_perm(permission, row)


def need(request: HttpRequest, permission: str, about: Model | None = None) -> None:
    """Raise PermissionDenied unless the person has the permission, and be it only in the space that `about` lies in."""
    if not request.user.has_perm(permission, about):
        raise PermissionDenied


def need_somewhere(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless there is a place where the person has the permission."""
    if not _me(request).may_somewhere(permission):
        raise PermissionDenied


def need_to_write(request: HttpRequest, kind: str, row: Model | None) -> None:
    """Raise PermissionDenied unless the person may change the row or, without one, write a new one somewhere."""
    if row is None:
        need_somewhere(request, f"flows.add_{kind}")
    else:
        need(request, f"flows.change_{kind}", row)


def places_of(request: HttpRequest, kind: str) -> Places:
    """Return where the person may write flows, bundles or scopes."""
    user, permission = _me(request), f"flows.add_{kind}"
    account = user.has_perm(permission)
    spaces = Space.objects.all() if account else Space.objects.filter(pk__in=user.spaces_held())
    mine = [one for one in spaces if account or user.has_perm(permission, _In(one.pk))]
    return Places(account, tuple((str(one.pk), one.name) for one in mine))


@dataclass(frozen=True, slots=True)
class _In:
    """Something that would lie in a space."""

    space_id: uuid.UUID


def _me(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """Return the person at the admin site."""
    return person(request.user, Source.ADMIN)


def page(
    request: HttpRequest, model: type[Model], template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page in the admin site's frame."""
    kind = model._meta.model_name
    about = context.get(_ROWS.get(kind or "", ""))
    may = {name: request.user.has_perm(f"flows.{name}_{kind}", about) for name in ("add", "change", "delete")}
    told = {**admin.site.each_context(request), "title": title, "opts": model._meta, "may": may, **context}
    return TemplateResponse(request, f"admin/flows/{template}", told, status=status)
