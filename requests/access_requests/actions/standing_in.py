"""Standing in: whoever is asked and is away has somebody asked as well.

A step of its own, after the rows of approvers are made: it reads who is away (accounts.models.Delegation) and writes
rows with `stands_in_for`. The sweep is the truth; asking and escalating call `ask_stand_ins` to have it sooner.

One hop: a stand-in's own absence asks nobody. Never requestor or grantee, never who is disabled, and nobody twice in a
group. When the absence is over, a stand-in's row that was not answered is deleted, with an entry in the trail: a row
says that somebody is asked, and they are not. What was answered stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from access_requests.actions.rules import each, lock_person
from access_requests.choices import WAITING, ApprovalStatus, ExtensionState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest, Approval, Extension, ExtensionApproval
from accounts.actions import drop_letter
from accounts.letters import zone_of
from accounts.models import Delegation
from accounts.queries import running
from audit.actions import record
from audit.actor import system

BATCH = 1000
_PENDING = ApprovalStatus.PENDING


def ask_stand_ins(request: AccessRequest, *, at: datetime) -> int:
    """Ask the stand-ins of who is asked about a request and away. In the caller's transaction; return how many."""
    rows = _missing(Approval, "request", at).filter(request=request)
    return _ask(request, [(row, Approval(request=request)) for row in rows], at)


def ask_stand_ins_again(extension: Extension, *, at: datetime) -> int:
    """Ask the stand-ins of who is asked about an extension and away, as `ask_stand_ins` does."""
    rows = _missing(ExtensionApproval, "extension", at).filter(extension=extension)
    return _ask(extension.request, [(row, ExtensionApproval(extension=extension)) for row in rows], at)


def current(rows: QuerySet[Any], at: datetime) -> QuerySet[Any]:
    """Leave out unanswered rows of stand-ins whose absence is over; the sweep may not have come to them yet."""
    runs = Delegation.objects.filter(running(at), user=OuterRef("stands_in_for"), delegate=OuterRef("approver"))
    return rows.filter(Q(stands_in_for__isnull=True) | ~Q(status=_PENDING) | Exists(runs))


def withdraw_stand_ins(thing: AccessRequest | Extension, *, at: datetime) -> int:
    """Ask those no more whose absence is over. In the caller's transaction, which has locked the thing."""
    model, name = (Approval, "request") if isinstance(thing, AccessRequest) else (ExtensionApproval, "extension")
    rows = _over(model, at).filter(**{name: thing}).select_related("approver", "stands_in_for")
    request = thing if isinstance(thing, AccessRequest) else thing.request
    return sum(_withdraw(row, request, at) for row in rows)


def sweep_stand_ins(*, at: datetime | None = None) -> int:
    """Ask stand-ins that are not asked yet, and ask those no more whose absence is over; return how many things."""
    moment = at or timezone.now()
    requests = _ids(_over(Approval, moment), "request") | _ids(_missing(Approval, "request", moment), "request")
    more = _ids(_over(ExtensionApproval, moment), "extension")
    more |= _ids(_missing(ExtensionApproval, "extension", moment), "extension")
    done = each(sorted(requests)[:BATCH], lambda pk: _see_to_request(pk, moment), sweep="stand-ins")
    return done + each(sorted(more)[:BATCH], lambda pk: _see_to_extension(pk, moment), sweep="stand-ins")


def _ids(rows: QuerySet[Any], name: str) -> set[int]:
    return set(rows.order_by().values_list(f"{name}_id", flat=True).distinct()[:BATCH])


def _see_to_request(pk: int, at: datetime) -> bool:
    with transaction.atomic():
        # As for an answer, so that of a withdrawal and an answer at once one is first and seen by the other.
        row = AccessRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        if row.state not in WAITING:
            return False
        done = withdraw_stand_ins(row, at=at) + ask_stand_ins(row, at=at)
        if done:
            moved(row.pk)
    return bool(done)


