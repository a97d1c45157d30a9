"""Letters of requests: to approvers, to those the access is for, to admins. Written here, sent by accounts.

Every letter is found by a sweep or told by news that was written with the move, and has a key of its own, so a process
that is killed at any line loses none and writes none twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from access_requests import letters, queries
from access_requests.actions.extending import room_of
from access_requests.actions.rules import each
from access_requests.choices import ApprovalStatus, ExtensionState, RequestState
from access_requests.models import AccessRequest, Approval, Extension, ExtensionApproval
from access_requests.queries.figures import late_ends
from access_requests.reminding import next_reminder
from accounts.actions import drop_letter, write_letter
from accounts.choices import LetterKind, LetterState
from accounts.models import Letter, User
from accounts.queries import admins

# Requests that come together are one letter: it waits this long for others, and this long after the letter before.
GATHER, PAUSE = timedelta(seconds=5), timedelta(seconds=30)
# An end this late is told to the admins; as long as any is, one letter an hour tells of all of them.
LATE, AGAIN = timedelta(minutes=5), timedelta(hours=1)
# What is told later than this, after a long standstill, is no news any more.
STALE = timedelta(days=1)
BATCH = 1000


def sweep(*, at: datetime | None = None) -> int:
    """Write every letter that is due by the clock; take back those whose question was answered. Return how many."""
    moment = at or timezone.now()
    return take_back(at=moment) + tell_approvers(at=moment) + remind(at=moment) + warn(at=moment)


def tell_approvers(*, at: datetime) -> int:
    """Write to approvers of what waits for them: one letter each, on everything they were not told of."""
    untold, again = _untold()[:BATCH], _untold_again()[:BATCH]
    approvers = dict.fromkeys([*untold.values_list("approver", flat=True), *again.values_list("approver", flat=True)])
    return each(approvers, lambda approver: _tell_approver(approver, at), sweep="letters")


def _untold() -> QuerySet[Approval]:
    """Return the parts of approvers who were not told. What waits for something else first is not for them yet."""
    first = (RequestState.INITIALIZING, RequestState.PENDING_MFA)
    return Approval.objects.filter(told_at__isnull=True).exclude(request__state__in=first).order_by("pk")


def _untold_again() -> QuerySet[ExtensionApproval]:
    return ExtensionApproval.objects.filter(told_at__isnull=True).order_by("pk")


def _tell_approver(approver_id: Any, at: datetime) -> bool:
    """Write one approver's letter. False when nothing waits, or a moment more is waited for what comes with it."""
    with transaction.atomic():
        approver = User.objects.get(pk=approver_id)
        mine = _untold().filter(approver=approver).select_related("request")
        more = _untold_again().filter(approver=approver).select_related("extension")
        # Whoever else sweeps leaves these alone.
        asked = list(mine.select_for_update(of=("self",), skip_locked=True)[:BATCH])
        asked_again = list(more.select_for_update(of=("self",), skip_locked=True)[:BATCH])
        live = [one for one in asked if _waits(one.status, one.request.state, RequestState.PENDING)]
        live_again = [one for one in asked_again if _waits(one.status, one.extension.state, ExtensionState.PENDING)]
        since = [one.asked_at or one.request.requested_at for one in live]
        since += [one.asked_at or one.extension.requested_at for one in live_again]
        if since and _too_soon(approver, min(since), at):
            return False
        letter = None
        if since:
            letter = _ask(approver, [one.request_id for one in live], [one.extension_id for one in live_again], at)
        _mark(Approval.objects.filter(pk__in=[one.pk for one in asked]), live, letter, at)
        _mark(ExtensionApproval.objects.filter(pk__in=[one.pk for one in asked_again]), live_again, letter, at)
    return letter is not None


def _waits(status: str, state: str, pending: str) -> bool:
    return status == ApprovalStatus.PENDING and state == pending


