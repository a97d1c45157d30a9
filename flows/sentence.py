"""A flow as one English sentence, in phrases that know which part of the flow they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.choices import ApprovalMode, ConditionType, MatchOperator, SelectorMode, SelectorType, TargetKind, Trigger
from flows.decision import Document, people_part, webhooks_of, words_for

_SAYS = {
    MatchOperator.IS: "is",
    MatchOperator.IS_NOT: "is not",
    MatchOperator.CONTAINS: "contains",
    MatchOperator.DOES_NOT_CONTAIN: "does not contain",
    MatchOperator.STARTS_WITH: "starts with",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the sentence. `part` is the section that sets it, or nothing for words in between."""

    text: str
    part: str = ""


def sentence(document: Document, integrations: dict[str, str]) -> str:
    """Return what the flow says; `integrations` names them by id."""
    return "".join(phrase.text for phrase in phrases(document, integrations))


def phrases(document: Document, integrations: dict[str, str]) -> list[Phrase]:
    """Return the sentence in pieces. Also half a flow has one: what is missing is said."""
    who = _people(document["requestors"], "people")
    what = join([target_words(target, integrations) for target in document["targets"]], "and") or "nothing yet"
    first = Phrase(who[:1].upper() + who[1:], "who")
    if document["trigger"] == Trigger.AUTOMATIC:
        return [first, Phrase(" have "), Phrase(what, "what"), Phrase(".")]
    return [
        first,
        Phrase(" may ask, "),
        Phrase("for themselves", "for"),
        Phrase(", for "),
        Phrase(what, "what"),
        Phrase(" "),
        Phrase(time_words(document), "time"),
        *_rules(document, integrations),
        Phrase("; "),
        Phrase(approval_words(document["approval"], integrations), "approvers"),
        *([Phrase(", giving a reason", "rules")] if _reasoned(document) else []),
        Phrase("."),
    ]


def _rules(document: Document, names: dict[str, str]) -> Iterator[Phrase]:
    if document["settings"]["justification_required"]:
        yield Phrase(", ")
        yield Phrase("with a justification", "rules")
    checks = [f"“{names.get(one, 'a webhook')}”" for one in document.get("checks") or ()]
    if checks:
        yield Phrase(", ")
        yield Phrase(f"once {join(checks, 'and')} {'says' if len(checks) == 1 else 'say'} yes", "rules")


def _reasoned(document: Document) -> bool:
    asked = document["approval"]["mode"] != ApprovalMode.NONE
    return asked and bool(document["settings"]["approver_reason_required"])


def time_words(document: Document) -> str:
    """Return how long access lasts, and how often it may be extended."""
    longest, settings = document["duration_seconds"], document["settings"]
    if longest is None:
        return "without an end"
    times = settings.get("max_extensions", 0)
    if not times:
        return f"for at most {words_for(longest)}"
    often = "once" if times == 1 else f"{times} times"
    step = words_for(settings["extension_seconds"])
    return f"for at most {words_for(longest)}, which may be extended {often} by {step}"


def approval_words(approval: dict[str, Any], names: dict[str, str] | None = None) -> str:
    """Return who approves; `names` has those of the webhooks, by id."""
    if approval["mode"] == ApprovalMode.NONE:
        return "nobody has to approve"
    groups = [_people(group, "someone", names) for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.ANY_OF or len(groups) < 2:
        return f"{join(groups, 'or') or 'nobody yet'} approves"
    return f"{join(groups, 'and')} have to approve, each of them"


def _people(group: dict[str, Any], noun: str, names: dict[str, str] | None = None) -> str:
    """Return who fulfils a group of conditions, as people or as someone, and which webhooks are asked as well."""
    systems = [f"the webhook “{(names or {}).get(one, 'unknown')}”" for one in webhooks_of(group)]
    conditions = people_part(group)["conditions"]
    if systems:
        people = [_people(people_part(group), noun)] if conditions else []
        return join([*systems, *people], group["operator"])
    if not conditions:
        return "nobody yet"
    if all(one["type"] == ConditionType.USER and one["operator"] == MatchOperator.IS for one in conditions):
        return join([value for one in conditions for value in one["values"]], "or") or "nobody yet"
    if all(one["type"] == ConditionType.MANAGER and not one["values"] for one in conditions):
        return "the requestor’s manager"
    return f"{noun} {join([whose(one) for one in conditions], group['operator'])}"


def whose(condition: dict[str, Any]) -> str:
    """Return a condition as it follows "people" or "someone"."""
    values = join([f"“{value}”" for value in condition["values"]], "or") or "(no value yet)"
    operator, kind = MatchOperator(condition["operator"]), condition["type"]
    if kind == ConditionType.WEBHOOK:
        return "that is a webhook"
    if kind == ConditionType.MANAGER:
        return "who manages the requestor" + (f" and is {values}" if condition["values"] else "")
    if kind == ConditionType.GROUP and operator in {MatchOperator.IS, MatchOperator.IS_NOT}:
        return f"{'' if operator == MatchOperator.IS else 'not '}in the group {values}"
    names = {ConditionType.USER.value: "e-mail address", ConditionType.GROUP.value: "group"}
    return f"whose {names.get(kind, kind)} {_SAYS[operator]} {values}"


def target_words(target: dict[str, Any], integrations: dict[str, str]) -> str:
    """Return what a target gives."""
    if target["kind"] == TargetKind.BUNDLE:
        return f"everything in the bundle “{target['name']}”"
    where = integrations.get(target["integration"], "an unknown integration")
    permissions = join(list(target["permissions"]), "or") or "no permission"
    included_first = sorted(target["selectors"], key=lambda one: bool(one["mode"] != SelectorMode.INCLUDE))
    narrowed = [_selector(selector) for selector in included_first]
    return " ".join([f"{permissions} on any {target['resource_type']} of {where}", *narrowed])


def _selector(selector: dict[str, Any]) -> str:
    kind = f"tag {selector['key']}" if selector["type"] == SelectorType.TAG else selector["type"]
    values = join([f"“{value}”" for value in selector["values"]], "or")
    word = "whose" if selector["mode"] == SelectorMode.INCLUDE else "except those whose"
    return f"{word} {kind} is {values}"


def join(parts: list[str], word: str) -> str:
    """Return the parts as a list in words."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
