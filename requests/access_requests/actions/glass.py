"""Letters of broken glass: to everybody who is to know at once, of a review that is overdue, and of what it said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from access_requests import letters, queries
from access_requests.actions.rules import each
from access_requests.choices import ReviewState
from access_requests.models import AccessRequest, Review
from access_requests.queries.reviews import MAY, owed
from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.models import User
from accounts.queries import admins, people_with

# A review that is overdue is told of again this often, until it is given.
AGAIN = timedelta(days=1)
BATCH = 500


def readers_of(review: Review) -> dict[User, str]:
    """Return who is to know of broken glass, with why: those named for its review, and who may review anything.

    Never requestor or grantee: they know.
    """
    found = dict.fromkeys([*admins(), *people_with(MAY)], "You may revoke anybody’s access")
    found |= {one.person: one.why for one in review.reviewers.select_related("person")}
    own = {review.request.requestor_id, review.request.grantee_id}
    return {person: why for person, why in found.items() if person.pk not in own and person.is_active}


def tell_of_glass(request_id: Any, *, at: datetime | None = None) -> None:
    """Tell everybody at once that the glass was broken."""
    moment, review, row = at or timezone.now(), *_read(request_id)
    if review is None or row is None:
        return
    for reader, why in readers_of(review).items():
        _write(letters.broken(row, review, why), reader, f"glass:{row.pk}:{reader.pk}", moment)


def tell_of_review(request_id: Any, *, at: datetime | None = None) -> None:
    """Tell requestor and grantee what the review said."""
    moment, review, row = at or timezone.now(), *_read(request_id)
    if review is None or row is None or review.state == ReviewState.DUE:
        return
    for reader in {row.requestor, row.grantee}:
        _write(letters.reviewed(row, review), reader, f"review:{row.pk}:{reader.pk}", moment)


def sweep(*, at: datetime | None = None) -> int:
    """Remind of every review that is overdue, once a day until it is given. Return how many."""
    moment = at or timezone.now()
    late = owed().filter(_untold(moment), due_at__lte=moment)
    return each(late[:BATCH], lambda review: _remind(review, moment), sweep="reviews")


def _untold(at: datetime) -> Q:
    return Q(told_at__isnull=True) | Q(told_at__lte=at - AGAIN)


def _remind(review: Review, at: datetime) -> bool:
    with transaction.atomic():
        # Of two sweeps the second waits here, and then finds nothing.
        if not owed().filter(_untold(at), pk=review.pk).update(told_at=at):
            return False
        _, row = _read(review.request_id)
        if row is None:
            return False
        for reader, why in readers_of(review).items():
            key = f"review-owed:{row.pk}:{at:%Y%m%d%H%M%S%f}:{reader.pk}"
            _write(letters.review_owed(row, review, why, at), reader, key, at)
    return True


def _read(request_id: Any) -> tuple[Review | None, AccessRequest | None]:
    review = Review.objects.select_related("request", "reviewer").filter(request=request_id).first()
    return review, queries.in_full(AccessRequest.objects.filter(pk=request_id)).first()


def _write(said: letters.Said, to: User, key: str, at: datetime) -> None:
    write_letter(
        to=to, kind=LetterKind.GLASS, subject=said.subject, template=said.template, context=said.context, key=key, at=at
    )
