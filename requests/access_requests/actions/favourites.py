"""Favourites: requests a person wants to find again, to ask for the same."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.rules import NotPossible, NotYours, lock_person
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest, Favourite
from accounts.models import User
from audit.actions import record
from audit.actor import Actor

# They are shown without pages.
FAVOURITES_MAX = 30


def keep_favourite(request: AccessRequest, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Keep a request of one's own as a favourite; keeping it again changes nothing.

    Raises NotYours for others than requestor and grantee, NotPossible when there are too many.
    """
    if user.pk not in {request.requestor_id, request.grantee_id} or not user.is_active:
        raise NotYours("This request is not yours.")
    moment = at or timezone.now()
    with transaction.atomic():
        # The person's row orders two writers, so that the limit holds.
        mine = Favourite.objects.filter(user=lock_person(user.pk))
        if mine.filter(request=request).exists():
            return
        if mine.count() >= FAVOURITES_MAX:
            raise NotPossible(f"You keep {FAVOURITES_MAX} favourites already. Drop one first.")
        Favourite.objects.create(user=user, request=request, kept_at=moment)
        record("request.favourite_kept", actor=actor, subject=subject_of(request), at=moment)


def drop_favourite(request: AccessRequest, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Keep a request as a favourite no more; what is none stays none."""
    moment = at or timezone.now()
    with transaction.atomic():
        if Favourite.objects.filter(user=user, request=request).delete()[0]:
            record("request.favourite_dropped", actor=actor, subject=subject_of(request), at=moment)
