"""The questions to other systems about a request, as rows: written with the request, asked by actions.calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from access_requests.events import ring_calls
from access_requests.models import AccessRequest, WebhookCall
from flows import actions as flow_actions
from flows.choices import ApprovalMode
from flows.decision import Document, webhooks_of
from flows.queries import webhooks


def begin_calls(request: AccessRequest, document: Document, *, at: datetime) -> None:
    """Write down what other systems are asked about a new request: its checks, and the first tier's webhooks.

    Needs a transaction around it. An emergency waits for nobody's answer.
    """
    if request.break_glass:
        return
    asked = _ask(request, [(None, 0, one) for one in document.get("checks") or ()], at)
    if document["approval"]["mode"] != ApprovalMode.NONE and not request.automatic:
        groups = enumerate(document["approval"]["groups"])
        asked += sum(ask_group(request, index, group, at=at) for index, group in groups if group.get("tier", 0) == 0)
    if asked:
        ring_calls()


def ask_group(request: AccessRequest, group_index: int, group: dict[str, Any], *, at: datetime) -> int:
    """Ask the webhooks of one approver group, when its tier is asked; return how many. Doing it again changes nothing.

    `group_index` is its place in the document's list of groups. Needs a transaction around it.
    """
    return _ask(request, [(group_index, group.get("tier", 0), one) for one in webhooks_of(group)], at)


def _ask(request: AccessRequest, wanted: list[tuple[int | None, int, str]], at: datetime) -> int:
    """Write rows. A webhook that is gone is not asked: then its group lacks that yes; a check cannot be gone."""
    there = {str(one.pk): one for one in webhooks(pk for _, _, pk in wanted)} if wanted else {}
    rows = [
        WebhookCall(
            request=request,
            webhook=there[pk],
            asked=flow_actions.question_of(there[pk]).document,
            group_index=index,
            tier=tier,
            due_at=at,
        )
        for index, tier, pk in wanted
        if pk in there
    ]
    WebhookCall.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
