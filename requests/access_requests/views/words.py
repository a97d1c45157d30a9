"""Policy in words that fit any reader: who is asked, and why."""

from __future__ import annotations

from typing import Any

from flows.choices import ApprovalMode, ConditionType, MatchOperator


def why_asked(document: dict[str, Any], group_index: int) -> str:
    """Return why the members of an approver group are asked: "In the group leads"."""
    groups = document["approval"]["groups"]
    if group_index >= len(groups):
        return ""
    group = groups[group_index]
    joined = f" {group['operator']} ".join(dict.fromkeys(_condition(one) for one in group["conditions"]))
    return joined[:1].upper() + joined[1:]


def _condition(condition: dict[str, Any]) -> str:
    values, operator = ", ".join(condition["values"]), MatchOperator(condition["operator"])
    kind = condition["type"]
    if kind == ConditionType.MANAGER:
        return "the requestor’s manager"
    if kind == ConditionType.OWNER:
        return "owner of what is asked for"
    if kind == ConditionType.WEBHOOK:
        return "another system"
    if operator == MatchOperator.IS and kind == ConditionType.USER:
        return "named by the access flow"
    if operator == MatchOperator.IS and kind == ConditionType.GROUP:
        return f"in the group {values}"
    return f"{kind} {operator.label} {values}"


def approvals_needed(document: dict[str, Any]) -> str:
    """Return how many approvals a flow takes, and whose."""
    approval = document["approval"]
    groups = sum(group.get("tier", 0) == 0 for group in approval["groups"])
    if approval["mode"] == ApprovalMode.NONE:
        return "no approval"
    if approval["mode"] == ApprovalMode.ALL_OF and groups > 1:
        return f"{groups} approvals, one from each group"
    return "one approval"
