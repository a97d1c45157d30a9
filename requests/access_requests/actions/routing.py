"""Who is asked, asked again: approvers come and go while a request waits.

Whoever answers for something does so as they are now. Somebody who does not match any more is not asked any more, and
cannot answer; who matches since is asked. A yes that was said by somebody who was entitled to it stands, unless they
were disabled since: then it is asked for anew. Where the flow wants other people's yes by now, all are asked afresh.
Where nobody is left who could say yes, the next step is asked, and where there is none the request lapses and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.questions import ask_group
from access_requests.actions.rules import each, enough
from access_requests.actions.standing_in import take_back_letter
from access_requests.actions.tiers import (
    Groups,
    ask_next,
    asked_first,
    could_settle,
    escalates_at,
    later_tiers,
    make_approvals,
    owner_of,
)
from access_requests.choices import WAITING, ApprovalStatus, EndReason, ExtensionState, RequestState
from access_requests.events import moved
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessRequest, Approval, Extension, ExtensionApproval
from accounts.queries import PersonFacts, facts_of
from audit.actions import record
from audit.actor import system
from flows import queries as flow_queries
from flows.choices import ApprovalMode
from flows.models import AccessFlow

BATCH = 1000
NOBODY_LEFT = "Nobody is left who could approve it."
_PENDING, _YES = ApprovalStatus.PENDING, ApprovalStatus.APPROVED


def sweep_routes(*, at: datetime | None = None) -> int:
    """Ask again whom everything that waits is for. Return how much changed."""
    moment = at or timezone.now()
    rows = AccessRequest.objects.filter(state__in=WAITING, break_glass=False, automatic=False, in_envelope=False)
    rows = rows.order_by("pk")
    done = each(rows[:BATCH], partial(route, at=moment), sweep="routes")
    waiting = Extension.objects.filter(state=ExtensionState.PENDING).order_by("pk")
    return done + each(waiting[:BATCH], partial(route_extension, at=moment), sweep="routes")


def route_about(people: Iterable[Any], *, at: datetime | None = None) -> int:
    """Ask again, at once, about what waits for one of these people, or is theirs."""
    moment, ids = at or timezone.now(), list(people)
    waits = {"state__in": WAITING, "break_glass": False, "automatic": False, "in_envelope": False}
    rows = AccessRequest.objects.filter(approvals__approver__in=ids, **waits)
    rows |= AccessRequest.objects.filter(requestor__in=ids, **waits) | AccessRequest.objects.filter(
        grantee__in=ids, **waits
    )
    more = Extension.objects.filter(approvals__approver__in=ids, state=ExtensionState.PENDING)
    done = each(rows.distinct().order_by("pk")[:BATCH], partial(route, at=moment), sweep="routes")
    return done + each(more.distinct().order_by("pk")[:BATCH], partial(route_extension, at=moment), sweep="routes")


def route(request: AccessRequest, *, at: datetime) -> bool:
    """Ask whom the flow names now about a request that waits. True when somebody else is asked, or it lapsed."""
    with transaction.atomic():
        locked = AccessRequest.objects.select_for_update(of=("self",), no_key=True)
        row = locked.select_related("flow_version").get(pk=request.pk)
        ordinary = not (row.break_glass or row.automatic or row.in_envelope)
        return row.state in WAITING and ordinary and route_locked(row, at)


def route_locked(row: AccessRequest, at: datetime) -> bool:
    """As `route`, for a waiting request that the caller has locked, in the caller's transaction."""
    current = AccessFlow.objects.select_related("current").get(pk=row.flow_version.flow_id).current
    changed = False
    if current is not None and current.document["approval"] != row.flow_version.document["approval"]:
        changed = _start_over(row, current, at)
    document = row.flow_version.document
    if document["approval"]["mode"] == ApprovalMode.NONE:
        return changed
    changed |= _see_to(row, row, at)
    if row.state == RequestState.PENDING and not _answerable(row, row) and not ask_next(row, row, at):
        told: dict[str, Any] = {"ended_at": at, "end_reason": EndReason.NOT_ELIGIBLE, "note": NOBODY_LEFT}
        return move(row, RequestState.LAPSED, actor=system(), reason=NOBODY_LEFT, at=at, **told) or changed
    return changed


def route_extension(extension: Extension, *, at: datetime) -> bool:
    """Ask whom the flow names now about an ask for more time, as `route` does."""
    with transaction.atomic():
        rows = Extension.objects.select_for_update(of=("self",), no_key=True)
        row = rows.select_related("flow_version", "request").get(pk=extension.pk)
        if row.state != ExtensionState.PENDING:
            return False
        changed = _see_to(row, row.request, at)
        if not _answerable(row, row.request) and not ask_next(row, row.request, at):
            row.state, row.decided_at, row.note = ExtensionState.LAPSED, at, NOBODY_LEFT
            row.save(update_fields=["state", "decided_at", "note"])
            details = {"number": row.number, "reason": NOBODY_LEFT}
            record("extension.lapsed", actor=system(), subject=subject_of(row.request), details=details, at=at)
            moved(row.request_id)
            return True
    return changed


