"""Dossiers: of what is over, made once by a sweep, signed and kept; of anything else on demand, as of now."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from access_requests.actions.rules import each
from access_requests.choices import ReviewState
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest, Dossier
from access_requests.queries import in_full
from access_requests.queries.dossier import gather
from audit import dossiers
from audit.actions import record
from audit.actor import system
from audit.queries import sealed_of_subject

BATCH = 200


class NoKey(Exception):
    """Nothing signs here: LATCHKEY_SIGNING_KEYS names no key."""


def sweep_dossiers(*, at: datetime | None = None) -> int:
    """Make the dossiers of what is over and has none; return how many. What waits for its review waits here too."""
    moment = at or timezone.now()
    if not settings.SIGNING_KEYS:
        return 0
    over = AccessRequest.objects.filter(ended_at__isnull=False, dossier_at__isnull=True)
    over = over.exclude(break_glass=True, review__state=ReviewState.DUE).order_by("ended_at")
    return each(over.values_list("pk", flat=True)[:BATCH], partial(_make, at=moment), sweep="dossiers")


def _make(pk: int, at: datetime) -> bool:
    """Make one. Its entries in the trail are sealed first: the dossier names their links."""
    with transaction.atomic():
        row = AccessRequest.objects.select_for_update(of=("self",)).get(pk=pk)
        if row.dossier_at is not None or row.ended_at is None:
            return False
        if sealed_of_subject("request", str(pk)).filter(seal__isnull=True).exists():
            return False
        file, key = signed(row, at)
        Dossier.objects.create(request=row, made_at=at, key=key, content=file)
        AccessRequest.objects.filter(pk=pk).update(dossier_at=at)
        record("dossier.made", actor=system(), subject=subject_of(row), details={"key": key}, at=at)
    return True


def signed(access: AccessRequest, at: datetime) -> tuple[str, str]:
    """Return the file of a request as it stands now, and the id of the key that signed it. Raises NoKey."""
    keys = dossiers.keys_of(settings.SIGNING_KEYS)
    if not keys:
        raise NoKey
    full = in_full(AccessRequest.objects.filter(pk=access.pk)).get()
    return dossiers.sign(gather(full, at), keys[0]), keys[0].id
