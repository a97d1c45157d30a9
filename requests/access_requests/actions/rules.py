"""What all verbs share: errors, the person's lock, and what an approver's answer has to be like."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from access_requests.choices import ApprovalStatus, CallState
from accounts.models import User
from audit.actor import Actor, connector
from flows.choices import ApprovalMode
from flows.decision import Document, group_says_yes
from integrations.models import Order

REASON_MAX = 500
log = logging.getLogger(__name__)
Thing = TypeVar("Thing")


class NotPossible(Exception):
    """The request is not in a state for this, or a rule says no; the message is one sentence for a person."""


class NotYours(NotPossible):
    """This person has no part in it. Pages answer as if it did not exist."""


def each(things: Iterable[Thing], act: Callable[[Thing], bool], *, sweep: str) -> int:
    """Act on each by itself and return how many it came to something for.

    What fails for one is logged under the sweep's name and holds up no other.
    """
    done = 0
    for thing in list(things):
        try:
            done += bool(act(thing))
        except Exception:  # the next sweep tries again; its neighbours must not wait for it
            log.exception("%s: %s has to wait for the next sweep", sweep, thing)
    return done


def ran_by(order: Order) -> Actor:
    """Return the connector's instance that ran an order, as who acts."""
    return connector(str(order.leased_by_id or ""), str(order.leased_by or "connector"))


def lock_person(person_id: Any) -> User:
    """Lock the person's row until the transaction ends; serialises what is ordered for one person.

    The lock does not hinder rows that merely point at the person.
    """
    return User.objects.select_for_update(no_key=True).get(pk=person_id)


def answer_rows(asked: QuerySet[Any], document: Document, status: ApprovalStatus, reason: str, at: datetime) -> None:
    """Write an answer into an approver's waiting rows.

    Raises NotPossible when there are none left, or the reason is not as the flow wants it.
    """
    if document["settings"]["approver_reason_required"] and not reason.strip():
        raise NotPossible("This access flow wants a reason with every answer.")
    if len(reason) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    if not asked.filter(status=ApprovalStatus.PENDING).update(status=status, reason=reason.strip(), decided_at=at):
        raise NotPossible("You have answered already.")


def enough(rows: QuerySet[Any], document: Document, calls: QuerySet[Any] | None = None) -> bool:
    """Whether the answers so far make a yes: of any group, or of each group of the first tier.

    `rows` are people's answers, `calls` those of webhooks (WebhookCall). What a group's yes is with both in it says
    flows.decision.group_says_yes. A yes of a later tier stands for the first.
    """
    people = set(rows.filter(status=ApprovalStatus.APPROVED).values_list("group_index", flat=True))
    said = calls.filter(state=CallState.YES, group_index__isnull=False) if calls is not None else ()
    systems = {(call.group_index, str(call.webhook_id)) for call in said}
    groups = document["approval"]["groups"]
    yes = {
        index
        for index, group in enumerate(groups)
        if group_says_yes(group, person=index in people, webhooks={pk for place, pk in systems if place == index})
    }
    first = {index for index, group in enumerate(groups) if group.get("tier", 0) == 0}
    if yes - first or document["approval"]["mode"] != ApprovalMode.ALL_OF:
        return bool(yes)
    return bool(first) and first <= yes
