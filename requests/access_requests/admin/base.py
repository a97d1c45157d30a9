"""What the admin pages of requests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from access_requests.choices import Tone

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
    _AnyInline = admin.TabularInline[Any, Any]
    _AnyPaginator = Paginator[Any]
else:
    # Generic only for the type checker.
    _AnyAdmin, _AnyInline, _AnyPaginator = admin.ModelAdmin, admin.TabularInline, Paginator

# A list is paged through up to here; beyond, a person searches.
ROWS_MAX = 10_000
# What stands beside a word that has no icon of its own.
_ICONS = {Tone.GOOD: "ok", Tone.BAD: "stop", Tone.WAIT: "hourglass", Tone.MOVE: "spinner", Tone.QUIET: "clock"}
# Between lines: the admin site's styles push lists to the side.
LINE = SafeString("<br>")


class BoundedPaginator(_AnyPaginator):
    """Counts no further than ROWS_MAX, so that years of requests do not make the list slow."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or ROWS_MAX when there are more."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:ROWS_MAX].count()


class _Shown:
    """Nobody adds, changes or deletes a row here, whatever the role."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows come from what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody removes it."""
        return False


class ReadOnly(_Shown, _AnyAdmin):
    """Shows rows to who may view them."""

    actions: Any = None
    show_full_result_count = False
    # Counting by every filter would read the whole table.
    show_facets = admin.ShowFacets.NEVER
    change_form_template = "admin/latchkey/read_only.html"
    paginator = BoundedPaginator
    list_per_page = 50


class ReadOnlyRows(_Shown, _AnyInline):
    """Shows the rows that belong to another."""

    extra = 0
    can_delete = False
    template = "admin/latchkey/rows.html"


class GranteeFilter(admin.SimpleListFilter):
    """Rows about one person, by a part of the e-mail address: nobody picks one of twenty thousand from a list."""

    title = "grantee"
    parameter_name = "person"
    template = "admin/latchkey/text_filter.html"
    path = "grantee__email__icontains"

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


class GranteeOfGroupFilter(GranteeFilter):
    """The same for what hangs on an access group."""

    path = "group__request__grantee__email__icontains"


class GranteeOfRequestFilter(GranteeFilter):
    """The same for what hangs on a request."""

    path = "request__grantee__email__icontains"


class PersonFilter(GranteeFilter):
    """The same for what is a person's own."""

    title = "person"
    path = "person__email__icontains"


def badge(tone: Tone | str, word: str, note: str = "", icon: str = "") -> SafeString:
    """Return a state as the portal tells it: icon, word and tone, and below it why."""
    told = {"tone": Tone(tone), "icon": icon or _ICONS[Tone(tone)], "word": word}
    shown = render_to_string("portal/_state.html", {"badge": told})
    return format_html("{}{}", shown, quiet(note)) if note else shown


def quiet(note: str) -> SafeString:
    """Return a remark below what it is about."""
    return format_html('<br><span class="meta">{}</span>', note)


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
