"""Connectors, their instances, and the orders they carry out. Read-only, but for hurrying an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from audit.actor import person
from audit.choices import Source
from integrations import actions
from integrations.admin.base import AnyAdmin, ReadOnly, badge, in_words, link, pretty
from integrations.choices import ORDER_LOOKS, OrderState
from integrations.models import Connector, ConnectorInstance, Order
from integrations.views import connectors, installing
from integrations.views.common import need


@admin.register(Connector)
class ConnectorAdmin(AnyAdmin):
    """Connectors. They are made by what runs them; every write goes through integrations.actions."""

    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Put our own address before the admin site's."""
        wrap, name = self.admin_site.admin_view, "integrations_connector"
        own = [
            path("<uuid:pk>/rename/", wrap(connectors.rename), name=f"{name}_rename"),
            path("<uuid:pk>/install/", wrap(installing.install), name=f"{name}_install"),
            path("<uuid:pk>/token/", wrap(installing.make_token), name=f"{name}_token"),
            path("<uuid:pk>/token/<int:number>/revoke/", wrap(installing.revoke_token), name=f"{name}_revoketoken"),
            path("<uuid:pk>/functions/", wrap(connectors.functions), name=f"{name}_functions"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a remote one; the one in this server appears when it first runs."""
        return installing.add(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List them with how they are."""
        return connectors.connectors(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one."""
        return connectors.connector(request, self._one(request, object_id))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return connectors.delete(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none here: the trail is the history."""
        raise Http404

    def _one(self, request: HttpRequest, object_id: str) -> Connector:
        """Return what the address names, to who may see it."""
        need(request, "integrations.view_connector")
        row: Connector | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


@admin.register(ConnectorInstance)
class ConnectorInstanceAdmin(ReadOnly):
    """Running copies of connectors."""

    list_display = ("place", "connector_link", "version", "started_at", "last_seen_at", "stopped_at", "running")
    list_filter = ("connector", "version")
    list_select_related = ("connector",)
    search_fields = ("place",)
    fields = ("place", "connector_link", "version", "started_at", "last_seen_at", "stopped_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectorInstance]:
        """Count the orders of a page of instances at once."""
        found: QuerySet[ConnectorInstance] = super().get_queryset(request)
        return found.annotate(_running=Count("orders", filter=Q(orders__state=OrderState.LEASED)))

    @admin.display(description="connector")
    def connector_link(self, instance: ConnectorInstance) -> SafeString | str:
        """Return the connector."""
        return link(instance.connector)

    @admin.display(description="running orders")
    def running(self, instance: Any) -> int:
        """Return how many orders it holds now."""
        return int(instance._running)


class PersonFilter(admin.SimpleListFilter):
    """Rows about one person, by a part of the e-mail address: nobody picks one of twenty thousand from a list."""

    title = "person"
    parameter_name = "person"
    template = "admin/latchkey/text_filter.html"
    path = "person__email__icontains"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return something, or the admin site leaves the filter out."""
        return [("", "")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return the text, and what the form has to send along: the other filters and the search."""
        left_out = {self.parameter_name, PAGE_VAR}
        sent = [(key, value) for key, values in self.request.GET.lists() if key not in left_out for value in values]
        yield {"value": self.value() or "", "name": self.parameter_name, "sent": sent}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of who is meant."""
        # No database keeps a NUL in a text, and PostgreSQL refuses to look for one.
        text = (self.value() or "").replace("\0", "")
        return queryset.filter(**{self.path: text}) if text else queryset


@admin.register(Order)
class OrderAdmin(ReadOnly):
    """Orders: what connectors were told, and what came of it. Credentials in a report, sealed or not, stay out."""

    list_display = (
        *("created_at", "verb", "state_and_error", "integration_link", "person_link"),
        *("attempts", "next_try", "settled_at"),
    )
    list_display_links = ("created_at",)
    list_filter = ("state", "verb", "integration", PersonFilter)
    list_select_related = ("integration", "person")
    search_fields = ("=id",)
    search_help_text = "The whole id of an order."
    sortable_by = ()
    actions = ("hurry",)
    fields = (
        *("id", "verb", "shown_state", "integration_link", "person_link", "created_at", "attempts", "epoch"),
        *("next_try", "leased_by", "lease_until", "settled_at", "absorbed_at", "shown_error", "wanted", "reported"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Put our own address before the admin site's."""
        wrap = self.admin_site.admin_view
        own = path("<uuid:pk>/hurry/", wrap(connectors.hurry), name="integrations_order_hurry")
        return [own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Leave what was ordered and reported out, until a page asks for it."""
        found: QuerySet[Order] = super().get_queryset(request)
        return found.defer("desired", "result")

    def has_hurry_permission(self, request: HttpRequest) -> bool:
        """Whether the person may hurry orders; the admin site asks before it offers the action."""
        return request.user.has_perm("integrations.retry_order")

    @admin.display(description="state")
    def shown_state(self, order: Order) -> SafeString:
        """Return the state."""
        state = OrderState(order.state)
        return badge(ORDER_LOOKS[state], state.label)

    @admin.display(description="state")
    def state_and_error(self, order: Order) -> SafeString:
        """Return the state with the last error in words."""
        state = OrderState(order.state)
        return badge(ORDER_LOOKS[state], state.label, in_words(order.error))

    @admin.display(description="integration")
    def integration_link(self, order: Order) -> SafeString | str:
        """Return the integration."""
        return link(order.integration)

    @admin.display(description="person")
    def person_link(self, order: Order) -> SafeString | str:
        """Return the person it is about."""
        return str(order.person) if order.person else "–"

    @admin.display(description="next try")
    def next_try(self, order: Order) -> Any:
        """Return when a waiting order is tried next."""
        return order.next_try_at if order.state == OrderState.QUEUED else None

    @admin.display(description="error")
    def shown_error(self, order: Order) -> str:
        """Return the last error in words."""
        return in_words(order.error) or "–"

    @admin.display(description="ordered")
    def wanted(self, order: Order) -> SafeString | str:
        """Return the state that is wanted."""
        return pretty(order.desired)

    @admin.display(description="reported")
    def reported(self, order: Order) -> SafeString | str:
        """Return the report without credentials."""
        return pretty(_without_credentials(order.result))

    @admin.action(description="Hurry: try the chosen orders now", permissions=["hurry"])
    def hurry(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Make the chosen orders due now; those that do not wait are left alone."""
        actor, moment = person(request.user, Source.ADMIN), timezone.now()
        hurried = sum(actions.hurry_order(order, actor=actor, at=moment) for order in queryset)
        left = queryset.count() - hurried
        if hurried:
            messages.success(request, f"{hurried} {'order is' if hurried == 1 else 'orders are'} due now.")
        if left:
            messages.warning(request, f"{left} of the chosen did not wait, so there was nothing to hurry.")


def _without_credentials(result: dict[str, Any]) -> dict[str, Any]:
    """Return a report as it may be read: sealed credentials belong to their grantee alone."""
    grants = [
        {name: value for name, value in grant.items() if name != "sealed_credentials"}
        for grant in result.get("grants", ())
    ]
    return {**result, "grants": grants} if result else {}
