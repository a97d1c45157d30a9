"""What only the page of a new request needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def marked(text: str, words: Sequence[str]) -> SafeString | str:
    """Show a text with the words that were searched for marked."""
    if not words:
        return text
    found = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    parts, end = [], 0
    for match in found.finditer(text):
        parts += [("", text[end : match.start()], ""), ("<mark>", match.group(), "</mark>")]
        end = match.end()
    # Only the two tags above are ours; what stands between them is escaped.
    tags = {"": SafeString(""), "<mark>": SafeString("<mark>"), "</mark>": SafeString("</mark>")}
    return format_html_join("", "{}{}{}", ((tags[a], b, tags[c]) for a, b, c in [*parts, ("", text[end:], "")]))
