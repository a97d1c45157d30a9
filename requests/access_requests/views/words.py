"""Policy in words that fit any reader: who is asked, and why."""

from __future__ import annotations

from typing import Any

from access_requests.models import AccessRequest
from accounts.models import User
from flows.choices import ConditionType, MatchOperator
from flows.decision import people_part
from flows.decision.deciding import approvals
from flows.decision.explaining import approval_in_words


def why_asked(document: dict[str, Any], group_index: int) -> str:
    """Return why the members of an approver group are asked: "In the group leads"."""
    groups = document["approval"]["groups"]
    if group_index >= len(groups):
        return ""
    group = people_part(groups[group_index])
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


def why_held(access: AccessRequest, reader: User) -> str:
    """Return why somebody holds what a flow gives by itself; nothing for what was asked for.

    Reads the flow's current version, which pages read beforehand.
    """
    current = access.flow_version.flow.current
    if not access.automatic or current is None:
        return ""
    who = current.document["requestors"]
    said = _of_oneself if reader.pk == access.grantee_id else _of_another
    joined = f" {who['operator']} ".join(dict.fromkeys(said(one) for one in who["conditions"]))
    return f"By the access flow {current.document['name']}, as long as {joined}."


def _of_oneself(condition: dict[str, Any]) -> str:
    """Say a condition to who fulfils it."""
    said = _of_another(condition)
    for theirs, own in (("it names them", "it names you"), ("they are", "you are"), ("they have", "you have")):
        said = said.replace(theirs, own, 1) if said.startswith(theirs) else said
    return f"your {said.removeprefix('their ')}" if said.startswith("their ") else said


def _of_another(condition: dict[str, Any]) -> str:
    """Say a condition of who fulfils it."""
    values, operator = " or ".join(condition["values"]), MatchOperator(condition["operator"])
    kind = condition["type"]
    if kind == ConditionType.USER and operator == MatchOperator.IS:
        return "it names them"
    if kind == ConditionType.GROUP and operator == MatchOperator.IS:
        return f"they are in the group {values}"
    if kind == ConditionType.MANAGER and not values:
        return "they have a manager"
    return f"their {kind} {operator.label} {values}"


def approvals_needed(document: dict[str, Any]) -> str:
    """Return how many approvals a flow takes, and whose."""
    words = approval_in_words(document)
    return f"{words}, one from each group" if approvals(document) > 1 else words
