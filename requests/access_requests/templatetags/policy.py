"""What policy adds to pages: whom it is for, what else was asked for, when it opens, broken glass and its review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils import timezone

from access_requests.choices import REVIEW_ICONS, REVIEW_TONES, RequestState, ReviewState
from access_requests.letters.words import extra_of
from access_requests.models import AccessRequest, Review
from access_requests.queries.reviews import broken_for
from access_requests.templatetags.portal import Badge
from flows.decision.windows import opening_words

register = template.Library()
Context = RequestContext | dict[str, Any]


@register.filter
def same(value: object, other: object) -> bool:
    """Whether two values are written alike: what a form sent, and an id."""
    return str(value) == str(other)


@register.filter
def lower_first(text: str) -> str:
    """Return a text with its first letter small, to go on in a sentence."""
    return text[:1].lower() + text[1:]


@register.filter
def extra_facts(access: AccessRequest) -> list[tuple[str, str]]:
    """Return the ticket and what was written into the flow's own fields, by label."""
    return extra_of(access)


@register.simple_tag(takes_context=True)
def opening(context: Context, access: AccessRequest) -> str:
    """Say when an approved request opens that waits for its flow's window; nothing of any other."""
    if access.state != RequestState.APPROVED or access.opens_at is None:
        return ""
    current = access.flow_version.flow.current
    window = current.document.get("timeframe") if current else None
    return opening_words(window, _now(context)) if window else ""


@register.filter
def is_past(at: datetime, now: object) -> bool:
    """Whether a moment has come, by the page's clock where it has one."""
    return at <= (now if isinstance(now, datetime) else timezone.now())


@register.inclusion_tag("portal/_state.html")
def review_state(review: Review) -> dict[str, Any]:
    """Show what came of a review."""
    one = ReviewState(review.state)
    return {"badge": Badge(str(one.label), REVIEW_TONES[one], REVIEW_ICONS[one])}


@register.simple_tag(takes_context=True)
def broken_glass(context: Context) -> Sequence[Review]:
    """Return the reviews that are owed which concern the reader; no more than a banner can tell."""
    user = context.get("user")
    return broken_for(user) if user is not None and user.is_authenticated else ()


def _now(context: Context) -> datetime:
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()
