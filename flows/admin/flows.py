"""Access flows: found in a list, switched on and off, and handed to the pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flows import actions, events
from flows.admin import effects, pages
from flows.admin.automatic import automatic_page
from flows.admin.filters import BreakGlassFilter, IntegrationFilter, LabelFilter, SpaceFilter, StateFilter
from flows.admin.frame import InSpaces, actor_of, need
from flows.admin.suggest import suggestions
from flows.admin.why import why_page
from flows.choices import Trigger
from flows.models import AccessFlow
from flows.whatif import of_switch

if TYPE_CHECKING:
    _FlowAdmin = admin.ModelAdmin[AccessFlow]
else:
    # Generic only for the type checker.
    _FlowAdmin = admin.ModelAdmin

_Page = Callable[[HttpRequest, AccessFlow], HttpResponse]


class _FlowList(ChangeList):
    """A page of flows, which counts the uses of all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Add `uses` to each flow of the page."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        uses = events.recent_requests([row.pk for row in rows])
        for row in rows:
            row.uses = uses.get(row.pk, 0)
        self.result_list = rows


class _FlowColumns(_FlowAdmin):
    """What the list of flows shows."""

    @admin.display(description="access flow", ordering="name")
    def reads(self, flow: AccessFlow) -> SafeString:
        """Return the name, what is special about the flow, and below it the flow as one sentence."""
        address = reverse("admin:flows_accessflow_change", args=[flow.pk])
        sentence = flow.current.sentence if flow.current else ""
        special = [
            *(["automatic"] if flow.trigger == Trigger.AUTOMATIC else []),
            *(["break-glass"] if flow.break_glass else []),
            *([f"space {flow.space}"] if flow.space else []),
            *flow.labels,
        ]
        marks = format_html_join("", '<span class="meta"> · {}</span>', ((one,) for one in special))
        return format_html('<a href="{}">{}</a>{}<p class="meta">{}</p>', address, flow.name, marks, sentence)

    @admin.display(description="state")
    def state(self, flow: AccessFlow) -> SafeString:
        """Return whether it gives anybody anything."""
        look = (
            {"tone": "good", "icon": "ok", "word": "On"}
            if flow.active
            else {"tone": "quiet", "icon": "ban", "word": "Off"}
        )
        return render_to_string("portal/_state.html", {"badge": look})

    @admin.display(description="version")
    def version(self, flow: AccessFlow) -> int:
        """Return the number of the version that decides."""
        return flow.current.number if flow.current else 0

    @admin.display(description="asked, 90 days")
    def used(self, flow: Any) -> int:
        """Return how many requests of the last 90 days it decided."""
        return int(flow.uses)


@admin.register(AccessFlow)
class AccessFlowAdmin(InSpaces, _FlowColumns):
    """Policy. Every write goes through flows.actions."""

    list_display = ("reads", "state", "version", "used")
    list_display_links = None
    list_filter = (
        StateFilter,
        IntegrationFilter,
        SpaceFilter,
        "trigger",
        "approval_mode",
        LabelFilter,
        BreakGlassFilter,
    )
    list_select_related = ("current", "space")
    list_per_page = 50
    sortable_by = ("reads",)
    search_fields = ("name", "description", "current__sentence")
    search_help_text = "Part of the name, the description or the sentence."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/flows/list.html"
    actions = ("switch_on", "switch_off")
    empty_words = "A flow says who may ask for what, for how long, and who approves. Without one, nobody gets anything."

    def get_changelist(self, request: HttpRequest, **told: Any) -> type[Any]:
        """Return the list that counts uses."""
        return _FlowList

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that the admin site does not know."""
        view, own = self.admin_site.admin_view, "flows_accessflow"
        return [
            path("why/", view(why_page), name=f"{own}_why"),
            path("suggest/", view(suggestions), name=f"{own}_suggest"),
            path("<path:object_id>/automatic/", view(self._of(automatic_page)), name=f"{own}_automatic"),
            path("<path:object_id>/switch/", view(self._of(pages.switch_page)), name=f"{own}_switch"),
            path("<path:object_id>/compare/", view(self._of(pages.compare_page)), name=f"{own}_compare"),
            path("<path:object_id>/restore/<str:number>/", view(self.restore_view), name=f"{own}_restore"),
            path("<path:object_id>/code/", view(self._of(pages.code_page)), name=f"{own}_code"),
            *super().get_urls(),
        ]

    def _of(self, shown: _Page) -> Callable[[HttpRequest, str], HttpResponse]:
        """Return a page of one flow as a view."""
        return lambda request, object_id: shown(request, self._one(request, object_id))

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
            need(request, "flows.change_accessflow", flow)
        return pages.show_page(request, flow)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return pages.delete_page(request, self._one(request, object_id))

    def restore_view(self, request: HttpRequest, object_id: str, number: str) -> HttpResponse:
        """Ask, then make an earlier version the next one."""
        return pages.restore_page(request, self._one(request, object_id), number)

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
        need(request, "flows.view_accessflow")
        flow: AccessFlow | None = self.get_object(request, object_id)
        if flow is None:
            raise Http404
        return flow

    @admin.action(description="Switch the chosen flows on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[AccessFlow]) -> None:
        """Switch on all of them or, when one is refused, none."""
        self._switch(request, queryset, True)

    @admin.action(description="Switch the chosen flows off: end the access they gave", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[AccessFlow]) -> HttpResponse | None:
        """Say what that ends, then switch off all of them."""
        if request.POST.get("sure") == "yes":
            self._switch(request, queryset, False)
            return None
        chosen = list(queryset.filter(active=True))
        live = events.live_requests(uuid.UUID(str(flow.pk)) for flow in chosen)
        title = f"Switch off {len(chosen)} access flow{'' if len(chosen) == 1 else 's'}"
        effect = effects.whole(of_switch(chosen, False)) if chosen else None
        return pages.page(request, "switch_many.html", title, flows=chosen, live=live, effect=effect)

    def _switch(self, request: HttpRequest, flows: QuerySet[AccessFlow], active: bool) -> None:
        actor, name = actor_of(request), ""
        try:
            with transaction.atomic():
                for flow in flows:
                    name = flow.name
                    actions.set_active(flow, active, actor=actor)
        except actions.BadFlow as problem:
            messages.error(request, f"Nothing was changed, for {name}: {' '.join(problem.problems)}")
        except actions.NeedsSecondAdmin as problem:
            messages.error(request, f"Nothing was changed. {problem.why} Propose it on the page of {name}.")
        else:
            messages.success(request, f"Switched {'on' if active else 'off'}: {len(flows)}.")
