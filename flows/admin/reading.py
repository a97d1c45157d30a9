"""How a policy reads while it is written: the sentence, whom and what it reaches now, what is doubtful or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flows import reach
from flows.decision import targets_of
from flows.document import names_in
from flows.findings import APPROVERS, WHAT, WHO, Finding, doubts
from flows.forms import BundlePage, PolicyForm, ScopePage
from flows.sentence import Phrase, phrases

# Sections in which the columns of a flow are written; "name" is the page's head.
_PARTS = {
    "name": "name",
    "description": "name",
    "requestor_operator": WHO,
    "approval_mode": APPROVERS,
    "justification_required": "rules",
    "approver_reason_required": "rules",
    "labels": "rules",
}


@dataclass(frozen=True)
class Fault:
    """One error of the page: where it is (an element's id), and what."""

    anchor: str
    text: str
    part: str = ""


@dataclass(frozen=True)
class Reading:
    """What the page shows beside the fields."""

    phrases: list[Phrase] = field(default_factory=list)
    people: str = ""
    selected: str = ""
    doubts: list[Finding] = field(default_factory=list)


def read(form: PolicyForm) -> Reading:
    """Return how the policy reads now, as far as it can be read; writes the counts into the rows."""
    draft = form.draft()
    asking = draft["requestors"]
    count_targets(form.targets, draft["targets"] if form.data is None else None)
    _count_approvers(form, draft["approval"]["groups"])
    return Reading(
        phrases=phrases(draft, names_in([draft])),
        people=_people(asking) if asking["conditions"] else "",
        selected=_some(len(draft["targets"]), "target", "targets") if draft["targets"] else "",
        doubts=doubts(draft) if asking["conditions"] or draft["targets"] else [],
    )


def _people(group: dict[str, Any]) -> str:
    return f"{reach.in_words(reach.counted(reach.people(group)), 'person', 'people')} now"


def _some(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def count_targets(rows: Any, stored: list[dict[str, Any]] | None = None) -> None:
    """Write into each row how many entitlements it selects now."""
    pairs = zip(rows, stored, strict=True) if stored else ((row, row.shown()) for row in rows.kept())
    for row, target in pairs:
        if target is not None:
            number = sum(reach.entitlements_of(one) for one in targets_of({"targets": [target]}))
            row.counted = f"Selects {reach.in_words(number, 'entitlement', 'entitlements')} now"


def _count_approvers(form: PolicyForm, groups: list[dict[str, Any]]) -> None:
    """Write into each approver group how many people are in it now."""
    kept = [row for row in form.approvers if form.data is None or row.conditions.kept()]
    for row, group in zip(kept, groups, strict=False):
        row.counted = _people(group)


def faults(form: PolicyForm) -> list[Fault]:
    """Return all errors of the page, in its order."""
    found = [
        Fault(form.flow[name].id_for_label or "top", f"{form.flow[name].label}: {text}", _PARTS.get(name, "time"))
        for name, texts in form.flow.errors.items()
        if name != "__all__"
        for text in texts
    ]
    found += [Fault("top", str(text)) for text in form.flow.non_field_errors()]
    found += [one for row in form.requestors for one in _of_row(row, "Who may ask, condition", WHO)]
    found += [one for row in form.targets for one in _of_row(row, "Target", WHAT)]
    for group in form.approvers:
        found += _of_row(group, "Approver group", APPROVERS)
        where = f"Approver group {group.number}, condition"
        found += [one for row in group.conditions for one in _of_row(row, where, APPROVERS)]
    return found + [Fault(one.part or "top", one.text, one.part) for one in form.findings]


def bundle_faults(form: BundlePage) -> list[Fault]:
    """Return all errors of a bundle's page."""
    found = [
        Fault(form.own[name].id_for_label, f"{form.own[name].label}: {text}", "name")
        for name, texts in form.own.errors.items()
        if name != "__all__"
        for text in texts
    ]
    found += [one for row in form.targets for one in _of_row(row, "Target", WHAT)]
    return found + [Fault(one.part or "top", one.text, one.part) for one in form.findings]


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
