"""The form of a flow: its own columns, and rows for requestors, targets and approvers."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict

from flows.choices import TargetKind
from flows.decision import Document
from flows.document import assemble
from flows.findings import APPROVERS, WHAT, WHO, Finding, refusals
from flows.forms.conditions import JOINS, ConditionForm, GroupForm, attribute_types, refuse_unknown
from flows.forms.fields import Minutes, Values
from flows.forms.rows import Rows, hush
from flows.forms.targets import Shelf, TargetForm, chosen_integrations, row_of
from flows.models import AccessFlow

if TYPE_CHECKING:
    _FlowForm = forms.ModelForm[AccessFlow]
else:
    # Generic only for the type checker.
    _FlowForm = forms.ModelForm


class FlowForm(_FlowForm):
    """A flow's own columns. Only what works is offered; self-approval is off in everything made here."""

    grant_duration_minutes = Minutes(label="At most", initial=60)
    extension_minutes = Minutes(label="Each by, at most")
    max_extensions = forms.IntegerField(
        label="Extensions, at most", required=False, initial=0, min_value=0, max_value=100
    )
    labels = Values(label="Labels", help_text="For finding and reporting.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        """The columns that people write."""

        model = AccessFlow
        fields = (
            *("name", "description", "active", "requestor_operator", "grant_duration_minutes", "indefinite"),
            *("max_extensions", "extension_minutes", "justification_required", "approver_reason_required"),
            *("pending_hours", "approval_mode", "labels"),
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "requestor_operator": forms.RadioSelect,
            "approval_mode": forms.RadioSelect,
        }
        labels = {
            "active": "Switch it on at once",
            "indefinite": "Without an end",
            "pending_hours": "Hours to answer",
            "justification_required": "A justification is needed",
            "approver_reason_required": "Approvers give a reason",
        }
        error_messages = {"name": {"unique": "Another access flow has this name."}}

    def __init__(self, data: Any = None, *, instance: AccessFlow | None = None) -> None:
        """Remember the version that is shown: whoever saves has read it."""
        self.number = instance.current.number if instance and instance.current else 0
        super().__init__(data, instance=instance, initial={"version": self.number})
        join: Any = self.fields["requestor_operator"]
        join.choices = JOINS
        if instance is not None:
            # An existing flow is switched on its own page, which says what that ends.
            del self.fields["active"]

    def clean_max_extensions(self) -> int:
        """Nothing is never."""
        return self.cleaned_data["max_extensions"] or 0

    def clean_extension_minutes(self) -> int:
        """Nothing is nothing."""
        return self.cleaned_data["extension_minutes"] or 0

    def clean(self) -> dict[str, Any]:
        """Refuse a duration that says nothing, or two things; and half an extension."""
        found = super().clean() or self.cleaned_data
        minutes, indefinite = found.get("grant_duration_minutes"), found.get("indefinite")
        if "grant_duration_minutes" in found and bool(minutes) == bool(indefinite):
            told = "Access without an end has no duration: empty it, or untick “Without an end”."
            self.add_error(
                "grant_duration_minutes", told if minutes else "Say how long at most, or tick “Without an end”."
            )
        if found.get("pending_hours") == 0:
            self.add_error("pending_hours", "At least one hour, or nobody could answer in time.")
        times, step = found.get("max_extensions"), found.get("extension_minutes")
        if times and indefinite:
            self.add_error("max_extensions", "Access without an end needs no extension: write 0.")
        elif times and step == 0:
            self.add_error("extension_minutes", "Say by how much it is extended each time.")
        elif step and times == 0:
            self.add_error("max_extensions", "Say how often it may be extended.")
        return found


class PolicyForm:
    """The whole page: a flow's columns and the lists below it."""

    def __init__(self, flow: AccessFlow | None = None, data: QueryDict | None = None) -> None:
        """Show `flow`, or what was sent; checking never changes the flow that is given. Raises rows.BadRows."""
        before = flow.current.document if flow and flow.current else None
        rows = rows_of(before) if before else {"requestors": [{}], "targets": [{}], "approvers": [{}]}
        self.before, self.data = before, data
        # A copy: checking a model form writes into its row.
        self.flow = FlowForm(data, instance=copy(flow))
        types = sorted({*attribute_types(), *(one["type"] for one in _conditions(before))})
        self.requestors = Rows(ConditionForm, "requestors", data, rows["requestors"], types=types)
        self.shelf = Shelf(chosen_integrations(data, rows["targets"]))
        self.targets = Rows(TargetForm, "targets", data, rows["targets"], shelf=self.shelf)
        self.approvers = Rows(GroupForm, "approvers", data, rows["approvers"], types=types)
        self.findings: list[Finding] = []

    def is_valid(self) -> bool:
        """Check everything, so that every problem shows at once."""
        parts = (self.flow, self.requestors, self.targets, self.approvers)
        valid = not [part for part in parts if not part.is_valid()]
        rows = [*self.requestors.kept(), *(row for group in self.approvers for row in group.conditions.kept())]
        refuse_unknown(rows, _known(self.before))
        return valid and all(row.is_valid() for row in rows)

    def quiet(self) -> None:
        """Show no errors: the policy is still being written."""
        hush(self.flow)
        for row in (*self.requestors, *self.targets, *self.approvers):
            row.quiet()

    def columns(self) -> dict[str, Any]:
        """Return the flow's own columns."""
        return {name: value for name, value in self.flow.cleaned_data.items() if name != "version"}

    def document(self) -> Document:
        """Return requestors, targets and approvers as flows.actions.define takes them."""
        return {
            "requestors": {"conditions": [row.told() for row in self.requestors.kept()]},
            "targets": [row.told() for row in self.targets.kept()],
            "approval": {"groups": [group.told() for group in self.approvers.kept()]},
        }

    def draft(self) -> Document:
        """Return what would be saved, as far as it can be read: what is wrong or missing is left out."""
        if self.data is None:
            return self.before or assemble(self.flow.instance, [], [], [])
        self.flow.is_valid()
        groups = [group for group in self.approvers if group.is_valid() or group.conditions.kept()]
        return assemble(
            self.flow.instance,
            [row.told() for row in self.requestors.kept()],
            [shown for row in self.targets.kept() if (shown := row.shown()) is not None],
            [told for group in groups if (told := group.told())["conditions"]],
        )

    def look_further(self) -> None:
        """Find what policy refuses in the sections whose fields are right, so that a person hears it at once."""
        wrong = {WHO: self.requestors, WHAT: self.targets, APPROVERS: self.approvers}
        whole = {part for part, rows in wrong.items() if all(row.is_valid() for row in rows)}
        self.add_findings(one for one in refusals(self.draft()) if one.part in whole)

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Show why the policy as a whole is refused."""
        self.findings.extend(findings)


def _known(document: Document | None) -> set[tuple[str, str]]:
    """Return the values that the flow in force names: who left since may stay named."""
    return {(one["type"], value) for one in _conditions(document) for value in one["values"]}


def _conditions(document: Document | None) -> list[dict[str, Any]]:
    if document is None:
        return []
    groups = document["approval"]["groups"]
    return [*document["requestors"]["conditions"], *(one for group in groups for one in group["conditions"])]


def rows_of(document: Document) -> dict[str, list[dict[str, Any]]]:
    """Return a flow's document as the rows of the form: the reverse of PolicyForm.document."""
    return {
        "requestors": [dict(one) for one in document["requestors"]["conditions"]],
        "targets": [row_of(target) for target in document["targets"]],
        "approvers": [
            {"operator": group["operator"], "conditions": [dict(one) for one in group["conditions"]]}
            for group in document["approval"]["groups"]
        ],
    }


def beyond_the_form(document: Document) -> str:
    """Return what of a flow the form cannot show, so that saving it here would lose it; nothing for most."""
    if any(target["kind"] not in {TargetKind.INTEGRATION, TargetKind.BUNDLE} for target in document["targets"]):
        return "access scopes or queries as targets"
    if any(group["tier"] for group in document["approval"]["groups"]):
        return "escalation tiers"
    return ""
