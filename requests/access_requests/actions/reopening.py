"""Access that is over, and yet there: a declared end that was none, or a login of ours that somebody opened again.

It is ours, by its mark, so nobody has to decide: it is ended again, for ever if need be, and the admins hear of it.
What was proven stays proven, for it was true when it was read; what was declared stays declared.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from access_requests.actions import looking
from access_requests.actions.rules import ran_by
from access_requests.drift import FindingKind, FindingState, Key, key_of
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessUnit, DriftFinding
from accounts.models import User
from audit.actions import record
from integrations.models import Order

# What an order has to see to: what is not over, and what is and was seen again.
TO_END = Q(ended_at__isnull=True) | Q(reopened_at__isnull=False)


def notice(order: Order, person: User, *, at: datetime) -> bool:
    """Take in what a settled order saw of grants that are over and that it was not about. True when there is any.

    The caller holds the person's lock, and orders the end anew. An order that was settled before the end is no news.
    """
    groups, seen = _over(order, person, at), _seen(order)
    for group in groups:
        group.reopened_at = at
        group.save(update_fields=["reopened_at"])
        units = seen[str(group.pk)]
        _find(group, units, at)
        found = sorted(f"{permission} on {resource}" for _, resource, permission in units)
        details = {"found": found, "login": group.login, "integration": group.integration.name, "order": str(order.pk)}
        record("request.reopened", actor=ran_by(order), subject=subject_of(group.request), details=details, at=at)
        moved(group.request_id)
    return bool(groups)


def end_again(group: AccessGroup, order: Order, *, at: datetime) -> None:
    """Note that an order has ended again what was open after its end: the target was read, and has nothing of it."""
    group.reopened_at = None
    group.save(update_fields=["reopened_at"])
    read_back, functions = order.result["read_back"], order.result["functions"]
    details = {
        "integration": group.integration.name,
        "read_at": datetime.fromtimestamp(read_back["read_at"], UTC).isoformat(),
        "reader": (functions or [{}])[-1],
        "order": str(order.pk),
    }
    record("request.ended_again", actor=ran_by(order), subject=subject_of(group.request), details=details, at=at)
    words = "It was ended again: the target was read back and has nothing of it."
    for finding in _open(group).select_related("unit__group__request", "integration", "person"):
        looking.settle(finding, FindingState.REMOVED, words, at=at)
    moved(group.request_id)


def _seen(order: Order) -> dict[str, set[Key]]:
    """Return what an order saw of grants that it was not about, by grant."""
    about = {one["grant_id"] for part in ("holds", "gone") for one in order.desired.get(part, ())}
    seen: dict[str, set[Key]] = defaultdict(set)
    for one in (order.result.get("read_back") or {}).get("ours", ()):
        if one["grant_id"] not in about:
            seen[one["grant_id"]].add(key_of(one["unit"]))
    return seen


def _over(order: Order, person: User, at: datetime) -> list[AccessGroup]:
    rows = AccessGroup.objects.filter(pk__in=_ids(_seen(order)), integration=order.integration_id)
    over = rows.filter(request__grantee=person, ended_at__lt=at, reopened_at__isnull=True)
    return list(over.select_related("request", "integration").order_by("pk"))


def _ids(marks: Iterable[str]) -> list[uuid.UUID]:
    """Return the grants that marks at a target name; anybody could have written there what is no grant."""
    found = []
    for mark in marks:
        try:
            found.append(uuid.UUID(mark))
        except ValueError:
            continue
    return found


def _find(group: AccessGroup, seen: set[Key], at: datetime) -> None:
    """Write down each unit that is there; where only others are, that the login is, by the first of its units."""
    units = list(AccessUnit.objects.filter(group=group).select_related("group__request").order_by("pk"))
    there = [one for one in units if one.key in seen]
    others = sorted(f"{permission} on {resource}" for _, resource, permission in seen - {one.key for one in units})
    for unit in there or units[:1]:
        looking.find_unit(
            unit,
            FindingKind.REOPENED,
            FindingState.OPEN,
            words=f"Also there: {', '.join(others)}." if others else "",
            before_at=group.ended_at,
            at=at,
        )


def _open(group: AccessGroup) -> QuerySet[DriftFinding]:
    return DriftFinding.objects.filter(unit__group=group, kind=FindingKind.REOPENED, state=FindingState.OPEN)
