"""The part of a flow's form that is its own columns: trigger, for whom, times, rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms

from flows.choices import ApprovalMode, LogicalOperator, RequestScope, Trigger
from flows.decision.fields import wrong_pattern, wrong_ticket
from flows.findings import APPROVERS, FOR, RULES, SPACE, TIME, WHO
from flows.forms.conditions import JOINS
from flows.forms.fields import Minutes, Values
from flows.models import AccessFlow

if TYPE_CHECKING:
    _FlowForm = forms.ModelForm[AccessFlow]
else:
    # Generic only for the type checker.
    _FlowForm = forms.ModelForm

SCOPES = (
    (RequestScope.SELF.value, "Themselves"),
    (RequestScope.DIRECT_REPORTS.value, "Their direct reports"),
    (RequestScope.OTHERS.value, "Others…"),
)
# In which section of the page each column is written; "name" is its head.
PARTS = {
    "space": SPACE,
    **dict.fromkeys(("name", "description", "active"), "name"),
    **dict.fromkeys(("trigger", "requestor_operator"), WHO),
    **dict.fromkeys(("request_for", "grantee_operator"), FOR),
    **dict.fromkeys(("approval_mode", "escalation_minutes"), APPROVERS),
    **dict.fromkeys(("grant_duration_minutes", "indefinite", "pending_hours"), TIME),
    **dict.fromkeys(("max_extensions", "extension_minutes", "drain_minutes"), TIME),
    **dict.fromkeys(("justification_required", "approver_reason_required", "mfa_required", "break_glass"), RULES),
    "outlasts_eligibility": RULES,
    **dict.fromkeys(("removes_foreign", "ticket_pattern", "ticket_try", "checks", "labels"), RULES),
}
# What is meant where nothing is sent.
_USUAL = {
    "trigger": Trigger.SELF_SERVE.value,
    "requestor_operator": LogicalOperator.OR.value,
    "grantee_operator": LogicalOperator.OR.value,
}
# In the form, but no column of a flow.
BESIDE = ("version", "checks", "ticket_try")


class FlowForm(_FlowForm):
    """A flow's own columns, and the webhooks that check its requests. Self-approval is off in everything made here."""

    request_for = forms.MultipleChoiceField(
        label="For whom",
        choices=SCOPES,
        initial=[RequestScope.SELF.value],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    grant_duration_minutes = Minutes(label="At most", initial=60)
    extension_minutes = Minutes(label="Each by, at most")
    drain_minutes = Minutes(label="Open sessions may go on for")
    max_extensions = forms.IntegerField(
        label="Extensions, at most", required=False, initial=0, min_value=0, max_value=100
    )
    escalation_minutes = Minutes(label="Ask the next step after")
    ticket_pattern = forms.CharField(label="Pattern of its number", required=False, max_length=200)
    ticket_try = forms.CharField(label="Try one", required=False, max_length=200)
    checks = forms.MultipleChoiceField(label="Checks", widget=forms.CheckboxSelectMultiple, required=False)
    labels = Values(label="Labels", help_text="For finding and reporting.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        """The columns that people write."""

        model = AccessFlow
        fields = (
            *("name", "description", "active", "trigger", "requestor_operator", "request_for", "grantee_operator"),
            *("grant_duration_minutes", "indefinite", "max_extensions", "extension_minutes", "escalation_minutes"),
            *("justification_required", "approver_reason_required", "mfa_required", "break_glass", "ticket_pattern"),
            "outlasts_eligibility",
            *("pending_hours", "approval_mode", "labels", "removes_foreign", "drain_minutes"),
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            **dict.fromkeys(("trigger", "requestor_operator", "grantee_operator", "approval_mode"), forms.RadioSelect),
        }
        labels = {
            "active": "Switch it on at once",
            "indefinite": "Without an end",
            "pending_hours": "Hours to answer",
            "justification_required": "A justification is needed",
            "approver_reason_required": "Approvers give a reason",
            "mfa_required": "A second factor is needed",
            "break_glass": "Break-glass",
            "outlasts_eligibility": "Stays when no longer eligible",
            "removes_foreign": "Foreign access to this is removed",
        }
        error_messages = {"name": {"unique": "Another access flow has this name."}}

    def __init__(
        self,
        data: Any = None,
        *,
        instance: AccessFlow | None = None,
        webhooks: Mapping[str, str],
        checks: Iterable[str] = (),
    ) -> None:
        """Remember the version that is shown: whoever saves has read it.

        `checks` are the webhooks in force, by id; `webhooks` are the names of all.
        """
        self.number = instance.current.number if instance and instance.current else 0
        super().__init__(data, instance=instance, initial={"version": self.number, "checks": list(checks)})
        fields: dict[str, Any] = self.fields
        for name in ("requestor_operator", "grantee_operator"):
            fields[name].choices = JOINS
        for name in _USUAL:
            fields[name].required = False
        gone = {one: "a webhook that is not there any more" for one in checks if one not in webhooks}
        fields["checks"].choices = [*webhooks.items(), *gone.items()]
        if instance is not None:
            # An existing flow is switched on its own page, which says what that ends.
            del self.fields["active"]

    @property
    def is_automatic(self) -> bool:
        """Whether what the form holds, right or wrong, is an automatic flow."""
        return str(self["trigger"].value()) == Trigger.AUTOMATIC

    def clean_max_extensions(self) -> int:
        """Nothing is never."""
        return self.cleaned_data["max_extensions"] or 0

    def clean_extension_minutes(self) -> int:
        """Nothing is nothing."""
        return self.cleaned_data["extension_minutes"] or 0

    def clean_drain_minutes(self) -> int:
        """Nothing is nothing."""
        return self.cleaned_data["drain_minutes"] or 0

    def clean_ticket_pattern(self) -> str:
        """Refuse what is no pattern, or could take for ever."""
        pattern: str = self.cleaned_data["ticket_pattern"]
        wrong = wrong_pattern(pattern) if pattern else ""
        if wrong:
            raise forms.ValidationError(wrong)
        return pattern

    def clean(self) -> dict[str, Any]:
        """Refuse a duration that says nothing, or two things; and half an extension."""
        found = super().clean() or self.cleaned_data
        for name, usual in _USUAL.items():
            found[name] = found.get(name) or usual
        if found["trigger"] == Trigger.AUTOMATIC:
            return self._unasked(found)
        self._check_time(found)
        self._check_extensions(found)
        return found

    def _unasked(self, found: dict[str, Any]) -> dict[str, Any]:
        """Drop what nobody is asked for in an automatic flow; the page says so, and hides it."""
        for name in ("grant_duration_minutes", "max_extensions", "extension_minutes", "pending_hours", "drain_minutes"):
            self.errors.pop(name, None)
        found |= {"grant_duration_minutes": None, "indefinite": True, "justification_required": False}
        found |= {"max_extensions": 0, "extension_minutes": 0, "drain_minutes": 0}
        found |= {"approval_mode": ApprovalMode.NONE.value}
        found["pending_hours"] = found.get("pending_hours") or 24
        return found

    def _check_time(self, found: dict[str, Any]) -> None:
        minutes, indefinite = found.get("grant_duration_minutes"), found.get("indefinite")
        if "grant_duration_minutes" in found and bool(minutes) == bool(indefinite):
            told = "Access without an end has no duration: empty it, or untick “Without an end”."
            self.add_error(
                "grant_duration_minutes", told if minutes else "Say how long at most, or tick “Without an end”."
            )
        if found.get("pending_hours") == 0:
            self.add_error("pending_hours", "At least one hour, or nobody could answer in time.")

    def _check_extensions(self, found: dict[str, Any]) -> None:
        times, step = found.get("max_extensions"), found.get("extension_minutes")
        if times and found.get("indefinite"):
            self.add_error("max_extensions", "Access without an end needs no extension: write 0.")
        elif times and step == 0:
            self.add_error("extension_minutes", "Say by how much it is extended each time.")
        elif step and times == 0:
            self.add_error("max_extensions", "Say how often it may be extended.")

    def tried(self) -> str:
        """Return whether the number that is tried fits the pattern, in words; nothing where none is tried."""
        pattern, ticket = (str(self[name].value() or "").strip() for name in ("ticket_pattern", "ticket_try"))
        if not pattern or not ticket:
            return ""
        return wrong_pattern(pattern) or wrong_ticket(pattern, ticket) or f"“{ticket}” fits."
