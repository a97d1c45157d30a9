"""A flow as one English sentence, in phrases that know which part of the flow they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.choices import (
    ApprovalMode,
    ConditionType,
    MatchOperator,
    RequestScope,
    SelectorMode,
    SelectorType,
    TargetKind,
    Trigger,
)
from flows.decision import Document, words_for

_SAYS = {
    MatchOperator.IS: "is",
    MatchOperator.IS_NOT: "is not",
    MatchOperator.CONTAINS: "contains",
    MatchOperator.DOES_NOT_CONTAIN: "does not contain",
    MatchOperator.STARTS_WITH: "starts with",
}
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the sentence. `part` is the section that sets it, or nothing for words in between."""

    text: str
    part: str = ""


def sentence(document: Document, names: Mapping[str, str]) -> str:
    """Return what the flow says; `names` are those of integrations and webhooks by id (flows.document.names_in)."""
    return "".join(phrase.text for phrase in phrases(document, names))


def phrases(document: Document, names: Mapping[str, str]) -> list[Phrase]:
    """Return the sentence in pieces. Also half a flow has one: what is missing is said."""
    who = _people(document["requestors"], "people", names)
    what = join([target_words(target, names) for target in document["targets"]], "and") or "nothing yet"
    first = Phrase(who[:1].upper() + who[1:], "who")
    if document["trigger"] == Trigger.AUTOMATIC:
        given = [first, Phrase(" have "), Phrase(what, "what"), Phrase(" without asking, as long as they are that")]
        return [*given, *_window(document), *_foreign(document), *_lies(document), Phrase(".")]
    return [
        first,
        Phrase(" may ask, "),
        Phrase(for_words(document, names), "for"),
        Phrase(", for "),
        Phrase(what, "what"),
        Phrase(" "),
        Phrase(time_words(document), "time"),
        *_window(document),
        *_rules(document),
        Phrase("; "),
        *_checks(document, names),
        Phrase(approval_words(document["approval"], names), "approvers"),
        *([Phrase(", giving a reason", "rules")] if _reasoned(document) else []),
        *_own(document),
        *_emergency(document),
        *_drain(document),
        *_lies(document),
        Phrase("."),
    ]


def _lies(document: Document) -> Iterator[Phrase]:
    """Tell what holds it, whatever its targets select."""
    if document.get("space"):
        yield Phrase("; ")
        yield Phrase(f"of all that, only what the space “{document['space']['name']}” covers", "space")


def for_words(document: Document, names: Mapping[str, str]) -> str:
    """Return for whom access may be asked."""
    told = document.get("request_for") or {}
    scopes = told.get("scopes") or [RequestScope.SELF]
    grantees = told.get("grantees") or {"conditions": []}
    others = _people(grantees, "people", names) if grantees["conditions"] else "other people"
    words = {
        RequestScope.SELF: "themselves",
        RequestScope.DIRECT_REPORTS: "their direct reports",
        RequestScope.OTHERS: others,
    }
    return f"for {join([word for scope, word in words.items() if scope in scopes], 'or')}"


def _window(document: Document) -> Iterator[Phrase]:
    if document.get("timeframe"):
        yield Phrase(", ")
        yield Phrase(window_words(document["timeframe"]), "time")


def window_words(window: dict[str, Any]) -> str:
    """Return when a flow may be used: "Monday to Friday from 08:00 to 18:00 (Europe/Berlin)"."""
    days = [day for day in _WEEK if day.upper() in window["days"]]
    places = [_WEEK.index(day) for day in days]
    if len(days) == len(_WEEK):
        on = "every day"
    elif len(days) > 2 and places == list(range(places[0], places[-1] + 1)):
        on = f"{days[0]} to {days[-1]}"
    else:
        on = join(days, "and") or "on no day yet"
    return f"{on} from {window['start']} to {window['end']} ({window['time_zone']})"


def _rules(document: Document) -> Iterator[Phrase]:
    """Tell what whoever asks has to bring along."""
    settings = document["settings"]
    fields = settings.get("fields") or []
    wanted = [
        *(["a justification"] if settings["justification_required"] else []),
        *(["a ticket"] if settings.get("ticket_pattern") else []),
        *(["a second factor"] if settings.get("mfa_required") else []),
        *(f"“{one['label']}”" for one in fields if one.get("required")),
    ]
    optional = [f"“{one['label']}”" for one in fields if not one.get("required")]
    if wanted:
        yield Phrase(", ")
        yield Phrase(f"with {join(wanted, 'and')}", "rules")
    if optional:
        yield Phrase(", ")
        yield Phrase(f"and {join(optional, 'and')} if they like", "rules")


def _checks(document: Document, names: Mapping[str, str]) -> Iterator[Phrase]:
    checks = sorted(_webhook(one, names) for one in document.get("checks") or ())
    if checks:
        verb = "has" if len(checks) == 1 else "have"
        yield Phrase(f"{join(checks, 'and')} {verb} to say yes first", "rules")
        yield Phrase(", then ")


def _webhook(pk: str, names: Mapping[str, str]) -> str:
    return f"the webhook “{names[pk]}”" if pk in names else "an unknown webhook"


def _reasoned(document: Document) -> bool:
    asked = document["approval"]["mode"] != ApprovalMode.NONE
    return asked and bool(document["settings"]["approver_reason_required"])


def _own(document: Document) -> Iterator[Phrase]:
    if document["approval"]["mode"] != ApprovalMode.NONE and document["settings"]["self_approval"]:
        yield Phrase(", and may do so for themselves", "approvers")


