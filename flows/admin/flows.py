"""Access flows: found in a list, switched on and off, and handed to the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from flows import actions
from flows.admin import pages
from flows.models import AccessFlow

if TYPE_CHECKING:
    _FlowAdmin = admin.ModelAdmin[AccessFlow]
else:
    # Generic only for the type checker.
    _FlowAdmin = admin.ModelAdmin


@admin.register(AccessFlow)
class AccessFlowAdmin(_FlowAdmin):
    """Policy. Every write goes through flows.actions."""

    list_display = ("name", "active", "says", "version", "updated_at")
    list_filter = ("active", "approval_mode", ("targets__integration", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("current",)
    list_per_page = 50
    search_fields = ("name", "description", "current__sentence")
    show_full_result_count = False
    actions = ("switch_on", "switch_off")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write a flow."""
        return pages.form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Edit a flow, or look at it."""
        flow = self._one(request, object_id)
        if self.has_change_permission(request, flow):
            return pages.form_page(request, flow)
        if request.method == "POST":
            pages.need(request, "flows.change_accessflow")
        return pages.show_page(request, flow)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return pages.delete_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the versions."""
        return pages.versions_page(request, self._one(request, object_id))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out the admin site's own way to delete, which would go past the action."""
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def _one(self, request: HttpRequest, object_id: str) -> AccessFlow:
        """Return what the address names, to who may see it."""
        pages.need(request, "flows.view_accessflow")
        flow = self.get_object(request, object_id)
        if flow is None:
            raise Http404
        return flow

    @admin.display(description="what it says")
    def says(self, flow: AccessFlow) -> str:
        """Return the flow as one sentence."""
        return flow.current.sentence if flow.current else ""

    @admin.display(description="version")
    def version(self, flow: AccessFlow) -> int:
        """Return the number of the version that decides."""
        return flow.current.number if flow.current else 0

    @admin.action(description="Switch the chosen flows on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[AccessFlow]) -> None:
        """Switch on all of them or, when one is refused, none."""
        self._switch(request, queryset, True)

    @admin.action(description="Switch the chosen flows off: end the access they gave", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[AccessFlow]) -> None:
        """Switch off all of them or, when one is refused, none."""
        self._switch(request, queryset, False)

    def _switch(self, request: HttpRequest, flows: QuerySet[AccessFlow], active: bool) -> None:
        actor, name = pages.actor_of(request), ""
        try:
            with transaction.atomic():
                for flow in flows:
                    name = flow.name
                    actions.set_active(flow, active, actor=actor)
        except actions.BadFlow as problem:
            messages.error(request, f"Nothing was changed, for {name}: {' '.join(problem.problems)}")
        else:
            messages.success(request, f"Switched {'on' if active else 'off'}: {len(flows)}.")
