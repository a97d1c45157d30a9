"""To admins: what differs at a target and waits for their decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from access_requests.drift import FindingKind
from access_requests.letters.words import who
from access_requests.models import DriftFinding
from accounts.letters import address_of
from integrations.models import Integration

# A letter names so many; all of them are on the page.
SHOWN = 20
_WORDS = {"vanished": "vanished", "foreign": "foreign", "reopened": "open after the end"}


def drifted(
    integration: Integration, new: Sequence[DriftFinding], counts: dict[str, int], waiting: int
) -> tuple[str, dict[str, Any]]:
    """Return the letter on what is new in an integration: the first of it, and how much of each kind."""
    said = [f"{number} {_WORDS[kind]}" for kind in FindingKind.values if (number := counts.get(kind))]
    told = [_told(one) for one in new[:SHOWN]]
    total = sum(counts.values())
    page = f"{address_of('admin:requests_driftfinding_changelist')}?{urlencode({'integration': integration.pk})}"
    context = {
        "integration": integration.name,
        "said": " and ".join(said),
        "findings": told,
        "total": total,
        "more": total - len(told),
        "before": waiting - total,
        "drift_url": page,
    }
    return f"Drift in {integration.name}: {' and '.join(said)}", context


def _told(finding: DriftFinding) -> dict[str, Any]:
    return {
        "summary": str(finding),
        "vanished": finding.kind == FindingKind.VANISHED,
        "reopened": finding.is_reopened,
        "person": who(finding.person),
        "login": finding.login,
        "before_at": finding.before_at,
        "seen_at": finding.first_seen_at,
        "message": finding.message,
        "number": str(finding.unit.group.request) if finding.unit else "",
        "url": address_of("admin:requests_driftfinding_change", finding.pk),
    }
