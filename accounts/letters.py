"""What a letter says: plain data, written into a text and an HTML template.

Whatever people or targets have written reaches a letter as data and as one line: no line break that could forge a
header or a line of ours, no sign that turns the direction of writing around, no end of a page-long name. A text of
several lines is a list of lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone

from accounts.models import User

LINE_MAX = 500
# Mail programs cut far shorter; a header field of this length still fits into every server's limits.
SUBJECT_MAX = 160
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_TURNS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    type: str
    content: bytes


def one_line(text: str, longest: int = LINE_MAX) -> str:
    """Return `text` as one line of at most `longest` characters, without what a reader does not see."""
    line = _BREAKS.sub(" ", _TURNS.sub("", text)).strip()
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def lines(text: str, most: int = 40) -> list[str]:
    """Return a text of several lines as a context takes it: at most so many, none of them empty."""
    found = [line for line in map(one_line, text.splitlines()) if line]
    return found if len(found) <= most else [*found[:most], "…"]


def address_of(name: str, *args: Any) -> str:
    """Return the whole address of one of our pages, by its name in urls."""
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"


def compose(template: str, context: Mapping[str, Any], *, subject: str, to: User) -> tuple[str, str]:
    """Return text and HTML of a letter, with times in the reader's zone. Raises TypeError for what is no plain data."""
    zone = zone_of(to)
    told = {
        **plain(context),
        "subject": subject,
        "zone": zone.key,
        "home_url": settings.PUBLIC_URL,
        "account_url": address_of("account"),
    }
    with timezone.override(zone):
        # Escaping is for HTML; which part is which is decided here, so that no template can forget it.
        text, html = (
            get_template(f"mail/{template}.{kind}").template.render(Context(dict(told), autoescape=kind == "html"))  # type: ignore[attr-defined]
            for kind in ("txt", "html")
        )
    return _tidy(text), html


def plain(value: Any) -> Any:
    """Return a copy of plain data with every text in it as one line. Raises TypeError for anything else."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | datetime | date):
        return value
    raise TypeError(f"A letter is made of plain data, not of {type(value).__name__}.")


def zone_of(user: User) -> ZoneInfo:
    """Return the person's time zone, or UTC."""
    try:
        return ZoneInfo(user.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _tidy(text: str) -> str:
    """Return the text part without the empty lines that template tags leave behind."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"
