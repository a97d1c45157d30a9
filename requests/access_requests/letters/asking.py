"""To approvers: what waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from access_requests import queries
from access_requests.choices import ApprovalStatus
from access_requests.letters.words import about, joined, risk, who
from access_requests.models import Approval, ExtensionApproval
from access_requests.templatetags.portal import duration
from access_requests.views.hints import Hint, hints_of, hints_of_extension, risk_of, units_of
from accounts.letters import address_of, lines
from accounts.models import User

# What one letter tells in full; of the rest it says how many.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits: its title, and the plain data of it."""

    title: str
    told: dict[str, Any]


def tasks_of_requests(approver: User, pks: Sequence[int], at: datetime) -> list[Task]:
    """Return those of the requests that wait for this person's answer."""
    others = Approval.objects.filter(status=ApprovalStatus.PENDING).exclude(approver=approver)
    others = others.select_related("approver").order_by("approver__name")
    rows = queries.tasks_of(approver).filter(pk__in=pks[:SHOWN])
    found = list(rows.prefetch_related(Prefetch("approvals", others, to_attr="others")))
    history = queries.asked_before(found, at) if found else {}
    tasks = []
    for access in found:
        told = about(access) | {
            "how_long": f"{duration(access.duration_seconds)}, from the moment it opens"
            if access.duration_seconds
            else "without an end",
            "lapses_at": access.lapses_at,
            **_asked(hints_of(access, history), access.mine, access.others, risk_of(units_of(access))),  # type: ignore[attr-defined]
        }
        tasks.append(Task(f"{access.requestor.name} asks for {told['summary']}", told))
    return tasks


def tasks_of_extensions(approver: User, pks: Sequence[int]) -> list[Task]:
    """Return those of the extensions that wait for this person's answer."""
    others = ExtensionApproval.objects.filter(status=ApprovalStatus.PENDING).exclude(approver=approver)
    others = others.select_related("approver").order_by("approver__name")
    rows = queries.extension_tasks_of(approver).filter(pk__in=pks[:SHOWN])
    tasks = []
    for one in rows.prefetch_related(Prefetch("approvals", others, to_attr="others")):
        told = about(one.request) | {
            "requestor": who(one.requested_by),
            "how_long": f"{one.more}, without a gap",
            "ends_at": one.request.ends_at,
            "said": lines(one.justification or one.request.justification),
            **_asked(hints_of_extension(one), one.mine, one.others, risk_of(units_of(one.request))),  # type: ignore[attr-defined]
        }
        tasks.append(Task(f"{one.requested_by.name} asks for {one.more}: {told['summary']}", told))
    return tasks


def _asked(hints: Sequence[Hint], mine: Sequence[Any], others: Sequence[Any], level: int) -> dict[str, Any]:
    return {
        "risk": risk(level),
        "hints": [hint.text for hint in hints],
        "why": list(dict.fromkeys(one.why for one in mine)),
        "others": joined(one.approver.name for one in others),
    }


def asking(tasks: Sequence[Task], waiting: int) -> tuple[str, dict[str, Any]]:
    """Return the letter on everything that waits; `waiting` counts also what the letter does not show."""
    subject = tasks[0].title if waiting == 1 else f"{waiting} requests wait for your approval"
    told = [task.told | {"title": task.title} for task in tasks]
    more = waiting - len(tasks)
    return subject, {"tasks": told, "single": waiting == 1, "more": more, "tasks_url": address_of("my_tasks")}
