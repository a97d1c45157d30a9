"""To admins: ends that are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from access_requests.letters.words import about, who
from access_requests.queries.figures import LateEnd
from access_requests.templatetags.portal import roughly
from accounts.letters import address_of


def overdue(ends: Sequence[LateEnd], total: int, at: datetime | None = None) -> tuple[str, dict[str, Any]]:
    """Return the letter on all ends that are overdue; `total` counts also those that are not shown."""
    now = at or timezone.now()
    told = [
        {
            **about(end.access),
            "grantee": who(end.access.grantee),
            "integration": end.group.integration.name,
            "due_at": end.access.due_at,
            "late": roughly((now - end.access.due_at).total_seconds()) if end.access.due_at else "",
            "tries": end.order.attempts if end.order else 0,
            "next_try_at": end.order.next_try_at if end.order and not end.order.lease_until else None,
            "error": _why(end),
        }
        for end in ends
    ]
    shown = len({one["number"] for one in told})
    subject = "1 end is overdue" if total == 1 else f"{total} ends are overdue"
    return subject, {"ends": told, "total": total, "more": total - shown, "overview_url": address_of("overdue")}


def _why(end: LateEnd) -> str:
    if end.order is None:
        return "No order is open; the sweep is about to give one."
    error = end.order.error
    return f"{error.get('message', '')} {error.get('fix', '')}".strip() or "No connector has answered for it yet."
