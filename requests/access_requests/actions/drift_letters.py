"""The admins are written to of drift: of each integration one letter an hour at most, on what is new and waits.

What is news is a row that says so, marked in the transaction that writes the letters: a process that is killed at any
line loses none and writes none twice.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from access_requests import letters
from access_requests.actions.rules import each
from access_requests.drift import FindingState
from access_requests.letters.drifted import SHOWN
from access_requests.models import DriftFinding, ReconcileRun
from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.queries import admins
from integrations.models import Integration

# Of one integration at most one letter in this time, and no longer is a run waited for that may find more.
EVERY = timedelta(hours=1)


def sweep(*, at: datetime | None = None) -> int:
    """Write of every integration that has news of drift. Return of how many."""
    moment = at or timezone.now()
    news = DriftFinding.objects.filter(state=FindingState.OPEN, told_at__isnull=True).order_by()
    places = news.values_list("integration", flat=True).distinct()
    return each(sorted(places), lambda pk: _tell(pk, moment), sweep="drift letters")


def _tell(integration_id: uuid.UUID, at: datetime) -> bool:
    """Write the letters on what is new in one integration. False within the hour, or while a run may find more."""
    here = DriftFinding.objects.filter(integration=integration_id)
    news = here.filter(state=FindingState.OPEN, told_at__isnull=True).order_by("pk")
    lately = ReconcileRun.objects.filter(integration=integration_id, started_at__gt=at - EVERY)
    if _told_lately(integration_id, at) or lately.filter(finished_at__isnull=True).exists():
        return False
    with transaction.atomic():
        # Of two sweeps the second waits here, and then finds that they were told.
        new = list(news.select_for_update(of=("self",)).values_list("pk", flat=True))
        if not new or _told_lately(integration_id, at):
            return False
        _write(Integration.objects.get(pk=integration_id), new, at)
        here.filter(pk__in=new).update(told_at=at)
    return True


def _told_lately(integration_id: uuid.UUID, at: datetime) -> bool:
    return DriftFinding.objects.filter(integration=integration_id, told_at__gt=at - EVERY).exists()


def _write(integration: Integration, new: list[int], at: datetime) -> None:
    rows = DriftFinding.objects.filter(pk__in=new)
    counts = dict(rows.order_by().values_list("kind").annotate(number=Count("pk")))
    first = list(rows.select_related("person", "unit__group__request").order_by("kind", "pk")[:SHOWN])
    waiting = DriftFinding.objects.filter(integration=integration, state=FindingState.OPEN).count()
    subject, context = letters.drifted(integration, first, counts, waiting)
    for admin in admins():
        write_letter(
            to=admin,
            kind=LetterKind.DRIFT,
            subject=subject,
            template="drift",
            context=context,
            key=f"drift:{integration.pk}:{at:%Y%m%d%H%M%S%f}:{admin.pk}",
            at=at,
        )
