"""What a provider's limits mean for a policy: in the provider's own words, with what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from flows import reach
from flows.choices import TargetKind, Trigger
from flows.decision.bounding import by_query
from flows.decision.covering import Document, targets_of
from integrations.queries import INSTEAD, limit_doubts, limits_on, that_cannot_drain


def over_at_once(document: Document) -> Iterator[str]:
    """Refuse an automatic flow whose lists are over a limit: whoever matches gets all of it, in one grant.

    Of other flows each request is held against the limits; lists that are over them are only doubtful.
    """
    if document["trigger"] == Trigger.AUTOMATIC:
        for target in targets_of(document):
            yield from _listed(target)


def doubtful(document: Document) -> Iterator[str]:
    """Yield the limits that lists are over, and those that an automatic flow is over by what it selects now."""
    for target in targets_of(document):
        listed = _listed(target)
        yield from listed
        # What the boundary of a space leaves of it is counted when it is saved (flows.giving).
        if document["trigger"] == Trigger.AUTOMATIC and not listed and not by_query(target):
            yield from _selected(target)


def undrained(document: Document) -> Iterator[str]:
    """Yield the integrations that the flow names and where nothing drains, though the flow says so."""
    if document["settings"].get("drain_seconds"):
        targets = [one for one in targets_of(document) if one["kind"] == TargetKind.INTEGRATION]
        for name in that_cannot_drain({str(one["integration"]) for one in targets}):
            yield f"{name} cannot let open sessions go on without letting new ones begin: there all ends at once."


def _listed(target: dict[str, object]) -> list[str]:
    return limit_doubts(target) if target["kind"] == TargetKind.INTEGRATION else []


def _selected(target: dict[str, object]) -> Iterator[str]:
    for limit in limits_on(str(target["integration"]), str(target["resource_type"])):
        number = reach.counted(reach.resources(target))
        if number > limit.at_most:
            yield f"{limit.words} {reach.in_words(number, 'is', 'are')} selected here now. {INSTEAD}"
