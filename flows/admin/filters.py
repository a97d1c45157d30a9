"""By what the list of flows is narrowed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from flows.models import AccessTarget, Space
from flows.queries import labels, with_label
from flows.reach import uuids
from integrations.models import Integration


class StateFilter(admin.SimpleListFilter):
    """On or off."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both."""
        return [("on", "On"), ("off", "Off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those in the state."""
        return queryset.filter(active=self.value() == "on") if self.value() in {"on", "off"} else queryset


class IntegrationFilter(admin.SimpleListFilter):
    """Flows that give something in one integration, by themselves or in a bundle."""

    title = "integration"
    parameter_name = "integration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the integrations that are a target of anything."""
        rows = Integration.objects.filter(targets__isnull=False).order_by("name").distinct()
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those with a target there."""
        chosen = uuids([self.value() or ""])
        if not self.value():
            return queryset
        direct = AccessTarget.objects.filter(integration__in=chosen)
        bundled = AccessTarget.objects.filter(bundle__in=direct.filter(in_bundle__isnull=False).values("in_bundle"))
        flows = Q(pk__in=direct.filter(flow__isnull=False).values("flow"))
        return queryset.filter(flows | Q(pk__in=bundled.filter(flow__isnull=False).values("flow")))


class SpaceFilter(admin.SimpleListFilter):
    """What lies in a space, or in none."""

    title = "space"
    parameter_name = "space"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the spaces; nothing to choose where there are none."""
        spaces = [(str(pk), name) for pk, name in Space.objects.values_list("pk", "name")]
        return [("none", "The whole account"), *spaces] if spaces else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what lies there."""
        if not self.value():
            return queryset
        chosen = uuids([self.value() or ""])
        return queryset.filter(space__isnull=True) if self.value() == "none" else queryset.filter(space__in=chosen)


class LabelFilter(admin.SimpleListFilter):
    """Flows that bear a label."""

    title = "label"
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the labels there are."""
        return [(one, one) for one in labels()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those that bear it."""
        chosen = self.value()
        return queryset.filter(pk__in=with_label(chosen)) if chosen else queryset


class BreakGlassFilter(admin.SimpleListFilter):
    """Flows that open at once in an emergency."""

    title = "break-glass"
    parameter_name = "break_glass"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those that do, or do not."""
        return queryset.filter(break_glass=self.value() == "yes") if self.value() in {"yes", "no"} else queryset
