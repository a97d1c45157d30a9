"""The trail in the admin site: to be read, never to be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.choices import ACTIONS, Source
from audit.forms import NAMES, BadFilter, read_filters
from audit.models import AuditEntry
from audit.queries import matching

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AuditEntry]
else:
    # Generic only for the type checker.
    _ModelAdmin = admin.ModelAdmin


class _Trail(admin.ListFilter):
    """The filters that an export takes as well, in one form: period, actor, action, subject, source."""

    title = "what happened"
    template = "audit/trail_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        """Take the filters out of the address."""
        super().__init__(request, params, model, model_admin)
        self.request = request
        for name in set(NAMES) & set(params):
            given = params.pop(name)
            self.used_parameters[name] = str(given[-1] if isinstance(given, list) else given)

    def has_output(self) -> bool:
        """It is always offered."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return the names in the address."""
        return [*NAMES]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return what the form shows, once."""
        words = sorted(ACTIONS.items(), key=lambda pair: pair[1])
        may = self.request.user.has_perm("audit.export_auditentry")
        yield {"given": self.used_parameters, "actions": words, "sources": Source.choices, "may_export": may}

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep what the filters select; nothing, and why, when they make no sense."""
        try:
            return matching(read_filters({name: str(value) for name, value in self.used_parameters.items()}), queryset)
        except BadFilter as problem:
            messages.error(request, str(problem))
            return queryset.none()


class _Sealed(admin.SimpleListFilter):
    """Whether the sealer has chained the entry."""

    title = "sealed"
    parameter_name = "sealed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both."""
        return [("yes", "Sealed"), ("no", "Waiting for the sealer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the chosen half."""
        return queryset.filter(seal__isnull=self.value() == "no") if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(_ModelAdmin):
    """Read-only, whatever the role."""

    list_display = ("at", "words", "actor", "subject", "source", "is_sealed")
    list_filter = (_Trail, _Sealed)
    search_fields = ("action", "actor_name", "actor_email", "subject_name", "=subject_id", "=operation")
    list_select_related = ("seal",)
    ordering = ("-id",)
    # Counting a million entries for one line of text makes every page slow.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    actions = None
    fields = (
        *("id", "at", "words", "action", "actor", "actor_kind", "actor_id", "source"),
        *("subject", "subject_type", "subject_id", "pretty_details", "operation", "place"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody writes the trail by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody rewrites it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody shortens it."""
        return False

    @admin.display(description="action", ordering="action")
    def words(self, entry: AuditEntry) -> str:
        """Return the action in words."""
        return ACTIONS.get(entry.action, entry.action)

    @admin.display(description="actor")
    def actor(self, entry: AuditEntry) -> str:
        """Return who did it, as it was then."""
        return f"{entry.actor_name} <{entry.actor_email}>" if entry.actor_email else entry.actor_name

    @admin.display(description="subject")
    def subject(self, entry: AuditEntry) -> str:
        """Return what it was done to, as it was then."""
        return f"{entry.subject_type}: {entry.subject_name}"

    @admin.display(description="sealed", boolean=True)
    def is_sealed(self, entry: AuditEntry) -> bool:
        """Return whether the sealer has chained it."""
        return hasattr(entry, "seal")

    @admin.display(description="details")
    def pretty_details(self, entry: AuditEntry) -> SafeString:
        """Return the details to be read."""
        return format_html("<pre>{}</pre>", json.dumps(entry.details, indent=2, ensure_ascii=False, sort_keys=True))

    @admin.display(description="place in the chain")
    def place(self, entry: AuditEntry) -> str:
        """Return link number and digest."""
        return f"{entry.seal.sequence}:{entry.seal.digest}" if hasattr(entry, "seal") else "waiting for the sealer"
