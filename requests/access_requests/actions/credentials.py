"""Credentials made for a grantee: handed out once, to that grantee; after that only reset."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.grants import reorder
from access_requests.actions.rules import NotPossible, NotYours, lock_person
from access_requests.choices import CredentialsStatus, RequestState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessSession
from accounts.models import User
from audit.actions import record
from audit.actor import Actor
from integrations.actions import open_credentials
from integrations.choices import OrderVerb
from integrations.queries import open_order

# Of these there is a password at the target, seen or not.
_MADE = (CredentialsStatus.AVAILABLE, CredentialsStatus.VIEWED)


class AlreadySeen(NotPossible):
    """The credentials were handed out before; they can only be reset."""


class NothingToSee(NotPossible):
    """There are no credentials: none were made, or the access is over."""


def _own(session: AccessSession, user: User) -> AccessSession:
    """Return the session as stored. Raises NotYours for all but the active grantee, NothingToSee without access."""
    row = AccessSession.objects.select_related("group__request", "group__integration").get(pk=session.pk)
    # An envelope's credentials leave through its paper alone, whoever is signed in (access_requests.actions.envelopes).
    if row.group.request.grantee_id != user.pk or not user.is_active or row.group.request.in_envelope:
        raise NotYours("This access is not yours.")
    if row.group.request.state != RequestState.ACTIVE:
        raise NothingToSee("This access is not active.")
    return row


def take_credentials(
    session: AccessSession, *, user: User, actor: Actor, surface: str = "portal", at: datetime | None = None
) -> dict[str, str]:
    """Return the secret details, once, and forget them: compare-and-swap, so of two at once one gets them.

    Raises NotYours, NothingToSee, AlreadySeen.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = _own(session, user)
        opened = hand_out(row, surface, moment)
        subject, details = subject_of(row.group.request), {"session": str(row.pk), "surface": surface}
        record("session.credentials_viewed", actor=actor, subject=subject, details=details, at=moment)
    return opened


def hand_out(row: AccessSession, surface: str, at: datetime) -> dict[str, str]:
    """Return the secret details and forget them: compare-and-swap. Whether somebody may is the caller's.

    Raises NothingToSee, AlreadySeen.
    """
    opened = _opened(row)
    taken = AccessSession.objects.filter(
        pk=row.pk, credentials_status=CredentialsStatus.AVAILABLE, sealed_credentials=row.sealed_credentials
    ).update(credentials_status=CredentialsStatus.VIEWED, sealed_credentials="", consumed_at=at, consumed_by=surface)
    if not taken or not opened:
        raise _why_not(AccessSession.objects.get(pk=row.pk))
    return opened


def _opened(row: AccessSession) -> dict[str, str]:
    """Return the credentials, or nothing where there are none. Raises NothingToSee when no key of ours opens them."""
    if not row.sealed_credentials:
        return {}
    try:
        return open_credentials(row.sealed_credentials, str(row.group_id))
    except ValueError as error:
        raise NothingToSee("These credentials cannot be opened any more. Reset them to get new ones.") from error


def _why_not(row: AccessSession) -> NotPossible:
    if row.credentials_status == CredentialsStatus.VIEWED:
        return AlreadySeen("It was shown before, and is shown once. Reset it to get a new one.")
    if row.credentials_status == CredentialsStatus.RESETTING:
        return NothingToSee("New credentials are being made.")
    return NothingToSee("This access has no credentials of its own.")


def reset_credentials(session: AccessSession, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Have new credentials made; what was seen before stops working. Raises NotYours, NothingToSee."""
    moment = at or timezone.now()
    with transaction.atomic():
        person = lock_person(user.pk)
        row = _own(session, user)
        changed = AccessSession.objects.filter(pk=row.pk, credentials_status__in=_MADE).update(
            credentials_status=CredentialsStatus.RESETTING, sealed_credentials=""
        )
        if not changed:
            raise _why_not(row)
        alone = open_order(row.group.integration_id, person.pk) is None
        order = reorder(
            person,
            row.group.integration,
            at=moment,
            verb=OrderVerb.RESET_CREDENTIALS if alone else OrderVerb.APPLY,
        )
        details = {"session": str(row.pk), "order": str(order.pk)}
        subject = subject_of(row.group.request)
        record("session.reset_asked", actor=actor, subject=subject, details=details, at=moment)
        moved(row.group.request_id)
