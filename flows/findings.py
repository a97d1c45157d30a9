"""What is wrong with a policy, and what is only doubtful: each finding says where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from flows import reach
from flows.choices import ApprovalMode, ConditionType, LogicalOperator, MatchOperator, TargetKind, Trigger
from flows.decision import Document, asked_systems, could_say_yes, people_part, targets_of
from flows.models import Bundle, Webhook
from flows.sentence import whose
from integrations.models import Permission

# The parts of a flow, as the editor's sections and the phrases of the sentence name them.
WHO, FOR, WHAT, APPROVERS, TIME, RULES = "who", "for", "what", "approvers", "time", "rules"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a policy. `part` is the section it is about, or nothing."""

    part: str
    text: str


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
    if document["trigger"] == Trigger.AUTOMATIC:
        found.append(Finding("", "Automatic flows are not offered yet; choose self-serve."))
    found += [Finding(APPROVERS, text) for text in _about_webhooks(document)]
    return found + [Finding(APPROVERS, text) for text in _about_approval(document)]


def _about_webhooks(document: Document) -> Iterator[str]:
    """Refuse webhooks that are not there, or where they mean nothing."""
    asked = asked_systems(document)
    there = {str(pk) for pk in Webhook.objects.filter(pk__in=reach.uuids(asked)).values_list("pk", flat=True)}
    if asked - there:
        yield "A webhook that this flow asks is not there any more: choose another, or remove it."
    conditions = [one for group in document["approval"]["groups"] for one in group["conditions"]]
    if any(one["type"] == ConditionType.WEBHOOK and one["operator"] != MatchOperator.IS for one in conditions):
        yield "A webhook is named, or it is not: the operator is “is”."
    people = [*document["requestors"]["conditions"], *document["request_for"]["grantees"]["conditions"]]
    if any(one["type"] == ConditionType.WEBHOOK for one in people):
        yield "A webhook answers as an approver or as a check; it says nothing of who may ask."


def _anybody(group: dict[str, Any]) -> bool:
    """Whether an approver group could ever say yes."""
    return could_say_yes(group, reach.people(group).exists())


def _alone(group: dict[str, Any]) -> bool:
    """Whether webhooks can say yes for a group without a person."""
    return could_say_yes(group, False)


def about_bundle(targets: list[dict[str, Any]]) -> list[Finding]:
    """Return why a bundle of these targets must not be saved."""
    if not targets:
        return [Finding(WHAT, "Say what is in the bundle: add a target.")]
    if any(target.get("kind", TargetKind.INTEGRATION) != TargetKind.INTEGRATION for target in targets):
        return [Finding(WHAT, "A bundle holds integration targets only; no bundle lies in a bundle.")]
    return [Finding(WHAT, text) for target in targets for text in _about_target({"kind": "integration"} | target)]


def _without_value(part: str, group: dict[str, Any]) -> list[Finding]:
    return [
        Finding(part, f"Give the condition on “{one['type']}” a value.")
        for one in group["conditions"]
        if not one["values"] and one["type"] != ConditionType.MANAGER
    ]


def _about_target(target: dict[str, Any]) -> list[str]:
    if target["kind"] == TargetKind.BUNDLE:
        known = Bundle.objects.filter(pk=target["bundle"]).exists()
        return [] if known else ["This bundle is not there any more: choose another, or remove it."]
    if target["kind"] != TargetKind.INTEGRATION:
        return ["Targets of this kind are not offered yet; choose an integration or a bundle."]
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


