"""Ends that nothing can prove: one admin declares them, another confirms. They show as declared for ever.

Meanwhile the revoke goes on being tried: if it is proven first, the declaration falls away. A confirmed one writes no
proof, and nothing is ordered for that access any more; what is still at the target is drift's to report.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access_requests.actions.grants import desired_state, reorder
from access_requests.actions.rules import NotPossible, NotYours, each, lock_person
from access_requests.choices import CredentialsStatus, DeclarationState, EndedHow, RequestState, UnitState
from access_requests.draining import may_drain
from access_requests.events import moved
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessSession, Declaration
from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import User
from accounts.queries import people_with
from audit.actions import record
from audit.actor import Actor, system
from integrations import actions as integrations

MAY_DECLARE = "requests.decide_declaration"
REASON_MAX = 2000
# A declaration nobody confirmed is not worth much later: the people and the target have moved on.
LAPSES_AFTER = timedelta(days=7)


def propose_end(
    request: AccessRequest, *, user: User, actor: Actor, reason: str, at: datetime | None = None
) -> Declaration:
    """Say that access which is being revoked is over. Nothing changes until another admin confirms it.

    Raises NotYours for who is no admin, NotPossible without a reason, while it is not being revoked, when one waits
    already, or when nobody else could confirm it.
    """
    moment = at or timezone.now()
    _check_admin(user)
    if not reason.strip():
        raise NotPossible("Say how you know that it is over: it stays in the record for ever.")
    if len(reason) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    others = [one for one in people_with(MAY_DECLARE) if one.pk != user.pk]
    if not others:
        raise NotPossible("Nobody else is an admin who could confirm it: make somebody one first.")
    try:
        with transaction.atomic():
            row = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
            if row.state != RequestState.REVOKING:
                raise NotPossible("Only an end that is being worked on can be declared.")
            if may_drain(row):
                raise NotPossible("Its sessions may still go on, so nothing is late. Revoke it to end it now.")
            made = Declaration.objects.create(
                request=row,
                reason=reason.strip(),
                proposed_by=user,
                proposed_at=moment,
                lapses_at=moment + LAPSES_AFTER,
            )
            _record("made", made, actor, moment, reason=made.reason)
            for other in others:
                _tell(made, other, moment)
    except IntegrityError as error:
        raise NotPossible("Somebody has declared it already: it waits for a second admin.") from error
    return made


def confirm_end(declaration: Declaration, *, user: User, actor: Actor, at: datetime | None = None) -> AccessRequest:
    """Say it too: the request is over, declared.

    Raises NotYours for who is no admin, NotPossible for who declared it, when that person is no admin any more, or when
    it does not wait any more.
    """
    moment = at or timezone.now()
    _check_admin(user)
    with transaction.atomic():
        person = lock_person(declaration.request.grantee_id)
        row, stored = _both(declaration)
        if user.pk == stored.proposed_by_id:
            raise NotPossible("You declared it yourself: it takes another admin.")
        if stored.lapses_at <= moment:
            raise NotPossible("It was declared more than seven days ago: declare it anew.")
        if not stored.proposed_by.is_active or not stored.proposed_by.has_perm(MAY_DECLARE):
            raise NotPossible(f"{stored.proposed_by.name} is no admin any more: declare it anew.")
        _settle(stored, DeclarationState.CONFIRMED, moment, by=user)
        _record("confirmed", stored, actor, moment, reason=stored.reason, declared_by=stored.proposed_by.email)
        _close(row, person, stored, actor, moment)
    return row


def refuse_end(
    declaration: Declaration, *, user: User, actor: Actor, note: str = "", at: datetime | None = None
) -> None:
    """Say no: the revoke goes on. Raises NotYours, NotPossible."""
    _check_admin(user)
    with transaction.atomic():
        _, stored = _both(declaration)
        if user.pk == stored.proposed_by_id:
            raise NotPossible("You declared it yourself: take it back instead.")
        _settle(stored, DeclarationState.REFUSED, at or timezone.now(), by=user, note=note)
        _record("refused", stored, actor, stored.decided_at, note=stored.note)


def withdraw_end(declaration: Declaration, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Take one's own word back. Raises NotYours, NotPossible."""
    with transaction.atomic():
        _, stored = _both(declaration)
        if user.pk != stored.proposed_by_id or not user.is_active:
            raise NotYours("Only who declared it takes it back.")
        _settle(stored, DeclarationState.WITHDRAWN, at or timezone.now(), by=user)
        _record("withdrawn", stored, actor, stored.decided_at)


