"""What an automatic flow gives to each of its people: the same for all of them, asked of the database once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flows.choices import ApprovalMode, Trigger
from flows.decision.bounding import by_query, selection
from flows.decision.covering import Document, targets_of
from flows.reach import resources
from integrations.aql import selected
from integrations.queries import Entitlement, entitlements, over_limits

# How many entitlements an automatic flow may give to one person.
PER_PERSON_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Given:
    """What the flow gives now and what can be granted now; with a `problem`, in words, it gives nothing."""

    asks: tuple[Entitlement, ...]
    problem: str = ""


def given_by(document: Document) -> Given:
    """Return what the flow's targets select. One query per target, and five more."""
    pairs: set[tuple[int, int]] = set()
    for target in targets_of(document):
        pairs.update(_pairs(target))
        if len(pairs) > PER_PERSON_MAX:
            return Given((), _too_many())
    asks = tuple(one for one in entitlements(sorted(pairs)) if not one.refusal)
    problem = " ".join(dict.fromkeys(over_limits(asks)))
    return Given((), problem) if problem else Given(asks)


def _too_many() -> str:
    return (
        f"It selects more than {PER_PERSON_MAX:,} entitlements for each person, and an automatic flow may give at most"
        " that many. Narrow its targets, or divide them among several flows."
    )


def _pairs(target: dict[str, Any]) -> Iterable[tuple[int, int]]:
    """Return (resource id, permission id) of what a target selects and can be granted; one more than may be at most."""
    if by_query(target):
        query = selection(target)
        return selected(query, grantable=True).page(size=PER_PERSON_MAX + 1) if query else []
    rows = resources(target).filter(resource_type__permissions__source_id__in=target["permissions"]).order_by()
    return list(rows.values_list("pk", "resource_type__permissions__pk")[: PER_PERSON_MAX + 1])


def gives_by_itself(document: Document) -> bool:
    """Whether the flow gives to whoever matches, without being asked."""
    return bool(document["active"]) and document["trigger"] == Trigger.AUTOMATIC


def about_giving(document: Document) -> list[str]:
    """Return why an automatic flow would give too much; nothing for flows that are asked."""
    if document["trigger"] != Trigger.AUTOMATIC or document["approval"]["mode"] != ApprovalMode.NONE:
        return []
    problem = given_by(document).problem
    return [problem] if problem else []