def still_enough(row: AccessRequest) -> bool:
    """Whether the yeses of people who are active by now are enough: what was approved is looked at before it opens."""
    given = row.approvals.filter(status=_YES)
    if not given.filter(approver__is_active=False).exists():
        return True
    return enough(given.filter(approver__is_active=True), row.flow_version.document, row.webhook_calls.all())


def _people(request: AccessRequest) -> tuple[PersonFacts, PersonFacts]:
    facts = facts_of([request.requestor_id, request.grantee_id])
    return facts[request.requestor_id], facts[request.grantee_id]


def _named(row: AccessRequest | Extension, request: AccessRequest) -> dict[int, list[tuple[PersonFacts, str]]]:
    """Return whom the flow names now, in the tiers that were asked."""
    document, people = row.flow_version.document, _people(request)
    owner = owner_of(request, document)
    found: dict[int, list[tuple[PersonFacts, str]]] = {}
    for tier in [one for one in later_tiers(document, -1) if one <= row.asked_tier]:
        for index, group in flow_queries.approvers(document, *people, owner=owner, tier=tier).items():
            found[index] = list(group)
    return found


def _see_to(row: AccessRequest | Extension, request: AccessRequest, at: datetime) -> bool:
    """Ask those no more who do not match any more, and ask who matches since; a yes of who was disabled is void."""
    model, name = (Approval, "request") if isinstance(row, AccessRequest) else (ExtensionApproval, "extension")
    rows: Any = model._default_manager.filter(**{name: row}).select_related("approver", "letter")
    named = _named(row, request)
    wanted = {(index, person.id) for index, group in named.items() for person, _ in group}
    there, gone = set(), []
    for one in rows:
        answers_for = one.stands_in_for_id or one.approver_id
        matches = (one.group_index, str(answers_for)) in wanted and one.approver.is_active
        void = one.status == _YES and not one.approver.is_active
        if void or (one.status == _PENDING and not matches):
            gone.append(one)
        elif one.stands_in_for_id is None:
            there.add((one.group_index, str(one.approver_id)))
    new: Groups = {
        index: [(person, why) for person, why in group if (index, person.id) not in there]
        for index, group in named.items()
    }
    new = {index: group for index, group in new.items() if group}
    if not gone and not new:
        return False
    for one in gone:
        take_back_letter(one, at)
        one.delete()
    make_approvals(row, row.flow_version.document, new, at=at, webhooks=False)
    _tell(row, request, gone, new, at)
    return True


def _answerable(row: AccessRequest | Extension, request: AccessRequest) -> bool:
    """Whether those who are asked, and what was said already, could make a yes."""
    document = row.flow_version.document
    groups: dict[int, list[tuple[PersonFacts, str]]] = {
        index: [] for index, one in enumerate(document["approval"]["groups"]) if one.get("tier", 0) <= row.asked_tier
    }
    able = row.approvals.filter(status__in=[_PENDING, _YES], approver__is_active=True)
    facts = facts_of(able.values_list("approver", flat=True))
    for index, approver in able.values_list("group_index", "approver"):
        groups.setdefault(index, []).append((facts[approver], ""))
    return could_settle(document, groups)


def _start_over(row: AccessRequest, current: Any, at: datetime) -> bool:
    """Ask afresh whom the flow's new version names: yeses to other rules count for nothing."""
    old = list(row.approvals.select_related("approver", "letter"))
    for one in old:
        take_back_letter(one, at)
        one.delete()
    row.webhook_calls.filter(group_index__isnull=False).delete()
    row.flow_version, document = current, current.document
    tier, groups = asked_first(document, *_people(row), owner=owner_of(row, document))
    row.asked_tier = tier
    row.escalates_at = escalates_at(document, tier, at) if row.state == RequestState.PENDING else None
    row.save(update_fields=["flow_version", "asked_tier", "escalates_at"])
    if document["approval"]["mode"] != ApprovalMode.NONE:
        make_approvals(row, document, groups, at=at)
        for index, group in enumerate(document["approval"]["groups"]):
            if not group.get("tier", 0):
                ask_group(row, index, group, at=at)
    _tell(row, row, old, groups, at, version=current.number)
    return True


def _tell(
    row: AccessRequest | Extension, request: AccessRequest, gone: Iterable[Any], new: Groups, at: datetime, **more: Any
) -> None:
    lost = sorted({f"{one.approver.email} ({ApprovalStatus(one.status).label.lower()})" for one in gone})
    asked = sorted({person.email for group in new.values() for person, _ in group})
    if isinstance(row, Extension):
        more["extension"] = row.number
    details = {"no_longer_asked": lost, "asked": asked, **more}
    record("request.rerouted", actor=system(), subject=subject_of(request), details=details, at=at)
    moved(request.pk)