def sweep_declarations(*, at: datetime | None = None) -> int:
    """Let lapse what nobody confirmed in time, and close what was proven meanwhile. Return how many."""
    moment = at or timezone.now()
    waiting = Declaration.objects.filter(state=DeclarationState.WAITING).select_related("request__grantee")
    over = waiting.filter(lapses_at__lte=moment) | waiting.exclude(request__state=RequestState.REVOKING)
    return each(over.order_by("pk")[:1000], partial(_let_go, at=moment), sweep="declarations")


def _let_go(declaration: Declaration, at: datetime) -> bool:
    with transaction.atomic():
        row = AccessRequest.objects.select_for_update(of=("self",)).get(pk=declaration.request_id)
        stored = Declaration.objects.select_for_update(of=("self",)).get(pk=declaration.pk)
        if stored.state != DeclarationState.WAITING:
            return False
        over = row.state != RequestState.REVOKING
        _settle(stored, DeclarationState.OVERTAKEN if over else DeclarationState.LAPSED, at)
        _record("overtaken" if over else "lapsed", stored, system(), at)
    return True


def _check_admin(user: User) -> None:
    if not user.is_active or not user.has_perm(MAY_DECLARE):
        raise NotYours("Only admins declare that access is over.")


def _both(declaration: Declaration) -> tuple[AccessRequest, Declaration]:
    """Lock request and declaration. Raises NotPossible when it does not wait any more."""
    row = AccessRequest.objects.select_for_update(of=("self",)).get(pk=declaration.request_id)
    rows = Declaration.objects.select_for_update(of=("self",)).select_related("proposed_by", "request")
    stored = rows.get(pk=declaration.pk)
    if row.state != RequestState.REVOKING:
        raise NotPossible("Its end was proven meanwhile: there is nothing to declare.")
    if stored.state != DeclarationState.WAITING:
        raise NotPossible(f"This does not wait any more: {DeclarationState(stored.state).label.lower()}.")
    return row, stored


def _settle(
    stored: Declaration, state: DeclarationState, at: datetime, *, by: User | None = None, note: str = ""
) -> None:
    stored.state, stored.decided_by, stored.decided_at, stored.note = state, by, at, note.strip()[:500]
    stored.save(update_fields=["state", "decided_by", "decided_at", "note"])
    moved(stored.request_id)


def _close(row: AccessRequest, person: User, stored: Declaration, actor: Actor, at: datetime) -> None:
    """End what is not proven, by declaration. Groups that were proven keep their proof; nobody gets one now."""
    open_groups = list(row.access_groups.filter(ended_at__isnull=True).select_related("integration"))
    AccessGroup.objects.filter(pk__in=[group.pk for group in open_groups]).update(ended_at=at)
    for group in open_groups:
        group.units.exclude(state=UnitState.FAILED).update(state=UnitState.ENDED)
        AccessSession.objects.filter(group=group).update(
            ended_at=at, sealed_credentials="", credentials_status=CredentialsStatus.NOT_APPLICABLE
        )
    names = sorted(group.integration.name for group in open_groups)
    words = f"Declared by {stored.proposed_by.name} and {stored.decided_by.name if stored.decided_by else ''}"
    move(
        row,
        RequestState.REVOKED,
        actor=actor,
        reason=f"{words}, not proven: {stored.reason}",
        at=at,
        details={"declared": names},
        ended_at=at,
        ended_how=EndedHow.DECLARED,
    )
    for group in open_groups:
        # The order that tried in vain is superseded, by what the person holds there besides if there is anything.
        integrations.supersede(group.integration, person, at=at)
        wanted = desired_state(person, group.integration)
        if wanted["holds"] or wanted["gone"]:
            reorder(person, group.integration, at=at)


def _record(what: str, stored: Declaration, actor: Actor, at: datetime | None, **details: Any) -> None:
    record(f"declaration.{what}", actor=actor, subject=subject_of(stored.request), details=details, at=at)


def _tell(made: Declaration, to: User, at: datetime) -> None:
    write_letter(
        to=to,
        kind=LetterKind.OVERDUE,
        subject=f"{made.proposed_by.name} declares that {made.request} is over: a second admin is asked",
        template="declaration",
        context={
            "who": made.proposed_by.name,
            "access": str(made.request),
            "grantee": made.request.grantee.name,
            "reason": made.reason,
            "lapses_at": made.lapses_at,
            "url": address_of("request_page", made.request_id),
        },
        key=f"declaration:{made.pk}:{to.pk}",
        at=at,
    )
