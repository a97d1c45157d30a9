"""What a space means for the policy in it: what lies beyond its boundary, and whose bundles and scopes it may name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flows import reach
from flows.choices import TargetKind
from flows.decision.bounding import boundary_of, bounded, query_of
from flows.decision.covering import Document, targets_of
from flows.findings.finding import SPACE, WHAT, Finding
from flows.models import AccessScope, AccessTarget, Bundle
from flows.reach import uuids

Targets = Iterable[dict[str, Any]]
# What may lie in a space, as a target names it.
_KEPT = (
    (TargetKind.BUNDLE, "bundle", Bundle, "bundle"),
    (TargetKind.ACCESS_SCOPE, "access_scope", AccessScope, "access scope"),
)


def about_space(document: Document) -> list[Finding]:
    """Return why a document of a flow, or of a bundle or scope as one, must not be saved where it lies."""
    space = document.get("space")
    found = [Finding(WHAT, text) for text in _of_others(document["targets"], space["id"] if space else "")]
    if not space:
        return found
    if not any(query_of(query) for query in boundary_of(document) or ()):
        told = f"The space “{space['name']}” covers nothing yet: who makes spaces gives it access scopes."
        return [*found, Finding(SPACE, told)]
    beyond = [one for one in _named(document) if _counts(one, document)[1] == 0 < _counts(one, document)[0]]
    return [
        *found,
        *(
            Finding(SPACE, f"{name} lies beyond the space “{space['name']}”: choose what the space covers.")
            for name in dict.fromkeys(words(one) for one in beyond)
        ),
    ]


def beyond_doubts(document: Document) -> Iterator[Finding]:
    """Yield which targets of a flow in a space select more than it covers, and how much less they give."""
    space = document.get("space")
    for target in _named(document) if space else ():
        whole, within = _counts(target, document)
        if space and within < whole:
            told = f"{words(target)} selects {reach.in_words(whole, 'entitlement', 'entitlements')}, "
            yield Finding(WHAT, f"{told}of which the space “{space['name']}” covers {within:,}: the rest is not given.")


def _counts(target: dict[str, Any], document: Document) -> tuple[int, int]:
    """Return how many entitlements a target selects now, and how many of them the flow's space covers."""
    return reach.entitlements_of(target), reach.entitlements_of(bounded(target, boundary_of(document)))


def _named(document: Document) -> list[dict[str, Any]]:
    """Return the targets without the boundary that holds them."""
    return list(targets_of({"targets": document["targets"]}))


def words(target: dict[str, Any]) -> str:
    """Name a target at the beginning of a sentence."""
    if target["kind"] == TargetKind.ACCESS_SCOPE:
        return f"The access scope “{target['name']}”"
    return "A query" if target["kind"] == TargetKind.QUERY else f"A target on “{target['resource_type']}”"


def _of_others(targets: Targets, space: str) -> Iterator[str]:
    """Yield the bundles and scopes of another space: who writes there could change what is given here."""
    whole = [*targets, *(one for target in targets for one in target.get("targets", ()))]
    for kind, key, model, noun in _KEPT:
        ids = uuids({str(one[key]) for one in whole if one["kind"] == kind})
        rows = model.objects.filter(pk__in=ids, space__isnull=False).select_related("space") if ids else ()
        for row in rows:
            if str(row.space_id) != space:
                yield f"The {noun} “{row.name}” lies in the space “{row.space}”: only policy of that space names it."


def still_named(row: Bundle | AccessScope, space: str) -> list[str]:
    """Return what would name a bundle or scope of another space, if it lay in this one ("" for the account)."""
    if not space:
        return []
    used = row.used_by.select_related("flow", "in_bundle")
    holders = {str(one): (one.flow or one.in_bundle) for one in used if isinstance(one, AccessTarget)}
    others = sorted(name for name, one in holders.items() if one is not None and str(one.space_id) != space)
    if isinstance(row, AccessScope) and row.bounding.exists():
        others += sorted(f"the boundary of {one.space}" for one in row.bounding.select_related("space"))
    return [f"It cannot lie in a space while {', '.join(others)} names it."] if others else []
