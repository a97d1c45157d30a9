"""Whether anybody could ever approve, and what is doubtful about who could."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from flows import reach
from flows.choices import ApprovalMode, ConditionType, LogicalOperator, MatchOperator, TargetKind, Trigger
from flows.decision.conditions import asked_systems
from flows.decision.covering import Document, targets_of
from flows.models import Webhook
from flows.sentence import whose
from integrations.models import Integration, IntegrationOwner

TIERS_MAX = 5
Group = dict[str, Any]


def about_approval(document: Document) -> list[str]:
    """Refuse what nobody could ever approve, and say of which condition nobody is."""
    approval, found = document["approval"], list(_about_webhooks(document))
    groups = [group for group in approval["groups"] if group.get("tier", 0) == 0]
    if approval["mode"] == ApprovalMode.NONE:
        # What an automatic flow says of approvers is refused with all else that it asks for: see about_rules.
        odd = approval["groups"] and document["trigger"] != Trigger.AUTOMATIC
        return [*found, "Choose who approves, or remove the approver groups."] if odd else found
    if not groups:
        return [*found, "Add an approver group, or choose “No approval”."]
    found += _about_tiers(approval)
    empty = [(number, group) for number, group in enumerate(groups, 1) if not _answerable(group, document)]
    whys = " ".join(_why_nobody(number, group, document) for number, group in empty)
    helped = any(_answerable(group, document) for group in approval["groups"] if group.get("tier", 0))
    if empty and not helped and approval["mode"] == ApprovalMode.ALL_OF:
        return [*found, f"{whys} Every group has to approve, so nobody could ever approve."]
    if len(empty) == len(groups) and not helped:
        return [*found, f"{whys} So nobody could ever approve: name others, or choose “No approval”."]
    own = _own_only(document)
    return [*found, own] if own else found


def _about_tiers(approval: dict[str, Any]) -> Iterator[str]:
    tiers = sorted({group.get("tier", 0) for group in approval["groups"]} - {0})
    if tiers != list(range(1, len(tiers) + 1)) or len(tiers) > TIERS_MAX:
        yield f"Tiers of escalation are numbered from 1, without a gap, up to {TIERS_MAX}."
    if tiers and not approval.get("escalation_seconds"):
        yield "Say after how long the next tier is asked."
    if not tiers and approval.get("escalation_seconds"):
        yield "Nobody is asked after that time: add a tier, or empty it."


def _about_webhooks(document: Document) -> Iterator[str]:
    """Refuse webhooks that are not there, or where they mean nothing."""
    asked = asked_systems(document)
    there = {str(pk) for pk in Webhook.objects.filter(pk__in=reach.uuids(asked)).values_list("pk", flat=True)}
    if asked - there:
        yield "A webhook that this flow asks is not there any more: choose another, or remove it."
    conditions = [one for group in document["approval"]["groups"] for one in group["conditions"]]
    if any(one["type"] == ConditionType.WEBHOOK and one["operator"] != MatchOperator.IS for one in conditions):
        yield "A webhook is named, or it is not: the operator is “is”."
    if any(one["type"] == ConditionType.OWNER and one["operator"] != MatchOperator.IS for one in conditions):
        yield "The owner is asked: the operator is “is”."


def _answerable(group: Group, document: Document) -> bool:
    """Whether somebody could answer for an approver group: a person, or another system."""
    operator, conditions = group["operator"], group["conditions"]
    hooks = [one for one in conditions if one["type"] == ConditionType.WEBHOOK]
    people = [one for one in conditions if one["type"] != ConditionType.WEBHOOK]
    if hooks and (operator != LogicalOperator.AND or not people):
        return True
    owned = [one for one in people if one["type"] == ConditionType.OWNER]
    others = [one for one in people if one["type"] != ConditionType.OWNER]
    if owned and operator == LogicalOperator.OR and _has_owners(document):
        return True
    if owned and operator == LogicalOperator.AND and not _has_owners(document):
        return False
    rest = {"operator": operator, "conditions": others}
    return reach.people(rest, approving=True).exists() if others else bool(owned) and _has_owners(document)


def _has_owners(document: Document) -> bool:
    """Whether what the flow gives has owners: by a tag, or of the integration. A query may give anything that has."""
    targets = list(targets_of(document))
    here = Integration.objects.filter(Q(owners__isnull=False) | ~Q(owner_tag_key=""))
    if all(target["kind"] == TargetKind.INTEGRATION for target in targets):
        here = here.filter(pk__in=[target["integration"] for target in targets])
    return here.exists()


def without_owners(document: Document) -> list[str]:
    """Return the names of integrations that the flow gives something of, and that nobody owns as a fallback."""
    ids = {target["integration"] for target in targets_of(document) if target["kind"] == TargetKind.INTEGRATION}
    owned = IntegrationOwner.objects.values("integration")
    return list(
        Integration.objects.filter(pk__in=ids).exclude(pk__in=owned).order_by("name").values_list("name", flat=True)
    )


def _why_nobody(number: int, group: Group, document: Document) -> str:
    """Return in words why nobody could answer for an approver group."""
    if not group["conditions"]:
        return f"Approver group {number} names nobody."
    alone = [one for one in group["conditions"] if not _answerable({"operator": "or", "conditions": [one]}, document)]
    if not alone:
        return f"Nobody active fulfils all conditions of approver group {number} together."
    return " ".join(_nobody_is(one) for one in alone)


def _nobody_is(condition: dict[str, Any]) -> str:
    if condition["type"] == ConditionType.OWNER:
        return "Nothing that the flow gives has an owner: name owners of its integration."
    return f"Nobody active is {whose(condition)}."


def _own_only(document: Document) -> str:
    """Refuse a flow in which whoever may ask is who would have to approve: nobody approves what they ask for."""
    approval = document["approval"]
    if document["settings"]["self_approval"] or any(_beyond_people(group) for group in approval["groups"]):
        return ""
    asking = reach.people(document["requestors"])
    first = list(asking[:2])
    members = [(group, list(reach.people(group, approving=True)[:2])) for group in approval["groups"]]
    if not first or _could_approve(asking, members, approval["mode"]):
        return ""
    if len(first) == 1:
        return f"Only {first[0]} may ask and only they could approve, but nobody does for themselves: name another."
    return "Whoever may ask would have to approve as well, and nobody does for themselves: name others who approve."


def _could_approve(asking: QuerySet[User], members: list[tuple[Group, list[User]]], mode: str) -> bool:
    """Whether there is one among those who ask whom the others could give all the yes that it takes.

    `members` has the first two of each group: one who asks is missed only where they are alone in it.
    """
    first = [found for group, found in members if group.get("tier", 0) == 0]
    enough = [found for group, found in members if group.get("tier", 0) or mode != ApprovalMode.ALL_OF]
    if any(len(found) > 1 or (found and asking.exclude(pk=found[0].pk).exists()) for found in enough):
        return True
    alone = [found[0].pk for found in first if len(found) == 1]
    return mode == ApprovalMode.ALL_OF and all(first) and asking.exclude(pk__in=alone).exists()


def _beyond_people(group: Group) -> bool:
    """Whether who is in the group is known only when something is asked for."""
    return any(one["type"] in {ConditionType.OWNER, ConditionType.WEBHOOK} for one in group["conditions"])


def approval_doubts(document: Document) -> Iterator[str]:
    """Yield what a person should look at twice before saving."""
    approval = document["approval"]
    groups = [group for group in approval["groups"] if group.get("tier", 0) == 0]
    if approval["mode"] == ApprovalMode.NONE or not groups:
        return
    if any(_beyond_people(group) for group in groups):
        names = without_owners(document) if any(_asks_owner(group) for group in groups) else []
        if names:
            yield f"Nobody owns {', '.join(names)}: what no tag names an owner of could be approved by nobody."
        return
    if document["settings"]["self_approval"]:
        return
    for number, group in enumerate(groups, 1):
        if not reach.people(group, approving=True).exists():
            yield f"{_why_nobody(number, group, document)} So nobody in approver group {number} could answer."
    decisive = groups if approval["mode"] == ApprovalMode.ALL_OF or len(groups) == 1 else []
    for group in decisive:
        yield from _lonely(document, group)
        yield from _managerless(document, group)


def _asks_owner(group: Group) -> bool:
    return any(one["type"] == ConditionType.OWNER for one in group["conditions"])


def _lonely(document: Document, group: Group) -> Iterator[str]:
    """Tell of an approver who is alone and may ask as well."""
    first = list(reach.people(group, approving=True)[:2])
    if len(first) == 1 and reach.people(document["requestors"]).filter(pk=first[0].pk).exists():
        yield f"Only {first[0]} could approve, and may ask as well: nobody could approve what they ask for themselves."


def _managerless(document: Document, group: Group) -> Iterator[str]:
    """Tell how many who may ask have no manager, where only the manager approves."""
    kinds = [one["type"] == ConditionType.MANAGER for one in group["conditions"]]
    needs = any(kinds) if group["operator"] == LogicalOperator.AND else all(kinds)
    if not needs:
        return
    asking = reach.people(document["requestors"])
    without = asking.exclude(manager__in=User.objects.filter(is_active=True))
    number = reach.counted(without)
    if number:
        yield f"{reach.in_words(number, 'person', 'people')} who may ask have no active manager who could approve."
