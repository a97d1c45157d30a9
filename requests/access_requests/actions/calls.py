"""Webhooks of a request: checks before anybody is asked, and approvers that are another system.

Each question is a row (WebhookCall), written with the request. The sweep leases a row, asks outside any transaction,
and writes what came of it; a process that dies in between loses its lease, and the same question is asked again under
the same Idempotency-Key, the row's id. What the other system said is not kept: only its status and our sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from access_requests.actions.beginning import advance, approve_now
from access_requests.actions.rules import enough, log
from access_requests.choices import WAITING, CallState, EndReason, RequestState
from access_requests.events import moved, ring_calls
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessRequest, AccessUnit, WebhookCall
from accounts.queries import facts_of
from audit.actions import record
from audit.actor import Actor, system
from flows import actions as flow_actions

# A question is asked so often, with these seconds in between, before it counts as not answered.
TRIES, WAITS = 4, (5, 20, 60)
# Beyond the time-outs of the call and of its token: looking up the names.
LEASE_MARGIN = timedelta(seconds=30)
BURST_SECONDS = 20.0
_DECIDED = "The request was decided before it was asked."


@dataclass(frozen=True, slots=True)
class Leased:
    """A question that this process asks alone until its lease is over."""

    call: WebhookCall
    question: flow_actions.Question
    values: dict[str, Any]


def run_calls(*, at: Callable[[], datetime] = timezone.now, seconds: float = BURST_SECONDS) -> int:
    """Ask what is due, one after the other, for about so many seconds; return how many questions were asked."""
    until, done = time.monotonic() + seconds, 0
    _drop_decided(at())
    while time.monotonic() < until:
        leased = lease_call(at())
        if leased is None:
            break
        done += 1
        try:
            answer = flow_actions.ask_webhook(leased.question, leased.values, key=str(leased.call.pk))
        except Exception as error:  # noqa: BLE001  # whatever it is, the other questions must not wait for it
            # Without its words, which may hold a value: it is asked again when the lease is over.
            log.error("webhooks: %s was not asked: %s", leased.call, type(error).__name__)
            continue
        settle_call(leased, answer, at=at())
    return done


def lease_call(at: datetime) -> Leased | None:
    """Take the question that is due the longest, with the webhook as it is now; None when nothing is due."""
    as_check = Q(group_index__isnull=True, request__state=RequestState.INITIALIZING)
    as_approver = Q(group_index__isnull=False, request__state=RequestState.PENDING)
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=at)
    due = WebhookCall.objects.filter(as_check | as_approver, free, state=CallState.WAITING, due_at__lte=at)
    with transaction.atomic():
        call = (
            due.select_for_update(of=("self",), skip_locked=True)
            .select_related("webhook", "request__flow_version")
            .order_by("due_at", "pk")
            .first()
        )
        if call is None:
            return None
        question = flow_actions.question_of(call.webhook)
        call.asked, call.attempts = question.document, call.attempts + 1
        call.leased_until = at + 2 * timedelta(seconds=call.webhook.timeout_seconds) + LEASE_MARGIN
        call.save(update_fields=["asked", "attempts", "leased_until"])
        return Leased(call, question, values_of(call.request))


def values_of(request: AccessRequest) -> dict[str, Any]:
    """Return what the slots of a webhook's body stand for (flows.slots.VOCABULARY)."""
    facts = facts_of([request.requestor_id, request.grantee_id])
    units = AccessUnit.objects.filter(group__request=request).select_related("resource", "group__integration")
    values: dict[str, Any] = {
        "request.id": request.pk,
        "request.justification": request.justification,
        "request.ticket": request.ticket or None,
        "request.duration_seconds": request.duration_seconds,
        "flow.name": request.flow_name,
        "resources": [
            {
                "name": unit.resource.name,
                "type": unit.resource_type,
                "integration": unit.group.integration.name,
                "permission": unit.permission_source_id,
            }
            for unit in units
        ],
    }
    for word, person in (("requestor", facts[request.requestor_id]), ("grantee", facts[request.grantee_id])):
        values |= {f"{word}.email": person.email, f"{word}.name": person.name}
        values[f"{word}.groups"] = sorted(person.group_names)
    return values | {f"request.fields.{key}": value for key, value in request.fields.items()}


