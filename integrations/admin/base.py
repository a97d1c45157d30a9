"""What the admin pages of integrations share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.choices import Look

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    _AnyPaginator = Paginator[Any]
else:
    # Generic only for the type checker.
    AnyAdmin, _AnyPaginator = admin.ModelAdmin, Paginator

# A list is paged through up to here; beyond, a person searches.
ROWS_MAX = 10_000
# Between lines: the admin site's styles push lists to the side.
LINE = SafeString("<br>")


class BoundedPaginator(_AnyPaginator):
    """Counts no further than ROWS_MAX, so that a page of a million rows costs no more than one of ten thousand."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or ROWS_MAX when there are more."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:ROWS_MAX].count()


class ReadOnly(AnyAdmin):
    """Shows rows to who may view them; nobody adds, changes or deletes one here, whatever the role."""

    actions: Any = None
    show_full_result_count = False
    # Counting by every filter would read the whole table.
    show_facets = admin.ShowFacets.NEVER
    change_form_template = "admin/latchkey/read_only.html"
    paginator = BoundedPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody removes it."""
        return False


def badge(look: Look, word: str, note: str = "") -> SafeString:
    """Return a state as the portal tells it: icon, word and tone, and below it why."""
    shown = render_to_string("portal/_state.html", {"badge": {"tone": look.tone, "icon": look.icon, "word": word}})
    return format_html('{}<br><span class="meta">{}</span>', shown, note) if note else shown


def link(row: Model | None, words: str = "") -> SafeString | str:
    """Return a link to the admin page of a row."""
    if row is None:
        return "–"
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, words or str(row))


def pretty(value: Any) -> SafeString | str:
    """Return plain data to be read."""
    if not value:
        return "–"
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def in_words(error: dict[str, str]) -> str:
    """Return an error of an order as a person reads it: what is, then what to do."""
    return f"{error.get('message', '')} {error.get('fix', '')}".strip()