def _see_to_extension(pk: int, at: datetime) -> bool:
    with transaction.atomic():
        grantee = Extension.objects.values_list("request__grantee", flat=True).get(pk=pk)
        lock_person(grantee)
        row = Extension.objects.select_for_update(of=("self",)).select_related("request").get(pk=pk)
        if not row.waits:
            return False
        done = withdraw_stand_ins(row, at=at) + ask_stand_ins_again(row, at=at)
        if done:
            moved(row.request_id)
    return bool(done)


def _open(name: str) -> Q:
    """Return the condition that a question still waits."""
    return Q(request__state__in=WAITING) if name == "request" else Q(extension__state=ExtensionState.PENDING)


def _missing(model: type[Any], name: str, at: datetime) -> QuerySet[Any]:
    """Return rows of people who are asked and away, once for each stand-in who is not asked.

    Each has `delegate` and `away_until`.
    """
    whose = "request__" if name == "request" else "extension__request__"
    away = Delegation.objects.filter(running(at)).values("pk")
    there = model.objects.filter(
        **{name: OuterRef(name), "group_index": OuterRef("group_index"), "approver": OuterRef("delegate")}
    )
    rows: QuerySet[Any] = model.objects.filter(_open(name), status=_PENDING, stands_in_for__isnull=True)
    rows = (
        rows.filter(approver__delegations__in=away)
        .annotate(
            delegate=F("approver__delegations__delegate"),
            away_until=F("approver__delegations__ends_at"),
        )
        .exclude(delegate=F(f"{whose}requestor"))
        .exclude(delegate=F(f"{whose}grantee"))
        .filter(~Exists(there))
        .select_related("approver")
        .order_by("group_index", "pk", "delegate")
    )
    return rows


def _over(model: type[Any], at: datetime) -> QuerySet[Any]:
    """Return unanswered rows of stand-ins whose absence does not run."""
    runs = Delegation.objects.filter(running(at), user=OuterRef("stands_in_for"), delegate=OuterRef("approver"))
    name = "request" if model is Approval else "extension"
    rows: QuerySet[Any] = model.objects.filter(_open(name), ~Exists(runs), status=_PENDING, stands_in_for__isnull=False)
    return rows


def _ask(request: AccessRequest, rows: Iterable[tuple[Any, Any]], at: datetime) -> int:
    """Make the rows; whoever stands in for two of a group is asked once."""
    asked: set[tuple[int, Any]] = set()
    for away, new in rows:
        if (away.group_index, away.delegate) in asked:
            continue
        asked.add((away.group_index, away.delegate))
        new.approver_id, new.stands_in_for = away.delegate, away.approver
        new.group_index, new.tier = away.group_index, away.tier
        until = away.away_until.astimezone(zone_of(away.approver))
        new.why = f"{away.approver.name[:150]} is away until {until.day} {until:%b} and asked you to answer"
        new.save()
        details = {"for": away.approver.email, "stand_in": new.approver.email}
        record("request.stand_in_asked", actor=system(), subject=subject_of(request), details=details, at=at)
    return len(asked)


def _withdraw(row: Any, request: AccessRequest, at: datetime) -> int:
    """Delete a row that nobody answered; a letter that tells of it and has not left is taken back."""
    take_back_letter(row, at)
    deleted: int = type(row).objects.filter(pk=row.pk, status=_PENDING, stands_in_for__isnull=False).delete()[0]
    if deleted:
        details = {"for": row.stands_in_for.email, "stand_in": row.approver.email}
        record("request.stand_in_withdrawn", actor=system(), subject=subject_of(request), details=details, at=at)
    return deleted


def take_back_letter(row: Approval | ExtensionApproval, at: datetime) -> None:
    """Take back a letter that tells of a row about to go, if it has not left; its other rows are told anew."""
    if row.letter is not None and drop_letter(row.letter, at=at):
        for rows in (Approval.objects, ExtensionApproval.objects):
            rows.filter(letter=row.letter, status=_PENDING).update(told_at=None, letter=None)
