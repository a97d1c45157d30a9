"""What is wrong with a policy, and what is only doubtful: each finding says where, why, and what to do."""

from __future__ import annotations

from typing import Any

from flows import document as documents
from flows import reach
from flows.choices import ConditionType, TargetKind, Trigger
from flows.decision.covering import Document, targets_of
from flows.findings.approvers import about_approval, approval_doubts
from flows.findings.finding import APPROVERS, FOR, RULES, SPACE, TIME, WHAT, WHO, Finding
from flows.findings.limits import doubtful, over_at_once, undrained
from flows.findings.rules import about_rules
from flows.findings.spaces import about_space, beyond_doubts, still_named, words
from flows.giving import about_giving
from flows.models import AccessScope, Bundle, Space
from integrations.aql import BadQuery, parse
from integrations.models import Permission

__all__ = [
    "APPROVERS",
    "FOR",
    "RULES",
    "SPACE",
    "TIME",
    "WHAT",
    "WHO",
    "Finding",
    "about_bundle",
    "about_scope",
    "doubts",
    "refusals",
    "still_named",
    "wrong_query",
]


def refusals(document: Document) -> list[Finding]:
    """Return why the flow must not be saved; nothing when it may be."""
    found = []
    if not document["requestors"]["conditions"]:
        found.append(Finding(WHO, "Say who may ask: a flow without requestors gives nobody anything."))
    if not document["targets"]:
        found.append(Finding(WHAT, "Say what can be asked for: add a target."))
    found += [Finding(WHAT, text) for target in document["targets"] for text in _about_target(target)]
    found += _without_value(WHO, document["requestors"])
    for group in document["approval"]["groups"]:
        found += _without_value(APPROVERS, group)
    found += about_rules(document)
    found += [Finding(WHAT, text) for text in over_at_once(document)]
    found += [Finding(APPROVERS, text) for text in about_approval(document)]
    # Counted only where everything else is as it should be.
    return found or about_space(document) or [Finding(WHAT, text) for text in about_giving(document)]


def about_bundle(targets: list[dict[str, Any]], space: Space | None = None) -> list[Finding]:
    """Return why a bundle of these targets must not be saved, in a space if there is one."""
    if not targets:
        return [Finding(WHAT, "Say what is in the bundle: add a target.")]
    if any(target.get("kind") == TargetKind.BUNDLE for target in targets):
        return [Finding(WHAT, "No bundle lies in a bundle: add what is in it.")]
    found = [Finding(WHAT, text) for target in targets for text in _about_target({"kind": "integration"} | target)]
    return found or about_space(documents.lying(documents.bundle_of("", "", targets)["targets"], space))


def about_scope(name: str, query: str, scope: AccessScope | None = None, space: Space | None = None) -> list[Finding]:
    """Return why a scope must not be saved; `scope` is the one that would be changed."""
    found = [Finding(WHAT, text) for text in wrong_query(query)]
    if not name.strip():
        found.append(Finding("", "Give the access scope a name."))
    if AccessScope.objects.filter(name=name).exclude(pk__in=[scope.pk] if scope else []).exists():
        found.append(Finding("", f"Another access scope is called “{name}”."))
    return found or about_space(documents.lying([{"kind": TargetKind.QUERY.value, "query": query}], space))


def _without_value(part: str, group: dict[str, Any]) -> list[Finding]:
    return [
        Finding(part, f"Give the condition on “{one['type']}” a value.")
        for one in group["conditions"]
        if not one["values"] and one["type"] not in {ConditionType.MANAGER, ConditionType.OWNER}
    ]


def _about_target(target: dict[str, Any]) -> list[str]:
    if target["kind"] == TargetKind.BUNDLE:
        known = Bundle.objects.filter(pk=target["bundle"]).exists()
        return [] if known else ["This bundle is not there any more: choose another, or remove it."]
    if target["kind"] == TargetKind.ACCESS_SCOPE:
        known = AccessScope.objects.filter(pk=target["access_scope"]).exists()
        return [] if known else ["This access scope is not there any more: choose another, or remove it."]
    if target["kind"] == TargetKind.QUERY:
        return wrong_query(target["query"])
    found = Permission.objects.filter(
        resource_type__integration=target["integration"], resource_type__type=target["resource_type"]
    )
    names = set(found.values_list("source_id", flat=True))
    if not names:
        return [f"This integration has no resource type “{target['resource_type']}”."]
    if not target["permissions"]:
        return [f"Choose permissions: {', '.join(sorted(names))}."]
    wrong = sorted(set(target["permissions"]) - names)
    return [f"There is no permission {', '.join(wrong)}; there are {', '.join(sorted(names))}."] if wrong else []


def wrong_query(text: str) -> list[str]:
    """Return why a query cannot be, in words; nothing when it can."""
    try:
        parse(text)
    except BadQuery as problem:
        return [str(problem)]
    return []


def doubts(document: Document) -> list[Finding]:
    """Return what a person should look at twice before saving."""
    found = []
    if document["requestors"]["conditions"] and not reach.people(document["requestors"]).exists():
        found.append(Finding(WHO, "Nobody active fulfils this now, so nobody could ask."))
    for target in targets_of(document):
        if not reach.selects_anything(target):
            found.append(Finding(WHAT, f"{words(target)} selects nothing now."))
    found += beyond_doubts(document)
    found += [Finding(WHAT, text) for text in dict.fromkeys(doubtful(document))]
    found += [Finding(TIME, text) for text in undrained(document)]
    found += [Finding(APPROVERS, text) for text in approval_doubts(document)]
    if document["settings"]["self_approval"]:
        text = "Who asks may approve their own request: this was set by text or a program."
        found.append(Finding(APPROVERS, text))
    if document["duration_seconds"] is None and document["trigger"] != Trigger.AUTOMATIC:
        found.append(Finding(TIME, "Access without an end stays until somebody takes it away."))
    return found
