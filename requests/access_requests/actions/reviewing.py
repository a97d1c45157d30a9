"""Reviews: what is owed when the glass was broken. Access opened at once; somebody looks at it afterwards and says so.

A review is written with its request, so there is no way to the one without the other. It stays owed until it is given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.rules import NotPossible, NotYours
from access_requests.actions.tiers import Groups
from access_requests.choices import GLASS_BROKEN, REVIEWED, ReviewState
from access_requests.events import moved, tell
from access_requests.lifecycle import REVIEW_WITHIN, subject_of
from access_requests.models import AccessRequest, Review, Reviewer
from access_requests.queries.reviews import may_review
from accounts.models import User
from audit.actions import record
from audit.actor import Actor

NOTE_MAX = 2000


def owe_review(request: AccessRequest, asked: Groups, *, actor: Actor, at: datetime) -> Review:
    """Write down that a request owes a review, and who was named for it. In the transaction that makes the request."""
    review = Review.objects.create(request=request, created_at=at, due_at=at + REVIEW_WITHIN)
    whys = {person.id: why for group in asked.values() for person, why in group}
    Reviewer.objects.bulk_create(Reviewer(review=review, person_id=person, why=why) for person, why in whys.items())
    told = sorted({person.email for group in asked.values() for person, _ in group})
    details = {"justification": request.justification, "reviewers": told}
    record("request.glass_broken", actor=actor, subject=subject_of(request), details=details, at=at)
    tell(GLASS_BROKEN, request.pk, request.state)
    return review


def review(
    request: AccessRequest, *, user: User, actor: Actor, justified: bool, note: str, at: datetime | None = None
) -> Review:
    """Say whether breaking the glass was right. Raises NotYours for who may not, NotPossible without a note, or again.

    Whoever asked, and whoever got the access, never reviews it.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = Review.objects.select_for_update(of=("self",)).select_related("request").filter(request=request).first()
        if row is None or not may_review(user, row):
            raise NotYours("You may not review this.")
        if row.state != ReviewState.DUE:
            raise NotPossible("Somebody has reviewed this already.")
        if not note.strip():
            raise NotPossible("Say what you found: the person will read it, and it stays in the record.")
        if len(note) > NOTE_MAX:
            raise NotPossible(f"A note has at most {NOTE_MAX} characters.")
        row.state = ReviewState.JUSTIFIED if justified else ReviewState.NOT_JUSTIFIED
        row.reviewer, row.decided_at, row.note = user, moment, note.strip()
        row.save(update_fields=["state", "reviewer", "decided_at", "note"])
        details: dict[str, Any] = {"justified": justified, "note": row.note}
        record("request.reviewed", actor=actor, subject=subject_of(row.request), details=details, at=moment)
        tell(REVIEWED, row.request_id, row.state)
        moved(row.request_id)
    return row
