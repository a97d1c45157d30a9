"""Integrations: found in a list, and handed to the pages in integrations.views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import queries
from integrations.admin.base import AnyAdmin, badge
from integrations.choices import STATUS_LOOKS, IntegrationStatus
from integrations.models import Integration
from integrations.views import connecting, integration, people
from integrations.views.catalogue import catalogue
from integrations.views.common import need


class _ByType(admin.SimpleListFilter):
    """Integrations by what they are."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the catalogue."""
        return [(id_, kind.name) for id_, kind in sorted(queries.catalogue().items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Integration]) -> QuerySet[Integration]:
        """Keep the chosen type."""
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Integration)
class IntegrationAdmin(AnyAdmin):
    """Integrations. Every write goes through integrations.actions."""

    list_display = ("name", "type_name", "shown_status", "connector", "synced_at", "resources_shown")
    list_filter = (_ByType, "status", "connector")
    list_select_related = ("connector",)
    list_per_page = 50
    search_fields = ("name",)
    show_full_result_count = False
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Put our own pages before the admin site's."""
        wrap, name = self.admin_site.admin_view, "integrations_integration"
        own = [
            path("connect/<slug:type_>/", wrap(connecting.connect), name=f"{name}_connect"),
            path("<uuid:pk>/edit/", wrap(connecting.edit), name=f"{name}_edit"),
            path("<uuid:pk>/directory/", wrap(people.settings), name=f"{name}_directory"),
            path("<uuid:pk>/going/", wrap(people.going), name=f"{name}_going"),
            path("person/<uuid:pk>/", wrap(people.identities), name=f"{name}_person"),
            path("<uuid:pk>/status/", wrap(integration.status), name=f"{name}_status"),
            path("<uuid:pk>/<slug:button>/press/", wrap(integration.press), name=f"{name}_press"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Begin with the catalogue."""
        return catalogue(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one."""
        return integration.show(request, self._one(request, object_id))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return integration.delete(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none here: the trail is the history."""
        raise Http404

    def _one(self, request: HttpRequest, object_id: str) -> Integration:
        """Return what the address names, to who may see it."""
        need(request, "integrations.view_integration")
        row: Integration | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    @admin.display(description="type", ordering="type")
    def type_name(self, row: Integration) -> str:
        """Return the provider's name."""
        kind = queries.catalogue().get(row.type)
        return kind.name if kind else row.type

    @admin.display(description="status", ordering="status")
    def shown_status(self, row: Integration) -> SafeString:
        """Return the status and its reason."""
        status = IntegrationStatus(row.status)
        return badge(STATUS_LOOKS[status], status.label, row.status_reason)

    @admin.display(description="resources", ordering="resources_found")
    def resources_shown(self, row: Integration) -> SafeString:
        """Return how many resources the last sync saw, with the way to them."""
        address = reverse("admin:integrations_resource_changelist")
        told = f"{row.resources_found:,}"
        return format_html('<a href="{}?integration={}">{}</a>', address, row.pk, told)