def _about_approval(document: Document) -> list[str]:
    """Refuse what nobody could ever approve, and say of which condition nobody is."""
    approval = document["approval"]
    groups = [group for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.NONE:
        return ["Choose who approves, or remove the approver groups."] if groups else []
    if not groups:
        return ["Add an approver group, or choose “No approval”."]
    empty = [(number, group) for number, group in enumerate(groups, 1) if not _anybody(group)]
    whys = " ".join(_why_nobody(number, group) for number, group in empty)
    if approval["mode"] == ApprovalMode.ALL_OF and empty:
        return [f"{whys} Every group has to approve, so nobody could ever approve."]
    if len(empty) == len(groups):
        return [f"{whys} So nobody could ever approve: name others, or choose “No approval”."]
    return [_own_only(document, groups)] if _own_only(document, groups) else []


def _why_nobody(number: int, group: dict[str, Any]) -> str:
    """Return in words why an approver group has nobody in it."""
    if not group["conditions"]:
        return f"Approver group {number} names nobody."
    alone = [
        one
        for one in people_part(group)["conditions"]
        if not reach.people({"operator": "or", "conditions": [one]}).exists()
    ]
    if not alone:
        return f"Nobody active fulfils all conditions of approver group {number} together."
    return " ".join(f"Nobody active is {whose(one)}." for one in alone)


def _own_only(document: Document, groups: list[dict[str, Any]]) -> str:
    """Refuse a flow whose only requestor is its only approver: nobody approves what they asked for themselves."""
    if document["settings"]["self_approval"]:
        return ""
    asking = list(reach.people(document["requestors"])[:2])
    if len(asking) != 1:
        return ""
    others = [reach.people(group).exclude(pk=asking[0].pk).exists() for group in groups]
    alone = [not could_say_yes(group, other) for group, other in zip(groups, others, strict=True)]
    blocked = any(alone) if document["approval"]["mode"] == ApprovalMode.ALL_OF else all(alone)
    if not blocked:
        return ""
    return f"Only {asking[0]} may ask and only they could approve, but nobody does for themselves: name another."


def doubts(document: Document) -> list[Finding]:
    """Return what a person should look at twice before saving."""
    found = []
    if document["requestors"]["conditions"] and not reach.people(document["requestors"]).exists():
        found.append(Finding(WHO, "Nobody active fulfils this now, so nobody could ask."))
    for target in targets_of(document):
        if not reach.resources(target).exists():
            found.append(Finding(WHAT, f"A target on “{target['resource_type']}” selects nothing now."))
    found += [Finding(APPROVERS, text) for text in _approval_doubts(document)]
    if document["settings"]["self_approval"]:
        text = "Who asks may approve their own request: this was set through the API."
        found.append(Finding(APPROVERS, text))
    if document["duration_seconds"] is None:
        found.append(Finding(TIME, "Access without an end stays until somebody takes it away."))
    return found


def _approval_doubts(document: Document) -> Iterator[str]:
    approval = document["approval"]
    groups = [group for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.NONE or not groups or document["settings"]["self_approval"]:
        return
    for number, group in enumerate(groups, 1):
        if not _anybody(group):
            yield f"{_why_nobody(number, group)} So nobody in approver group {number} could answer."
    decisive = groups if approval["mode"] == ApprovalMode.ALL_OF or len(groups) == 1 else []
    for group in (one for one in decisive if not _alone(one)):
        yield from _lonely(document, group)
        yield from _managerless(document, group)


def _lonely(document: Document, group: dict[str, Any]) -> Iterator[str]:
    """Tell of an approver who is alone and may ask as well."""
    first = list(reach.people(group)[:2])
    if len(first) == 1 and reach.people(document["requestors"]).filter(pk=first[0].pk).exists():
        yield f"Only {first[0]} could approve, and may ask as well: nobody could approve what they ask for themselves."


def _managerless(document: Document, group: dict[str, Any]) -> Iterator[str]:
    """Tell how many who may ask have no manager, where only the manager approves."""
    kinds = [one["type"] == ConditionType.MANAGER for one in people_part(group)["conditions"]]
    needs = any(kinds) if group["operator"] == LogicalOperator.AND else all(kinds)
    if not needs:
        return
    asking = reach.people(document["requestors"])
    without = asking.exclude(manager__in=User.objects.filter(is_active=True))
    number = reach.counted(without)
    if number:
        yield f"{reach.in_words(number, 'person', 'people')} who may ask have no active manager who could approve."
