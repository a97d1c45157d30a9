"""A flow as one English sentence."""

from __future__ import annotations

from typing import Any

from flows.choices import ApprovalMode, MatchOperator, SelectorMode, SelectorType, Trigger
from flows.decision import Document, words_for

_SAYS = {
    MatchOperator.IS: "is",
    MatchOperator.IS_NOT: "is not",
    MatchOperator.CONTAINS: "contains",
    MatchOperator.DOES_NOT_CONTAIN: "does not contain",
    MatchOperator.STARTS_WITH: "starts with",
}


def sentence(document: Document, integrations: dict[str, str]) -> str:
    """Return what the flow says; `integrations` names them by id."""
    who = _people(document["requestors"])
    what = _join([_target(target, integrations) for target in document["targets"]], "and") or "nothing"
    longest = document["duration_seconds"]
    long = "without an end" if longest is None else f"for at most {words_for(longest)}"
    if document["trigger"] == Trigger.AUTOMATIC:
        return f"Whoever is {who} has {what}."
    return f"Whoever is {who} may ask for {what} {long}; {_approval(document)}."


def _people(group: dict[str, Any]) -> str:
    return _join([_condition(condition) for condition in group["conditions"]], group["operator"]) or "nobody"


def _condition(condition: dict[str, Any]) -> str:
    values = _join([f"“{value}”" for value in condition["values"]], "or")
    operator, kind = condition["operator"], condition["type"]
    if kind == "manager" and not values:
        return "the requestor’s manager"
    if operator == MatchOperator.IS:
        return {"user": values, "group": f"in the group {values}"}.get(kind, f"someone whose {kind} is {values}")
    return f"someone whose {kind} {_SAYS[MatchOperator(operator)]} {values}"


def _target(target: dict[str, Any], integrations: dict[str, str]) -> str:
    where = integrations.get(target["integration"], "an unknown integration")
    permissions = _join(list(target["permissions"]), "or") or "no permission"
    narrowed = [_selector(selector) for selector in target["selectors"]]
    return " ".join([f"{permissions} on any {target['resource_type']} of {where}", *narrowed])


def _selector(selector: dict[str, Any]) -> str:
    kind = f"tag {selector['key']}" if selector["type"] == SelectorType.TAG else selector["type"]
    values = _join([f"“{value}”" for value in selector["values"]], "or")
    word = "whose" if selector["mode"] == SelectorMode.INCLUDE else "except those whose"
    return f"{word} {kind} is {values}"


def _approval(document: Document) -> str:
    approval = document["approval"]
    if approval["mode"] == ApprovalMode.NONE:
        return "nobody has to approve"
    groups = [_people(group) for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.ANY_OF or len(groups) == 1:
        return f"someone who is {_join(groups, 'or')} approves"
    return f"one from each of these approves: {'; '.join(groups)}"


def _join(parts: list[str], word: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
