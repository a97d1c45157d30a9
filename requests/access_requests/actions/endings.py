"""Ends: withdrawn, handed back, revoked, run out. Every one of them leads to the same proof."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from access_requests.actions.draining import cut_short
from access_requests.actions.eligibility import outlasts, why_none_eligible, why_not_eligible
from access_requests.actions.extending import lapse_extensions
from access_requests.actions.grants import reorder
from access_requests.actions.rules import NotPossible, NotYours, each, lock_person
from access_requests.choices import (
    OPEN,
    ApprovalStatus,
    CredentialsStatus,
    EndReason,
    RequestState,
    UnitState,
)
from access_requests.draining import DRAINING, drains_until
from access_requests.lifecycle import MOVES, move
from access_requests.models import AccessRequest, AccessSession, AccessUnit, Review
from access_requests.queries.reviews import may_review
from accounts.models import User
from audit.actor import Actor, system
from flows.decision.covering import chooses
from flows.models import AccessFlow

log = logging.getLogger(__name__)
_S = RequestState
# Before access; withdrawn or lapsed rather than revoked.
_BEFORE = (_S.INITIALIZING, _S.PENDING_MFA, _S.PENDING, _S.APPROVED)


def cancel(request: AccessRequest, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Withdraw a request before access. Raises NotYours for others than the two, NotPossible when too late."""
    if user.pk not in {request.requestor_id, request.grantee_id} or not user.is_active:
        raise NotYours("This request is not yours.")
    row = AccessRequest.objects.get(pk=request.pk)
    moment = at or timezone.now()
    _refuse_automatic(row)
    ended: dict[str, Any] = {"ended_at": moment, "end_reason": EndReason.WITHDRAWN}
    if row.state not in _BEFORE or not move(row, _S.CANCELLED, actor=actor, at=moment, **ended):
        raise NotPossible("Only a request that has not been granted can be withdrawn; hand the access back instead.")


