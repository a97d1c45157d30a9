"""How a policy reads while it is written: the sentence, whom and what it reaches now, what is doubtful or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from accounts.models import User
from flows import reach
from flows.choices import ConditionType, LogicalOperator
from flows.decision.covering import targets_of
from flows.document import names_in
from flows.findings import APPROVERS, FOR, RULES, TIME, WHAT, WHO, Finding, doubts
from flows.forms import PARTS, BundlePage, PolicyForm, ScopePage
from flows.sentence import Phrase, join, phrases
from integrations.queries import limit_doubts

NAMED = 10
# Who is known only when something is asked for.
_LATER = {
    ConditionType.OWNER: "the owner of what is asked for",
    ConditionType.WEBHOOK: "a webhook",
}


@dataclass(frozen=True)
class Fault:
    """One error of the page: where it is (an element's id), and what."""

    anchor: str
    text: str
    part: str = ""


@dataclass(frozen=True)
class People:
    """Whom a group of conditions means now: how many, and the first of them for who may see people."""

    count: str = ""
    first: list[User] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class Reading:
    """What the page shows beside the fields."""

    phrases: list[Phrase] = field(default_factory=list)
    who: People = field(default_factory=People)
    grantees: People = field(default_factory=People)
    selected: str = ""
    doubts: list[Finding] = field(default_factory=list)


def read(form: PolicyForm, *, names: bool) -> Reading:
    """Return how the policy reads now, as far as it can be read; writes the counts into the rows.

    `names` is whether the reader may see who people are.
    """
    draft = form.draft()
    asking, getting = draft["requestors"], (draft.get("request_for") or {}).get("grantees") or {"conditions": []}
    count_targets(form.targets, draft["targets"] if form.data is None else None)
    _count_approvers(form, names=names)
    return Reading(
        phrases=phrases(draft, names_in([draft])),
        who=people_of(asking, names=names),
        grantees=people_of(getting, names=names),
        selected=_some(len(draft["targets"]), "target", "targets") if draft["targets"] else "",
        doubts=doubts(draft) if asking["conditions"] or draft["targets"] else [],
    )


def people_of(group: dict[str, Any], *, names: bool, approving: bool = False) -> People:
    """Return whom a group of conditions means now; nobody, without a count, where it says nothing."""
    if not group["conditions"]:
        return People()
    found = reach.people(group, approving=approving)
    number = reach.counted(found)
    first = list(found.order_by("name", "email").only("name", "email")[:NAMED]) if names and number else []
    return People(f"{reach.in_words(number, 'person', 'people')} now", first, number > len(first))


def _some(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def count_targets(rows: Any, stored: list[dict[str, Any]] | None = None) -> None:
    """Write into each row how many entitlements it selects now, and which limits of its provider it is over."""
    pairs = zip(rows, stored, strict=True) if stored else ((row, row.shown()) for row in rows.kept())
    for row, target in pairs:
        if target is not None:
            whole = list(targets_of({"targets": [target]}))
            number = sum(reach.entitlements_of(one) for one in whole)
            row.counted = f"Selects {reach.in_words(number, 'entitlement', 'entitlements')} now"
            row.doubted = [text for one in whole if "integration" in one for text in limit_doubts(one)]


def _count_approvers(form: PolicyForm, *, names: bool) -> None:
    """Write into each approver group who is in it now. An owner, or another system, is known only with a request."""
    for row in form.approvers:
        group = row.shown()
        later = sorted({_LATER[one["type"]] for one in group["conditions"] if one["type"] in _LATER})
        people = [one for one in group["conditions"] if one["type"] not in _LATER]
        if later and group["operator"] == LogicalOperator.AND:
            row.people = People("known when something is asked for")
            continue
        row.people = people_of(group | {"conditions": people}, names=names, approving=True)
        if later:
            words = join([*([row.people.count] if people else []), *later], "and")
            row.people = replace(row.people, count=words)


def faults(form: PolicyForm) -> list[Fault]:
    """Return all errors of the page, in its order."""
    found = _of_form(form.flow, PARTS)
    found += [Fault("top", str(text)) for text in form.flow.non_field_errors()]
    found += [one for row in form.requestors for one in _of_row(row, "Who may ask, condition", WHO)]
    found += [one for row in form.grantees for one in _of_row(row, "Others, condition", FOR)]
    found += [one for row in form.targets for one in _of_row(row, "Target", WHAT)]
    for group in form.approvers:
        found += _of_row(group, "Approver group", APPROVERS)
        where = f"Approver group {group.number}, condition"
        found += [one for row in group.conditions for one in _of_row(row, where, APPROVERS)]
    found += _of_form(form.window, dict.fromkeys(form.window.fields, TIME))
    found += [one for row in form.fields for one in _of_row(row, "Field", RULES)]
    return found + [Fault(one.part or "top", one.text, one.part) for one in form.findings]


def bundle_faults(form: BundlePage) -> list[Fault]:
    """Return all errors of a bundle's page."""
    found = _of_form(form.own, dict.fromkeys(form.own.fields, "name"))
    found += [one for row in form.targets for one in _of_row(row, "Target", WHAT)]
    return found + [Fault(one.part or "top", one.text, one.part) for one in form.findings]


def _of_form(form: Any, parts: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(form[name].auto_id or "top", f"{form[name].label}: {text}", parts.get(name, ""))
        for name, texts in form.errors.items()
        if name != "__all__"
        for text in texts
    ]


def scope_faults(form: ScopePage) -> list[Fault]:
    """Return all errors of an access scope's page."""
    found = [
        Fault(form.own[name].id_for_label, f"{form.own[name].label}: {text}", "name")
        for name, texts in form.own.errors.items()
        if name != "__all__"
        for text in texts
    ]
    problem = [form.draft.problem.message] if form.draft.problem else []
    return found + [Fault("query-field", text, WHAT) for text in [*problem, *form.wrong]]


def _of_row(row: Any, where: str, part: str) -> list[Fault]:
    return [
        Fault(row[name].auto_id if name in row.fields else part, f"{where} {row.number}: {text}", part)
        for name in row.errors
        for text in row.errors[name]
    ]
