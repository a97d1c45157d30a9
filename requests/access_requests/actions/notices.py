"""Other systems are told of overdue access: at once, then once an hour while there is any, and when all is well again.

Each notice is a row, written before anything is sent, and sent outside any transaction under its id as Idempotency-Key:
a process that is killed loses none. Of one webhook at most one waits: a newer one takes its place.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone

from access_requests.actions.rules import each
from access_requests.models import OverdueNotice, OverdueWebhook
from access_requests.queries.figures import overdue_rows
from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from flows import actions as flow_actions
from flows.models import Webhook

EVERY = timedelta(hours=1)
# While one process sends a notice, no other does; beyond the longest time-out of a call.
LEASE = timedelta(minutes=3)
WAIT_FIRST, WAIT_MAX = 10, 1800
MAY = "flows.change_webhook"


def tell_webhook(webhook: Webhook, *, actor: Actor, at: datetime | None = None) -> OverdueWebhook:
    """Mark a webhook as told of overdue access."""
    require(actor, MAY)
    moment = at or timezone.now()
    with transaction.atomic():
        row, made = OverdueWebhook.objects.get_or_create(webhook=webhook, defaults={"created_at": moment})
        if made:
            record("overdue.webhook_told", actor=actor, subject=_subject(webhook), details={}, at=moment)
    return row


def tell_webhook_no_more(webhook: Webhook, *, actor: Actor, at: datetime | None = None) -> None:
    """Unmark it; what waits for it is dropped."""
    require(actor, MAY)
    moment = at or timezone.now()
    with transaction.atomic():
        if OverdueWebhook.objects.filter(webhook=webhook).delete()[0]:
            OverdueNotice.objects.filter(webhook=webhook, done_at__isnull=True).update(done_at=moment)
            record("overdue.webhook_dropped", actor=actor, subject=_subject(webhook), details={}, at=moment)


def sweep_notices(*, at: datetime | None = None) -> int:
    """Write the notices that are due, then send what waits. Return how many arrived."""
    moment = at or timezone.now()
    marked = OverdueWebhook.objects.select_related("webhook")
    each(marked, lambda one: _write(one.webhook, moment), sweep="overdue notices")
    waiting = OverdueNotice.objects.filter(done_at__isnull=True, next_try_at__lte=moment)
    return each(waiting.order_by("next_try_at"), lambda one: _send(one, moment), sweep="overdue notices")


def _write(webhook: Webhook, at: datetime) -> bool:
    """Write a notice when one is due: the first at once, one an hour while overdue, one when all is well again."""
    with transaction.atomic():
        OverdueWebhook.objects.select_for_update().get(webhook=webhook)
        late = overdue_rows().order_by()
        number, oldest = late.count(), late.aggregate(oldest=Min("due_at"))["oldest"]
        last = OverdueNotice.objects.filter(webhook=webhook).order_by("-created_at").first()
        was_late = last is not None and last.overdue
        due = not was_late or last is None or last.created_at <= at - EVERY if number else was_late
        # All is well within the hour after the last one: told at once, and the next trouble waits for the hour.
        if not due or (number and last is not None and last.created_at > at - EVERY):
            return False
        OverdueNotice.objects.filter(webhook=webhook, done_at__isnull=True).update(done_at=at)
        told: dict[str, Any] = {"event": "overdue" if number else "well", "overdue": number, "at": at.isoformat()}
        told["oldest_due_at"] = oldest.isoformat() if oldest else None
        OverdueNotice.objects.create(webhook=webhook, overdue=bool(number), told=told, created_at=at, next_try_at=at)
    return True


def _send(notice: OverdueNotice, at: datetime) -> bool:
    """Send one notice that no other process is sending; put it off when it does not arrive."""
    mine = OverdueNotice.objects.filter(pk=notice.pk, done_at__isnull=True, next_try_at=notice.next_try_at)
    if not mine.update(next_try_at=at + LEASE, attempts=F("attempts") + 1):
        return False
    with transaction.atomic():
        question = flow_actions.question_of(Webhook.objects.get(pk=notice.webhook_id))
    question.webhook.body, question.webhook.method = notice.told, "POST"
    answer = flow_actions.ask_webhook(question, {}, key=str(notice.pk))
    # What it says matters to nobody: that it answered with a success does.
    arrived = answer.status is not None and 200 <= answer.status < 300
    left = OverdueNotice.objects.filter(pk=notice.pk, done_at__isnull=True)
    if arrived:
        return bool(left.update(done_at=at))
    wait = min(WAIT_MAX, WAIT_FIRST * 2 ** min(notice.attempts, 20))
    left.update(next_try_at=at + timedelta(seconds=wait))
    return False


def _subject(webhook: Webhook) -> Any:
    return Subject("webhook", str(webhook.pk), webhook.name)
