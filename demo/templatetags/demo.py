"""What the demo's templates ask for."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from demo.guide import SHOWN_ONCE, Hint, hint_for
from demo.people import FACES, Face
from demo.views import HIDDEN

register = template.Library()


@register.simple_tag
def faces() -> list[tuple[Face, str]]:
    """Return everybody with a button, with the name on it."""
    return [(face, face.email.partition("@")[0].replace(".", " ").title()) for face in FACES]


@register.simple_tag(takes_context=True)
def hint(context: RequestContext) -> dict[str, Any]:
    """Return the next thing to try, whether the person wants to hear it, and whether they may leave the page."""
    http = context["request"]
    hidden = bool(http.session.get(HIDDEN))
    found: Hint | None = None if hidden else hint_for(http)
    match = http.resolver_match
    stays = match is not None and match.url_name == SHOWN_ONCE
    return {"hint": found, "hidden": hidden, "stays": stays}
