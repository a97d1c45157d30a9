"""Of broken glass: that it happened, that its review is overdue, and what the review said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from access_requests.choices import ReviewState
from access_requests.letters.answering import Said
from access_requests.letters.words import about, who
from access_requests.models import AccessRequest, Review
from access_requests.templatetags.portal import duration, roughly
from accounts.letters import lines


def broken(access: AccessRequest, review: Review, why: str) -> Said:
    """To everybody who is to know at once."""
    words = f"{access.requestor.name} said it is an emergency. The access opened at once: nobody was asked."
    return Said(f"Glass broken: {access.requestor.name}", "glass", _told(access, review, why) | {"words": words})


def review_owed(access: AccessRequest, review: Review, why: str, at: datetime) -> Said:
    """To whoever may give a review that is overdue."""
    late = roughly((at - review.due_at).total_seconds())
    words = f"The review of {access} has been overdue for {late}. Say whether breaking the glass was right."
    return Said(f"Review overdue: {access}", "glass", _told(access, review, why) | {"words": words})


def reviewed(access: AccessRequest, review: Review) -> Said:
    """To requestor and grantee: what the review said."""
    name = review.reviewer.name if review.reviewer else ""
    right = review.state == ReviewState.JUSTIFIED
    words = f"{name} reviewed the broken glass and found it {'justified' if right else 'not justified'}."
    told = about(access)
    context = {"here": told, "url": told["url"], "words": words, "note": lines(review.note)}
    return Said(f"Reviewed: {access}", "reviewed", context)


def _told(access: AccessRequest, review: Review, why: str) -> dict[str, Any]:
    told = about(access)
    return {
        "here": told,
        "url": f"{told['url']}#review",
        "requestor": who(access.requestor),
        "how_long": duration(access.duration_seconds),
        "due_at": review.due_at,
        "why": why,
    }