def hand_back(request: AccessRequest, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Give access back early: "I'm done". Raises NotYours for all but the grantee, NotPossible without access."""
    if user.pk != request.grantee_id or not user.is_active:
        raise NotYours("This access is not yours.")
    _refuse_automatic(request)
    if not end(request, EndReason.HANDED_BACK, actor=actor, at=at):
        raise NotPossible("There is no access to hand back.")


def revoke(request: AccessRequest, *, user: User, actor: Actor, reason: str, at: datetime | None = None) -> None:
    """Take access away: an admin, an approver who said yes to it, or a reviewer of broken glass.

    Raises NotYours for others, NotPossible without a reason or without access.
    """
    may = user.has_perm("requests.revoke_accessrequest")
    approved = request.approvals.filter(approver=user, status=ApprovalStatus.APPROVED).exists() and user.is_active
    if not may and not approved and not (request.break_glass and _may_review(request, user)):
        raise NotYours("You may not revoke this.")
    if not reason.strip():
        raise NotPossible("Say why: the person will read it.")
    _refuse_automatic(request)
    why = EndReason.REVOKED_BY_ADMIN if may else EndReason.REVOKED_BY_APPROVER
    if not end(request, why, actor=actor, note=reason.strip(), at=at):
        raise NotPossible("There is no access to revoke.")


def _refuse_automatic(request: AccessRequest) -> None:
    """Raise NotPossible for what an automatic flow gave: it would give it again."""
    if request.automatic:
        raise NotPossible(
            f"The access flow {request.flow_name} gives this by itself, and would give it again. Switch the flow off,"
            " or see to it that the flow does not name the person: take them out of the group. In an emergency disable"
            " the person."
        )


def _may_review(request: AccessRequest, user: User) -> bool:
    review = Review.objects.select_related("request").filter(request=request).first()
    return review is not None and may_review(user, review)


def end(
    request: AccessRequest,
    reason: EndReason,
    *,
    actor: Actor,
    note: str = "",
    due_at: datetime | None = None,
    at: datetime | None = None,
) -> bool:
    """Begin the end of access that is open or opening: due from `due_at` (default now). False when there is none.

    What ends by its time may drain first; for any other reason it ends at once, also what drains already.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        person = lock_person(request.grantee_id)
        row = AccessRequest.objects.select_for_update().get(pk=request.pk)
        if row.state not in {_S.GRANTING, _S.ACTIVE}:
            return cut_short(row, person, reason, actor=actor, note=note, since=due_at or moment, at=moment)
        if reason == EndReason.TIME and (row.ends_at is None or row.ends_at > moment):
            return False  # extended since it was found to be due
        told: dict[str, Any] = {"due_at": due_at or moment, "end_reason": reason, "note": note}
        until = drains_until(row, reason, moment)
        told |= {"drains_until": until, "drain_look_at": until}
        details = {"drains_until": until.isoformat()} if until else {}
        move(row, _S.REVOKING, actor=actor, reason=note or EndReason(reason).label, at=moment, details=details, **told)
        lapse_extensions(row, at=moment)
        AccessUnit.objects.filter(group__request=row, state__in=[UnitState.GRANTING, UnitState.ACTIVE]).update(
            state=UnitState.REVOKING
        )
        AccessSession.objects.filter(group__request=row).exclude(
            credentials_status=CredentialsStatus.NOT_APPLICABLE
        ).update(credentials_status=CredentialsStatus.NOT_APPLICABLE, sealed_credentials="")
        for group in row.access_groups.filter(dispatched_at__isnull=False).select_related("integration"):
            reorder(person, group.integration, at=moment)
    return True


def lapse(request: AccessRequest, reason: EndReason, *, note: str, actor: Actor, at: datetime | None = None) -> bool:
    """Let a request that never came to access lapse. False when it moved on meanwhile."""
    row, moment = AccessRequest.objects.get(pk=request.pk), at or timezone.now()
    if _S.LAPSED not in MOVES[_S(row.state)]:
        return False
    told: dict[str, Any] = {"ended_at": moment, "end_reason": reason, "note": note}
    return move(row, _S.LAPSED, actor=actor, reason=note, at=moment, **told)


def recheck_person(person_id: Any, *, at: datetime | None = None) -> int:
    """Ask again whether each open request of a person is still deserved; end or lapse those that are not.

    What automatic flows gave is looked at apart: access_requests.actions.automatic.
    """
    asked = AccessRequest.objects.filter(automatic=False, state__in=OPEN)
    rows = asked.filter(grantee=person_id) | asked.filter(requestor=person_id)
    return _ask_all_again(rows.distinct(), at)


def recheck_flow(flow_id: Any, *, at: datetime | None = None) -> int:
    """Ask again for each open request of a flow that was changed or switched off; what it gave by itself, apart.

    What waits for the flow's window is looked at anew: the window may have changed.
    """
    rows = AccessRequest.objects.filter(flow_version__flow=flow_id, automatic=False, state__in=OPEN)
    rows.filter(state=_S.APPROVED, opens_at__isnull=False).update(opens_at=None)
    return _ask_all_again(rows, at)


def _ask_all_again(rows: QuerySet[AccessRequest], at: datetime | None) -> int:
    """Ask again about each by itself. All are marked first: what fails, or a kill leaves, the sweep finds."""
    moment = at or timezone.now()
    AccessRequest.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(recheck_at=moment)
    marked = rows.select_related("flow_version__flow")
    return each(marked, partial(recheck_marked, at=moment), sweep="eligibility")


def recheck_integration(integration_id: Any, *, at: datetime | None = None) -> int:
    """Mark the open requests in an integration whose flow chooses by what the inventory says: they are asked again.

    One statement, however many; the sweep asks. Return how many there are.
    """
    # What flows give by themselves is looked at by their runs, which give what stays before they take what goes.
    here = AccessRequest.objects.filter(access_groups__integration=integration_id, automatic=False, state__in=OPEN)
    ids = set(here.order_by().values_list("flow_version__flow", flat=True))
    flows = AccessFlow.objects.filter(pk__in=ids, current__isnull=False).select_related("current")
    choosing = [flow.pk for flow in flows if flow.current and chooses(flow.current.document)]
    marked = AccessRequest.objects.filter(pk__in=here.order_by().values("pk"), flow_version__flow__in=choosing)
    return marked.update(recheck_at=at or timezone.now())


def recheck_everything(*, at: datetime | None = None) -> int:
    """Mark everything that is open: the sweep asks again, a slice at a time. Return how much there is."""
    rows = AccessRequest.objects.filter(automatic=False, state__in=OPEN).exclude(~DRAINING, state=_S.REVOKING)
    return rows.filter(recheck_at__isnull=True).update(recheck_at=at or timezone.now())


def recheck_slice(rows: Sequence[AccessRequest], *, at: datetime) -> int:
    """Ask again about marked requests, all together; return how many ended or lapsed. Each has its flow with it.

    Nearly all are still deserved: their marks are taken away at once. The rest is asked about one by one, with locks.
    """
    try:
        doubted = why_none_eligible([row for row in rows if not row.in_envelope], also_grantable=False)
    except Exception:  # one of them cannot be asked about: it must not hold up the others
        log.exception("eligibility: %s together cannot be asked about", len(rows))
        doubted = {row.pk: "" for row in rows}
    kept: dict[datetime | None, list[int]] = defaultdict(list)
    for row in rows:
        if row.pk not in doubted:
            kept[row.recheck_at].append(row.pk)
    for marked_at, keys in kept.items():
        # What was marked anew meanwhile is asked about again.
        AccessRequest.objects.filter(pk__in=keys, recheck_at=marked_at).update(recheck_at=None)
    rest = [row for row in rows if row.pk in doubted]
    return each(rest, partial(recheck_marked, at=at), sweep="eligibility")


def recheck_marked(row: AccessRequest, *, at: datetime) -> bool:
    """Ask again about a request that was marked, and take the mark away, unless it was marked anew meanwhile."""
    ended = _ask_again(row, at)
    AccessRequest.objects.filter(pk=row.pk, recheck_at=row.recheck_at).update(recheck_at=None)
    return ended


def _ask_again(request: AccessRequest, at: datetime | None) -> bool:
    """End or lapse one request when it is not deserved any more. An envelope is nobody's, and never asked about."""
    if request.in_envelope:
        return False
    why = why_not_eligible(request, also_grantable=False)
    if not why:
        return False
    if request.state not in _BEFORE and outlasts(request):
        return False
    reason = EndReason.NOT_ELIGIBLE if request.flow_version.flow.active else EndReason.FLOW_DISABLED
    if request.state in _BEFORE:
        return lapse(request, reason, note=why, actor=system(), at=at)
    return end(request, reason, actor=system(), note=why, at=at)
