"""Reads filters from a query string or a command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from django.utils.dateparse import parse_date, parse_datetime

from audit.choices import ACTIONS, Source
from audit.queries import Filters

NAMES = ("from", "to", "action", "actor", "subject", "source")


class BadFilter(ValueError):
    """A filter that cannot be read; the message is one sentence for a person."""


def read_filters(given: Mapping[str, str]) -> Filters:
    """Return the filters for `from`, `to`, `action`, `actor` (id or address), `subject` (type or type:id), `source`.

    `from` and `to` are days, both included, or instants (UTC when they name no zone). Raises BadFilter.
    """
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise BadFilter(f"There is no filter {unknown[0]!r}; there are {', '.join(NAMES)}.")
    value = {name: given.get(name, "").strip() for name in NAMES}
    if value["action"] and value["action"] not in ACTIONS:
        raise BadFilter(f"There is no action {value['action']!r}.")
    if value["source"] and value["source"] not in Source.values:
        raise BadFilter(f"There is no source {value['source']!r}.")
    since, until = _instant("from", value["from"]), _instant("to", value["to"], days=1)
    if since and until and since >= until:
        raise BadFilter("The period ends before it begins.")
    kind, _, identity = value["subject"].partition(":")
    return Filters(since, until, value["action"], value["actor"], kind, identity, value["source"])


def _instant(name: str, text: str, days: int = 0) -> datetime | None:
    """Return the instant that `text` names, a plain day `days` later than its beginning. Raises BadFilter."""
    if not text:
        return None
    try:
        # parse_datetime reads a plain day as well, so the day is asked first.
        if (day := parse_date(text)) is not None:
            return datetime.combine(day, time.min, UTC) + timedelta(days=days)
        instant = parse_datetime(text)
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        raise BadFilter(
            f"{name} must be a day such as 2026-01-31 or an instant such as 2026-01-31T12:00Z, not {text!r}."
        )
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
