"""The inventory: what syncs found. Read-only; the pages are in integrations.views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from integrations.admin.base import ReadOnly
from integrations.models import Resource
from integrations.views import inventory, query
from integrations.views.common import need


@admin.register(Resource)
class ResourceAdmin(ReadOnly):
    """Resources, a million of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        """Read what a page of one resource shows at once."""
        found: QuerySet[Resource] = super().get_queryset(request)
        return found.select_related("integration", "resource_type")

    def get_urls(self) -> list[URLPattern]:
        """Put the query editor's addresses before the admin site's."""
        wrap, name = self.admin_site.admin_view, "integrations_resource"
        own = [
            path("query/check/", wrap(query.check), name=f"{name}_checkquery"),
            path("query/complete/", wrap(query.complete), name=f"{name}_completequery"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List them."""
        return inventory.inventory(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one; nothing is written here."""
        need(request, "integrations.view_resource")
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        row: Resource | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return inventory.resource(request, row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none here: the trail is the history."""
        raise Http404
