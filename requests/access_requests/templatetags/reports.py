"""How numbers, bars and filters are written in templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.forms import Form
from django.utils.safestring import SafeString

from flows.decision import words_for

register = template.Library()
_NAMES = {
    "hour": "{0.day} {0:%b}, {0:%H:%M}",
    "day": "{0.day} {0:%b}",
    "week": "{0.day} {0:%b %Y}",
    "month": "{0:%b %Y}",
}
_ABOVE_FILTERS = ("person", "what", "state", "period", "integration", "flow", "trigger", "unit")


@register.filter
def thousands(number: int) -> str:
    """Write a number with commas."""
    return f"{number:,}"


@register.filter
def percent(share: float) -> str:
    """Write a share; what is not all is never written as all, what is not nothing never as nothing."""
    if share in {0.0, 100.0}:
        return f"{share:.0f} %"
    return f"{min(max(share, 0.1), 99.9):.1f} %"


@register.filter
def about(seconds: float | None) -> str:
    """Write a wait as precisely as matters: seconds below two minutes, minutes below a day, then hours."""
    if seconds is None:
        return "–"
    grain = 1 if seconds < 120 else 60 if seconds < 86400 else 3600
    whole = round(seconds / grain) * grain
    return words_for(whole) if whole else "under 1 s"


@register.filter
def bar_name(begin: datetime, grain: str) -> str:
    """Name a bar of the chart: it begins at a moment of the reader's zone."""
    return _NAMES[grain].format(begin)


@register.filter
def file_size(size: int) -> str:
    """Write a number of bytes."""
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024)):,} kB"


@register.simple_tag
def query(words: Mapping[str, str], **more: str) -> SafeString:
    """Return an address's query: these filters, and something more."""
    return SafeString(urlencode({**words, **more}).replace("&", "&amp;"))


@register.filter
def filter_problems(form: Form) -> list[str]:
    """Return what is wrong with the filters that have no place of their own to say it."""
    return [
        f"{form.fields[name].label or name.capitalize()}: {one}"
        for name in _ABOVE_FILTERS
        for one in form.errors.get(name, ())
    ]