def _mark(rows: QuerySet[Any], live: Sequence[Any], letter: Letter | None, at: datetime) -> None:
    """Note that they were told; what was answered before is told to nobody any more.

    Each row is written once: PostgreSQL checks all keys of a row that is written twice in a transaction, and would wait
    for whoever answers that very request, and they for us.
    """
    told = [one.pk for one in live]
    rows.exclude(pk__in=told).update(told_at=at)
    rows.filter(pk__in=told).update(told_at=at, letter=letter)


def _too_soon(approver: User, oldest: datetime, at: datetime) -> bool:
    if at - oldest < GATHER:
        return True
    before = Letter.objects.filter(to=approver, kind=LetterKind.APPROVAL).exclude(state=LetterState.DROPPED)
    last = before.order_by("-pk").values_list("created_at", flat=True).first()
    return last is not None and at - last < PAUSE


def _ask(approver: User, request_pks: list[int], extension_pks: list[int], at: datetime) -> Letter | None:
    request_pks, extension_pks = sorted(set(request_pks)), sorted(set(extension_pks))
    tasks = [
        *letters.tasks_of_requests(approver, request_pks, at),
        *letters.tasks_of_extensions(approver, extension_pks),
    ]
    subject, context = letters.asking(tasks, len(request_pks) + len(extension_pks))
    both = f"requests {request_pks}, extensions {extension_pks}"
    return write_letter(
        to=approver,
        kind=LetterKind.APPROVAL,
        subject=subject,
        template="approval",
        context=context,
        key=f"approvals:{approver.pk}:{hashlib.sha256(both.encode()).hexdigest()[:32]}",
        at=at,
    )


def take_back(*, at: datetime) -> int:
    """Take back letters to approvers that have not left and whose question was answered; what of them still waits is
    asked anew."""
    queued = Letter.objects.filter(kind=LetterKind.APPROVAL, state=LetterState.QUEUED).order_by("pk")
    return each(queued[:BATCH], lambda letter: _take_back(letter, at), sweep="letters")


def _take_back(letter: Letter, at: datetime) -> bool:
    told, again = Approval.objects.filter(letter=letter), ExtensionApproval.objects.filter(letter=letter)
    pending = {"status": ApprovalStatus.PENDING}
    live = told.filter(**pending, request__state=RequestState.PENDING)
    live_again = again.filter(**pending, extension__state=ExtensionState.PENDING)
    if live.count() + live_again.count() == told.count() + again.count():
        return False
    with transaction.atomic():
        if not drop_letter(letter, at=at):
            return False
        for rows in (live, live_again):
            rows.update(told_at=None, letter=None)
    return True


def tell_people(request_id: Any, state: str, *, at: datetime | None = None) -> None:
    """Tell requestor and grantee that their request came to `state`; nobody when it has moved on, or it is stale."""
    moment = at or timezone.now()
    row = queries.in_full(AccessRequest.objects.filter(pk=request_id, state=state)).first()
    # Nobody asked for what an automatic flow gives and takes, thousands of times on some days.
    if row is None or row.automatic or _is_stale(row.ended_at or row.activated_at, moment):
        return
    kind, make = {
        RequestState.ACTIVE: (LetterKind.OPENED, letters.opened),
        RequestState.REVOKED: (LetterKind.ENDED, letters.ended),
    }.get(RequestState(state), (LetterKind.REFUSED, letters.refused))
    for reader in _both(row):
        _write(make(row, reader), to=reader, kind=kind, key=f"request:{row.pk}:{state}:{reader.pk}", at=moment)


