"""The big red buttons: revoke everything of a person, an integration, a flow, or everywhere; freeze; thaw.

Each end goes through the single verbs, so each has its own proof and its own entries in the trail. What was begun goes
on by a sweep until nothing is open in its scope and everything it took is over.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access_requests.actions import endings
from access_requests.actions.rules import NotPossible, each
from access_requests.choices import EndReason, RequestState, RevocationCause, RevocationKind
from access_requests.events import moved, ring_dispatch
from access_requests.models import AccessRequest, Freeze, Revocation
from access_requests.queries.emergencies import BEFORE, in_scope, progress_of, words_of
from access_requests.queries.leaving import would_give
from accounts.actions import require
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor, system
from audit.choices import ActorKind, Source
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations.models import Integration

REVOKE, EVERYWHERE = "requests.revoke_accessrequest", "requests.revoke_everywhere"
REASON_MAX = 2000
# So many requests are taken in one step; a sweep comes every two seconds.
STEP = 500
_S = RequestState


def revoke_all(
    kind: RevocationKind,
    subject: User | Integration | AccessFlow | None,
    *,
    actor: Actor,
    reason: str,
    cause: RevocationCause = RevocationCause.ASKED,
    automatic_off: bool = False,
    at: datetime | None = None,
) -> Revocation:
    """Begin to end everything of `subject` (nothing for everywhere); one that runs already is returned instead.

    `automatic_off` also switches off the automatic flows that would give it again, in the same transaction.
    Raises NotPossible without a reason, NotAllowed.
    """
    require(actor, EVERYWHERE if kind == RevocationKind.EVERYWHERE else REVOKE)
    moment = at or timezone.now()
    if not reason.strip():
        raise NotPossible("Say why: everybody whose access ends will read it.")
    if len(reason) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    row = _drafted(kind, subject, actor=actor, reason=reason.strip(), cause=cause, at=moment)
    try:
        with transaction.atomic():
            row.save()
            off = _switch_off(row, actor, moment) if automatic_off else {}
            record("revocation.begun", actor=actor, subject=_subject(row), details=_told(row) | off, at=moment)
    except IntegrityError as error:
        same = {} if subject is None else {kind.value: subject}
        running = Revocation.objects.filter(kind=kind, finished_at__isnull=True, **same).first()
        if running is None:
            raise NotPossible("The one before has finished at this moment: look again.") from error
        if automatic_off:
            with transaction.atomic():
                off = _switch_off(running, actor, moment)
                record("revocation.switched_off", actor=actor, subject=_subject(running), details=off, at=moment)
        return running
    ring_dispatch()
    return row


def _drafted(
    kind: RevocationKind,
    subject: User | Integration | AccessFlow | None,
    *,
    actor: Actor,
    reason: str,
    cause: RevocationCause,
    at: datetime,
) -> Revocation:
    return Revocation(
        kind=kind,
        cause=cause,
        reason=reason,
        began_at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        source=actor.source,
        operation=actor.operation,
        **({} if subject is None else {kind.value: subject}),
    )


def _switch_off(row: Revocation, actor: Actor, at: datetime) -> dict[str, Any]:
    """Switch off the automatic flows that would give again in its scope; each says so in its own entry as well."""
    flows = would_give(row)
    for flow in flows:
        flow_actions.set_active(flow, False, actor=actor, at=at)
    return {"switched_off": [{"flow": str(flow.pk), "name": flow.name} for flow in flows]}


def sweep_revocations(*, at: datetime | None = None) -> int:
    """Go on with every revocation that is not finished. Return how many requests were taken, and finishes."""
    moment = at or timezone.now()
    running = Revocation.objects.filter(finished_at__isnull=True).select_related("person", "integration", "flow")
    return sum(go_on(one, at=moment) for one in running.order_by("began_at"))


def go_on(revocation: Revocation, *, at: datetime) -> int:
    """Take the next requests of a revocation, each by itself; finish it when everything it took is over."""
    scope = in_scope(revocation).exclude(state=_S.REVOKING, revocation__isnull=False).order_by("pk").distinct()
    done = each(list(scope[:STEP]), partial(_take, revocation=revocation, at=at), sweep="revocations")
    if not done:
        # All of these failed: whatever comes after them does not wait for them.
        done = each(list(scope[STEP : 2 * STEP]), partial(_take, revocation=revocation, at=at), sweep="revocations")
    return done + _finish(revocation, at)


def _take(row: AccessRequest, revocation: Revocation, at: datetime) -> bool:
    """End one request, or let it lapse, and note what took it. What ends already is followed as well."""
    actor = _actor(revocation)
    off = revocation.cause == RevocationCause.OFF_BOARDING
    why = EndReason.OFF_BOARDED if off else EndReason.REVOKED_ALL
    with transaction.atomic():
        if row.state in BEFORE:
            done = endings.lapse(row, why, note=revocation.reason, actor=actor, at=at)
        else:
            # Due since the button was pressed: what is taken later is late by as much.
            since = max(revocation.began_at, row.activated_at or row.requested_at)
            done = endings.end(row, why, actor=actor, note=revocation.reason, due_at=since, at=at)
        marked = AccessRequest.objects.filter(pk=row.pk, revocation__isnull=True).exclude(state__in=BEFORE)
        done = bool(marked.update(revocation=revocation)) or done
    return done


def _finish(revocation: Revocation, at: datetime) -> bool:
    told = progress_of(revocation)
    if told.left or told.ending:
        return False
    with transaction.atomic():
        if not Revocation.objects.filter(pk=revocation.pk, finished_at__isnull=True).update(finished_at=at):
            return False
        counts = {"proven": told.proven, "declared": told.declared, "never_opened": told.lapsed}
        record("revocation.finished", actor=system(), subject=_subject(revocation), details=counts, at=at)
    return True


def off_board(person: User, *, at: datetime | None = None) -> Revocation | None:
    """End everything of somebody who was disabled; None when that is under way or done, or they are active again."""
    since = person.disabled_at
    if person.is_active or since is None:
        return None
    theirs = Revocation.objects.filter(person=person)
    if theirs.filter(cause=RevocationCause.OFF_BOARDING, began_at__gte=since).exists():
        return None
    if theirs.filter(finished_at__isnull=True).exists():
        return None
    return revoke_all(
        RevocationKind.PERSON,
        person,
        actor=system(),
        reason="The account was disabled.",
        cause=RevocationCause.OFF_BOARDING,
        at=at,
    )


def freeze(
    integration: Integration | None,
    *,
    actor: Actor,
    reason: str,
    break_glass: bool = False,
    at: datetime | None = None,
) -> Freeze:
    """Let no new access open, everywhere or in one integration. What is still being opened is stopped; ends go on.

    Raises NotPossible without a reason, or when it is frozen already, and NotAllowed.
    """
    require(actor, EVERYWHERE)
    moment = at or timezone.now()
    if not reason.strip():
        raise NotPossible("Say why: everybody who waits will read it.")
    if len(reason) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    try:
        with transaction.atomic():
            made = Freeze.objects.create(
                integration=integration,
                reason=reason.strip(),
                break_glass=break_glass,
                began_at=moment,
                began_by=actor.name,
            )
            details = {"reason": made.reason, "break_glass": break_glass}
            record("freeze.begun", actor=actor, subject=_place(made), details=details, at=moment)
    except IntegrityError as error:
        raise NotPossible("It is frozen already.") from error
    ring_dispatch()
    return made


def thaw(frozen: Freeze, *, actor: Actor, reason: str, at: datetime | None = None) -> None:
    """Let access open again: what waited is looked at anew. Raises NotPossible without a reason, or when it is over."""
    require(actor, EVERYWHERE)
    moment = at or timezone.now()
    if not reason.strip():
        raise NotPossible("Say why it may go on.")
    with transaction.atomic():
        rows = Freeze.objects.filter(pk=frozen.pk, thawed_at__isnull=True)
        if not rows.update(thawed_at=moment, thawed_by=actor.name, thawed_why=reason.strip()[:REASON_MAX]):
            raise NotPossible("It is not frozen any more.")
        record("freeze.thawed", actor=actor, subject=_place(frozen), details={"reason": reason.strip()}, at=moment)
        # They were to be looked at again a minute later; somebody waits for them.
        AccessRequest.objects.filter(state=_S.APPROVED, opens_at__isnull=False).update(opens_at=None)
    ring_dispatch()


def stop_opening(*, at: datetime | None = None) -> int:
    """End what is still being opened where it is frozen: an order that waits for its target must not open it then."""
    moment = at or timezone.now()
    live = Freeze.objects.filter(thawed_at__isnull=True).select_related("integration")
    return sum(each(_opening(one), partial(_stop, frozen=one, at=moment), sweep="freezes") for one in live)


def _opening(frozen: Freeze) -> list[AccessRequest]:
    rows = AccessRequest.objects.filter(state=_S.GRANTING, requested_at__lte=timezone.now())
    if frozen.break_glass:
        rows = rows.filter(break_glass=False)
    if frozen.integration_id:
        rows = rows.filter(access_groups__integration=frozen.integration_id)
    return list(rows.distinct().order_by("pk")[:STEP])


def _stop(row: AccessRequest, frozen: Freeze, at: datetime) -> bool:
    if endings.end(row, EndReason.FROZEN, actor=system(), note=words_of(frozen), at=at):
        moved(row.pk)
        return True
    return False


def _actor(revocation: Revocation) -> Actor:
    """Return who began it, so that each end says so."""
    return Actor(
        kind=ActorKind(revocation.actor_kind),
        id=revocation.actor_id,
        name=revocation.actor_name,
        source=Source(revocation.source),
        operation=revocation.operation,
    )


def _subject(row: Revocation) -> Subject:
    return Subject("revocation", str(row.pk), str(row))


def _told(row: Revocation) -> dict[str, Any]:
    about = {name: str(getattr(row, f"{name}_id")) for name in ("person", "integration", "flow")}
    told = {name: value for name, value in about.items() if value != "None"}
    return {"kind": row.kind, "cause": row.cause, "reason": row.reason, **told}


def _place(row: Freeze) -> Subject:
    return Subject("freeze", str(row.pk), str(row))