def _emergency(document: Document) -> Iterator[Phrase]:
    if document["settings"].get("break_glass"):
        yield Phrase("; ")
        yield Phrase("in an emergency it opens at once and is reviewed afterwards", "rules")
    if not document["settings"].get("only_while_eligible", True):
        yield Phrase("; ")
        yield Phrase("open access stays when they are no longer eligible", "rules")


def _drain(document: Document) -> Iterator[Phrase]:
    seconds = document["settings"].get("drain_seconds")
    if seconds:
        yield Phrase("; ")
        yield Phrase(f"sessions that are open at the end may go on for {words_for(seconds)}", "time")


def _foreign(document: Document) -> Iterator[Phrase]:
    if document["settings"].get("removes_foreign"):
        yield Phrase("; ")
        yield Phrase("who has it from elsewhere, and is not named here, loses it", "rules")


def time_words(document: Document) -> str:
    """Return how long access lasts, and how often it may be extended."""
    longest, settings = document["duration_seconds"], document["settings"]
    if longest is None:
        return "without an end"
    times = settings.get("max_extensions", 0)
    if not times:
        return f"for at most {words_for(longest)}"
    often = {1: "once", 2: "twice"}.get(times, f"{times} times")
    step = words_for(settings["extension_seconds"])
    each = f"{step} each time" if times > 1 else step
    return f"for at most {words_for(longest)}, which may be extended {often} by {each}"


def approval_words(approval: dict[str, Any], names: Mapping[str, str] = NO_NAMES) -> str:
    """Return who approves, and who is asked later when nobody answers."""
    if approval["mode"] == ApprovalMode.NONE:
        return "nobody has to approve"
    groups = [_people(group, "someone", names) for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.ANY_OF or len(groups) < 2:
        first = f"{join(groups, 'or') or 'nobody yet'} approves"
    else:
        first = f"{join(groups, 'and')} have to approve, each of them"
    return f"{first}{_tier_words(approval, names)}"


def _tier_words(approval: dict[str, Any], names: Mapping[str, str]) -> str:
    later = sorted({group["tier"] for group in approval["groups"]} - {0})
    if not later:
        return ""
    asked = [
        join([_people(group, "someone", names) for group in approval["groups"] if group["tier"] == tier], "or")
        for tier in later
    ]
    every = approval.get("escalation_seconds")
    after = f"for {words_for(every)}" if every else "in time"
    then = "".join(f", then {each}" for each in asked[1:])
    return f", and if nobody answers {after} also {asked[0]}{then}"


def _people(group: dict[str, Any], noun: str, names: Mapping[str, str]) -> str:
    """Return who fulfils a group of conditions, as people or as someone."""
    conditions = group["conditions"]
    if not conditions:
        return "nobody yet"
    called = [one for one in conditions if one["type"] == ConditionType.WEBHOOK]
    rest = [one for one in conditions if one["type"] != ConditionType.WEBHOOK]
    webhooks = [_webhook(value, names) for one in called for value in one["values"]]
    return join([*([_persons(rest, group["operator"], noun, names)] if rest else []), *webhooks], group["operator"])


def _persons(conditions: list[dict[str, Any]], operator: str, noun: str, names: Mapping[str, str]) -> str:
    if all(one["type"] == ConditionType.USER and one["operator"] == MatchOperator.IS for one in conditions):
        return join([value for one in conditions for value in one["values"]], "or") or "nobody yet"
    if all(one["type"] == ConditionType.MANAGER and not one["values"] for one in conditions):
        return "the requestor’s manager" if noun == "someone" else f"{noun} who have a manager"
    if all(one["type"] == ConditionType.OWNER for one in conditions):
        return "the owner of what is asked for"
    told = [whose(one, names) if noun == "someone" else _of_whom(one, names) for one in conditions]
    return f"{noun} {join(told, operator)}"


def _of_whom(condition: dict[str, Any], names: Mapping[str, str]) -> str:
    """Return a condition on whoever asks or gets access: their own manager is meant there."""
    if condition["type"] != ConditionType.MANAGER:
        return whose(condition, names)
    if not condition["values"]:
        return "who have a manager"
    return whose(condition | {"type": "manager’s e-mail address"}, names)


def whose(condition: dict[str, Any], names: Mapping[str, str] = NO_NAMES) -> str:
    """Return a condition as it follows "people" or "someone"."""
    values = join([f"“{value}”" for value in condition["values"]], "or") or "(no value yet)"
    operator, kind = MatchOperator(condition["operator"]), condition["type"]
    source = f" (from {names[condition['source']]})" if condition.get("source") in names else ""
    if kind == ConditionType.OWNER:
        return "who owns what is asked for"
    if kind == ConditionType.WEBHOOK:
        return join([_webhook(value, names) for value in condition["values"]], "or") or "a webhook"
    if kind == ConditionType.MANAGER:
        return "who manages the requestor" + (f" and is {values}" if condition["values"] else "")
    if kind == ConditionType.GROUP and operator in {MatchOperator.IS, MatchOperator.IS_NOT}:
        return f"{'' if operator == MatchOperator.IS else 'not '}in the group {values}{source}"
    words = {ConditionType.USER.value: "e-mail address", ConditionType.GROUP.value: "group"}
    return f"whose {words.get(kind, kind)} {_SAYS[operator]} {values}{source}"


def target_words(target: dict[str, Any], names: Mapping[str, str]) -> str:
    """Return what a target gives."""
    if target["kind"] == TargetKind.BUNDLE:
        return f"everything in the bundle “{target['name']}”"
    if target["kind"] == TargetKind.ACCESS_SCOPE:
        return f"everything in the scope “{target['name']}”"
    if target["kind"] == TargetKind.QUERY:
        return f"everything with {' '.join(target['query'].split())}"
    where = names.get(target["integration"], "an unknown integration")
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