def settle_call(leased: Leased, answer: flow_actions.Answer, *, at: datetime) -> bool:
    """Write what came of a question, and what follows. False when the lease was lost, or it is not asked any more."""
    with transaction.atomic():
        rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True).select_related("flow_version")
        request = rows.get(pk=leased.call.request_id)
        mine = WebhookCall.objects.filter(state=CallState.WAITING, leased_until=leased.call.leased_until)
        call = mine.select_for_update(of=("self",)).select_related("webhook").filter(pk=leased.call.pk).first()
        if call is None:
            return False
        call.leased_until, call.status = None, answer.status
        said = str(answer.verdict.said)
        if said == "again" and call.attempts < TRIES:
            call.due_at = at + timedelta(seconds=WAITS[min(call.attempts, len(WAITS)) - 1])
        else:
            call.state, call.answered_at = CallState.FAILED if said == "again" else CallState(said), at
            call.message = message_of(call)
        call.save(update_fields=["leased_until", "status", "due_at", "state", "answered_at", "message"])
        if call.state != CallState.WAITING:
            _record(call, request, answer.verdict.why, at)
            _follow(call, request, at)
        moved(request.pk)
    return True


def message_of(call: WebhookCall) -> str:
    """Return what the person reads of an answer; nothing of a yes."""
    name, own = call.asked["name"], call.asked["error_message"]
    if call.group_index is not None:
        failed = f"{name} gave no answer; others may still answer."
        return {CallState.NO: own or f"{name} said no.", CallState.FAILED: failed}.get(CallState(call.state), "")
    failed = (
        f"The check “{name}” gave no answer that counts, so this request cannot go on. "
        "Ask an admin to look at it, then ask again."
    )
    texts = {CallState.NO: own or f"The check “{name}” said no.", CallState.FAILED: own or failed}
    return texts.get(CallState(call.state), "")


def _actor(call: WebhookCall) -> Actor:
    return system(f"{call.asked['name']} (webhook)")


def _record(call: WebhookCall, request: AccessRequest, why: str, at: datetime) -> None:
    details = {
        "webhook": call.asked["name"],
        "webhook_id": str(call.webhook_id),
        "part": "check" if call.group_index is None else "approver",
        "answer": call.state,
        "status": call.status,
        "tries": call.attempts,
        "why": why,
    }
    record("request.webhook_answered", actor=_actor(call), subject=subject_of(request), details=details, at=at)


def _follow(call: WebhookCall, request: AccessRequest, at: datetime) -> None:
    """Do what follows from an answer. The caller holds the lock on the request."""
    if call.group_index is None:
        if advance(request, at=at):
            ring_calls()
    elif request.state != RequestState.PENDING:
        return
    elif call.state == CallState.YES:
        details = {"webhook": call.asked["name"]}
        record("request.approval_given", actor=_actor(call), subject=subject_of(request), details=details, at=at)
        if enough(request.approvals.all(), request.flow_version.document, request.webhook_calls.all()):
            approve_now(request, actor=_actor(call), reason="", at=at)
    elif call.state == CallState.NO:
        ended: dict[str, Any] = {"decided_at": at, "ended_at": at, "end_reason": EndReason.REJECTED}
        told = call.message
        move(request, RequestState.REJECTED, actor=_actor(call), reason=told, at=at, note=told, **ended)


def _drop_decided(at: datetime) -> None:
    """Settle questions of requests that wait for nothing any more."""
    idle = WebhookCall.objects.filter(state=CallState.WAITING).exclude(request__state__in=WAITING)
    idle.update(state=CallState.FAILED, answered_at=at, message=_DECIDED)
