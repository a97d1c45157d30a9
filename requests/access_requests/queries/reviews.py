"""Named reads of reviews: which are owed, by whom, and who may give them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from access_requests.choices import ReviewState
from access_requests.models import Review, Reviewer
from accounts.models import User

# Who may review anything, beside those who were named.
MAY = "requests.revoke_accessrequest"


def owed() -> QuerySet[Review]:
    """Return the reviews that are owed, what is due first comes first."""
    return Review.objects.filter(state=ReviewState.DUE).order_by("due_at", "pk")


def reviews_for(user: User) -> QuerySet[Review]:
    """Return the reviews that are owed and that `user` may give; never of what they asked for or got themselves."""
    if not user.is_active:
        return Review.objects.none()
    rows = owed().exclude(Q(request__requestor=user) | Q(request__grantee=user))
    if user.has_perm(MAY):
        return rows
    return rows.filter(Exists(Reviewer.objects.filter(review=OuterRef("pk"), person=user)))


def broken_for(user: User, limit: int = 4) -> list[Review]:
    """Return what the banner tells `user`: owed reviews that they may give, and those of their own. One query."""
    rows = owed().select_related("request__requestor", "request__grantee")
    if not user.has_perm(MAY):
        named = Exists(Reviewer.objects.filter(review=OuterRef("pk"), person=user))
        rows = rows.filter(Q(request__requestor=user) | Q(request__grantee=user) | named)
    return list(rows[:limit])


def may_review(user: User, review: Review) -> bool:
    """Whether `user` may give a review, owed or not; its request was read with it."""
    if not user.is_active or user.pk in {review.request.requestor_id, review.request.grantee_id}:
        return False
    return user.has_perm(MAY) or Reviewer.objects.filter(review=review, person=user).exists()


def late_of(people: Iterable[Any], at: datetime) -> Review | None:
    """Return a review that is overdue of what one of these people asked for, or got, with broken glass."""
    ids = list(people)
    mine = Q(request__requestor__in=ids) | Q(request__grantee__in=ids)
    return owed().filter(mine, due_at__lte=at).select_related("request").first()
