"""The inventory: what syncs found. Read-only."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.admin.base import LINE, ROWS_MAX, ReadOnly, badge, link
from integrations.choices import RESOURCE_LOOKS, Look, ResourceStatus
from integrations.models import Resource


@admin.register(Resource)
class ResourceAdmin(ReadOnly):
    """Resources, a million of them: sorted by an index, searched in the database, never counted to the end."""

    list_display = ("path_shown", "name", "integration_link", "resource_type", "shown_status", "risk_level")
    list_display_links = ("path_shown",)
    list_filter = ("integration", "resource_type__type", "status")
    list_select_related = ("integration", "resource_type")
    search_fields = ("path", "name")
    search_help_text = f"Part of the path or the name. The list goes up to {ROWS_MAX:,} resources; search for others."
    # The index integrations_resource_path; any other order would sort the whole table.
    ordering = ("integration_id", "path", "id")
    sortable_by = ()
    fields = (
        *("integration_link", "resource_type", "name", "path", "source_id", "shown_status", "risk_level"),
        *("tags_shown", "context_shown", "permissions_shown"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        """Leave the bulk out, until a page asks for it."""
        found: QuerySet[Resource] = super().get_queryset(request)
        return found.defer("context", "refusals", "fingerprint")

    @admin.display(description="path")
    def path_shown(self, resource: Resource) -> str:
        """Return the path, or the name where there is none."""
        return str(resource)

    @admin.display(description="integration")
    def integration_link(self, resource: Resource) -> SafeString | str:
        """Return the integration."""
        return link(resource.integration)

    @admin.display(description="status")
    def shown_status(self, resource: Resource) -> SafeString:
        """Return whether the last sync saw it."""
        status = ResourceStatus(resource.status)
        missing = status == ResourceStatus.MISSING
        return badge(RESOURCE_LOOKS[status], status.label, "The last sync did not find it any more." if missing else "")

    @admin.display(description="tags")
    def tags_shown(self, resource: Resource) -> SafeString | str:
        """Return the tags."""
        return _pairs((tag.key, tag.value) for tag in resource.tags.order_by("key"))

    @admin.display(description="context")
    def context_shown(self, resource: Resource) -> SafeString | str:
        """Return what else the target says of it."""
        return _pairs(sorted(resource.context.items()))

    @admin.display(description="permissions")
    def permissions_shown(self, resource: Resource) -> SafeString | str:
        """Return what can be asked for on it, and what not, with the reason."""
        rows = []
        for permission in resource.resource_type.permissions.all():
            refusal = resource.refusals.get(permission.source_id, "")
            said = f"{permission.name} (risk {permission.risk_level})"
            rows.append((badge(Look("bad", "no"), said, refusal) if refusal else badge(Look("good", "ok"), said),))
        return format_html_join(LINE, "{}", rows) or "–"


def _pairs(pairs: Iterable[tuple[str, str]]) -> SafeString | str:
    """Return keys and values as a list."""
    found = list(pairs)
    return format_html_join(LINE, "{} = {}", found) or "–"
