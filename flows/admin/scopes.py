"""Access scopes: a list with what each selects now, and the door to their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows import reach
from flows.admin import history
from flows.admin import scope_pages as pages
from flows.admin.filters import SpaceFilter
from flows.admin.frame import InSpaces, need, page
from flows.api.terraform import scope_text
from flows.choices import TargetKind
from flows.models import AccessScope

if TYPE_CHECKING:
    _ScopeAdmin = admin.ModelAdmin[AccessScope]
else:
    # Generic only for the type checker.
    _ScopeAdmin = admin.ModelAdmin


@admin.register(AccessScope)
class AccessScopeAdmin(InSpaces, _ScopeAdmin):
    """Named queries. Every write goes through flows.actions."""

    list_display = ("named", "selects", "flows_using", "bundles_using")
    list_display_links = None
    list_filter = (SpaceFilter,)
    list_select_related = ("space",)
    # Each row is counted in the inventory.
    list_per_page = 20
    sortable_by = ("named",)
    search_fields = ("name", "description", "query")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/flows/list.html"
    empty_words = "An access scope is a named query: flows that give it follow the inventory by themselves."

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessScope]:
        """Count what uses them."""
        found: QuerySet[AccessScope] = super().get_queryset(request)
        flows, bundles = Count("used_by__flow", distinct=True), Count("used_by__in_bundle", distinct=True)
        return found.annotate(_flows=flows, _bundles=bundles)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing for many: the admin site's own way to delete would go past the action."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of versions."""
        view, own = self.admin_site.admin_view, "flows_accessscope"
        return [
            path("<path:object_id>/code/", view(self.code_view), name=f"{own}_code"),
            path("<path:object_id>/compare/", view(self.compare_view), name=f"{own}_compare"),
            path("<path:object_id>/restore/<str:number>/", view(self.restore_view), name=f"{own}_restore"),
            *super().get_urls(),
        ]

    def code_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show an access scope as Terraform text."""
        row = self._one(request, object_id)
        return page(request, AccessScope, "terraform.html", f"{row.name} as code", row=row, text=scope_text(row))

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what one version says otherwise than another."""
        return history.compare_page(request, history.of_a_scope(self._one(request, object_id)))

    def restore_view(self, request: HttpRequest, object_id: str, number: str) -> HttpResponse:
        """Ask, then make an earlier version the next one."""
        return history.restore_page(request, history.of_a_scope(self._one(request, object_id)), number)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write a scope."""
        return pages.form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Edit a scope, or look at it."""
        scope = self._one(request, object_id)
        if self.has_change_permission(request, scope):
            return pages.form_page(request, scope)
        if request.method == "POST":
            need(request, "flows.change_accessscope", scope)
        return pages.show_page(request, scope)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return pages.delete_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the versions."""
        return history.versions_page(request, history.of_a_scope(self._one(request, object_id)))

    def _one(self, request: HttpRequest, object_id: str) -> AccessScope:
        """Return what the address names, to who may see it."""
        need(request, "flows.view_accessscope")
        scope: AccessScope | None = self.get_object(request, object_id)
        if scope is None:
            raise Http404
        return scope

    @admin.display(description="access scope", ordering="name")
    def named(self, scope: AccessScope) -> SafeString:
        """Return the name, and below it what it is for, or its query."""
        address = reverse("admin:flows_accessscope_change", args=[scope.pk])
        told = scope.description or format_html("<code>{}</code>", scope.query)
        where = f"space {scope.space} · " if scope.space else ""
        return format_html('<a href="{}">{}</a><p class="meta">{}{}</p>', address, scope.name, where, told)

    @admin.display(description="selects now")
    def selects(self, scope: AccessScope) -> str:
        """Return how many entitlements it selects now; the count stops at its bound."""
        number = reach.entitlements_of({"kind": TargetKind.QUERY, "query": scope.query})
        return reach.in_words(number, "entitlement", "entitlements")

    @admin.display(description="access flows")
    def flows_using(self, scope: Any) -> int:
        """Return how many flows give it."""
        return int(scope._flows)

    @admin.display(description="bundles")
    def bundles_using(self, scope: Any) -> int:
        """Return how many bundles it is in."""
        return int(scope._bundles)
