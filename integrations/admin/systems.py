"""Integrations: found in a list, and handed to the pages in integrations.views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import queries, views
from integrations.admin.base import AnyAdmin, badge
from integrations.choices import STATUS_LOOKS, IntegrationStatus
from integrations.models import Integration, Resource


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

    list_display = ("name", "type_name", "shown_status", "connector", "synced_at", "resources_found")
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
            path("connect/<slug:type_>/", wrap(views.connect), name=f"{name}_connect"),
            path("<uuid:pk>/edit/", wrap(views.edit), name=f"{name}_edit"),
            path("<uuid:pk>/<slug:button>/press/", wrap(views.press), name=f"{name}_press"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        """Count the resources of a page of integrations, by the index on integration."""
        counted = Resource.objects.filter(integration=OuterRef("pk")).order_by().values("integration")
        found = Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField())
        rows: QuerySet[Integration] = super().get_queryset(request)
        return rows.annotate(_found=found)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Begin with the catalogue."""
        return views.catalogue(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one."""
        row = self._one(request, object_id)
        return views.show(request, row, self.shown_status(row))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return views.delete(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none here: the trail is the history."""
        raise Http404

    def _one(self, request: HttpRequest, object_id: str) -> Integration:
        """Return what the address names, to who may see it."""
        views.need(request, "integrations.view_integration")
        row: Integration | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    @admin.display(description="type", ordering="type")
    def type_name(self, integration: Integration) -> str:
        """Return the provider's name."""
        kind = queries.catalogue().get(integration.type)
        return kind.name if kind else integration.type

    @admin.display(description="status", ordering="status")
    def shown_status(self, integration: Integration) -> SafeString:
        """Return the status and its reason."""
        status = IntegrationStatus(integration.status)
        return badge(STATUS_LOOKS[status], status.label, integration.status_reason)

    @admin.display(description="resources", ordering="_found")
    def resources_found(self, integration: Any) -> SafeString:
        """Return how many resources there are, with the way to them."""
        address = reverse("admin:integrations_resource_changelist")
        told = f"{integration._found:,}"
        return format_html('<a href="{}?integration__id__exact={}">{}</a>', address, integration.pk, told)