def tell_of_extension(extension_id: Any, *, at: datetime | None = None) -> None:
    """Tell what became of an ask for more time. Where nobody had to be asked, the page said so at once."""
    moment = at or timezone.now()
    extension = Extension.objects.filter(pk=extension_id).first()
    if extension is None or not extension.approvals.exists() or _is_stale(extension.decided_at, moment):
        return
    row = queries.in_full(AccessRequest.objects.filter(pk=extension.request_id)).get()
    told = next(one for one in row.extensions.all() if one.pk == extension.pk)
    told.request = row
    kind = LetterKind.OPENED if told.new_end else LetterKind.REFUSED
    for reader in {told.requested_by, row.grantee}:
        key = f"extension:{told.pk}:{told.state}:{reader.pk}"
        _write(letters.extended(told, reader), to=reader, kind=kind, key=key, at=moment)


def _is_stale(since: datetime | None, at: datetime) -> bool:
    return since is not None and at - since > STALE


def _both(row: AccessRequest) -> list[User]:
    return [row.grantee] if row.grantee_id == row.requestor_id else [row.grantee, row.requestor]


def _write(
    said: letters.Said,
    *,
    to: User,
    kind: LetterKind,
    key: str,
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> None:
    write_letter(
        to=to,
        kind=kind,
        subject=said.subject,
        template=said.template,
        context=said.context,
        key=key,
        expires_at=expires_at,
        at=at,
    )


def remind(*, at: datetime) -> int:
    """Write to grantees whose access ends soon, as soon and as often as fits its length; never twice for one time."""
    due = AccessRequest.objects.filter(state=RequestState.ACTIVE, remind_at__lte=at).order_by("remind_at")
    return each(due.values_list("pk", flat=True)[:BATCH], lambda pk: _remind(pk, at), sweep="letters")


def _remind(pk: int, at: datetime) -> bool:
    rows = AccessRequest.objects.filter(pk=pk, state=RequestState.ACTIVE)
    with transaction.atomic():
        row = queries.in_full(rows.select_for_update(of=("self",))).first()
        if row is None or row.ends_at is None or row.activated_at is None or row.remind_at is None:
            return False
        due, later = row.remind_at, next_reminder(row.activated_at, row.ends_at, at)
        if due > at:
            return False
        # After a standstill one letter tells of the end, not all that were missed.
        rows.update(remind_at=later, reminded_at=at)
        if row.ends_at <= at:
            return False
        said = letters.ending(row, row.grantee, may_extend=_may_extend(row), at=at)
        key = f"request:{row.pk}:ending:{row.ends_at:%Y%m%d%H%M%S%f}:{due:%Y%m%d%H%M%S%f}"
        _write(said, to=row.grantee, kind=LetterKind.ENDING, key=key, at=at, expires_at=row.ends_at)
    return True


def _may_extend(row: AccessRequest) -> bool:
    current, states = row.flow_version.flow.current, [one.state for one in row.extensions.all()]
    if current is None or ExtensionState.PENDING in states:
        return False
    return room_of(current.document, states.count(ExtensionState.APPROVED)).left > 0


def warn(*, at: datetime) -> int:
    """Write to the admins of overdue ends: the first at once, then one letter an hour, each on all there are."""
    late = AccessRequest.objects.filter(state=RequestState.REVOKING, due_at__lte=at - LATE)
    due = late.filter(overdue_since__isnull=False)
    if not due.exists() or _told_lately(at):
        return 0
    with transaction.atomic():
        # Of two sweeps the second waits here, and then finds nothing.
        if not list(due.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            return 0
        if _told_lately(at):
            return 0
        subject, context = letters.overdue(late_ends(), due.count(), at)
        due.update(overdue_told_at=at)
        for admin in admins():
            write_letter(
                to=admin,
                kind=LetterKind.OVERDUE,
                subject=subject,
                template="overdue",
                context=context,
                key=f"overdue:{at:%Y%m%d%H%M%S%f}:{admin.pk}",
                at=at,
            )
    return 1


def _told_lately(at: datetime) -> bool:
    """Whether a letter went out within the hour, on these ends or on others that are over since."""
    return AccessRequest.objects.filter(overdue_told_at__gt=at - AGAIN).exists()
