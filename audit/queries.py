"""Named reads of the trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit import chain
from audit.models import AuditEntry, AuditSeal, UnsealedEntry


@dataclass(frozen=True, slots=True)
class Filters:
    """What to select; an empty field does not restrict. `actor` is an id or an e-mail address; `until` is excluded."""

    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    actor: str = ""
    subject_type: str = ""
    subject_id: str = ""
    source: str = ""


def entries(user: Any, *, filters: Filters | None = None) -> QuerySet[AuditEntry]:
    """Return the entries `user` may read, newest first: all of them with audit.view_auditentry, otherwise none.

    What happened to one's own request is told by the request's page, from the request's own record.
    """
    if not user.has_perm("audit.view_auditentry"):
        return AuditEntry.objects.none()
    return matching(filters or Filters())


def matching(filters: Filters, among: QuerySet[AuditEntry] | None = None) -> QuerySet[AuditEntry]:
    """Return the entries that the filters select, newest first, for whoever is already known to be allowed."""
    found = AuditEntry.objects.all() if among is None else among
    if filters.since:
        found = found.filter(at__gte=filters.since)
    if filters.until:
        found = found.filter(at__lt=filters.until)
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.actor:
        found = found.filter(Q(actor_id=filters.actor) | Q(actor_email=filters.actor.lower()))
    if filters.subject_type:
        found = found.filter(subject_type=filters.subject_type)
    if filters.subject_id:
        found = found.filter(subject_id=filters.subject_id)
    if filters.source:
        found = found.filter(source=filters.source)
    return found


def of_subject(subject_type: str, subject_id: str) -> QuerySet[AuditEntry]:
    """Return the entries about one subject, oldest first. The caller has checked who may read about it."""
    return AuditEntry.objects.filter(subject_type=subject_type, subject_id=subject_id).order_by("id")


def sealed_of_subject(subject_type: str, subject_id: str) -> QuerySet[AuditEntry]:
    """Return what `of_subject` does, each with its link of the chain (`seal`), where it is sealed. One query."""
    return of_subject(subject_type, subject_id).select_related("seal")


def unsealed_count() -> int:
    """Return how many entries still wait for the sealer."""
    return UnsealedEntry.objects.count()


def head() -> tuple[int, str]:
    """Return sequence and digest of the last link; (0, 64 zeros) before the first."""
    last = AuditSeal.objects.order_by("-sequence").first()
    return (last.sequence, last.digest) if last else (0, chain.NO_DIGEST)


def last_sealed_at() -> datetime | None:
    """Return when the sealer last made a link; None before the first."""
    return AuditSeal.objects.order_by("-sequence").values_list("sealed_at", flat=True).first()
