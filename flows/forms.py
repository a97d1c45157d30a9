"""The form of a flow: its own columns, and rows for requestors, targets and approvers. Values are text, one a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import formset_factory

from accounts.models import Attribute
from flows.choices import ConditionType, LogicalOperator, MatchOperator, SelectorMode, SelectorType, TargetKind
from flows.decision import Document
from flows.models import AccessFlow
from integrations.models import Integration, Permission, ResourceType

if TYPE_CHECKING:
    _FlowForm = forms.ModelForm[AccessFlow]
    _Rows = forms.BaseFormSet[Any]
else:
    # Generic only for the type checker.
    _FlowForm, _Rows = forms.ModelForm, forms.BaseFormSet

BLANK_ROWS = 2
ROWS_MAX = 200
GROUPS_MAX = 20


class Lines(forms.CharField):
    """A list of values: one a line, so that a value may hold a comma."""

    def __init__(self, **told: Any) -> None:
        """Show a small text area."""
        super().__init__(widget=forms.Textarea(attrs={"rows": 2, "cols": 30}), max_length=20000, **told)

    def to_python(self, value: Any) -> Any:
        """Return the lines that hold anything, each once."""
        lines = (line.strip() for line in (super().to_python(value) or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def validate(self, value: Any) -> None:
        """Refuse nothing where something is needed."""
        forms.Field.validate(self, value)

    def run_validators(self, value: Any) -> None:
        """Validate the text that the lines make."""
        super().run_validators("\n".join(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, so that a blank row counts as blank."""
        return bool(list(initial or []) != self.to_python(data))

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(str(one) for one in value) if isinstance(value, list | tuple) else value


class FlowForm(_FlowForm):
    """A flow's own columns. Only what works is offered; self-approval is off in everything made here."""

    labels = Lines(required=False, help_text="One a line; for finding and reporting.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        """The columns that people write."""

        model = AccessFlow
        fields = (
            *("name", "description", "active", "requestor_operator", "grant_duration_minutes", "indefinite"),
            *("justification_required", "approver_reason_required", "pending_hours", "approval_mode", "labels"),
        )
        widgets = {
            "name": forms.TextInput(attrs={"class": "vTextField"}),
            "description": forms.Textarea(attrs={"rows": 2}),
        }
        labels = {"grant_duration_minutes": "Minutes at most", "pending_hours": "Hours to answer"}

    def __init__(self, data: Any = None, *, instance: AccessFlow | None = None) -> None:
        """Remember the version that is shown: whoever saves has read it."""
        self.number = instance.current.number if instance and instance.current else None
        super().__init__(data, instance=instance, initial={"version": self.number})

    def clean_version(self) -> None:
        """Refuse to save over what somebody else saved meanwhile."""
        if self.cleaned_data["version"] != self.number:
            raise forms.ValidationError(
                f"Somebody saved version {self.number} meanwhile. Open the flow again and make your change there."
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a duration that says nothing, or two things."""
        found = super().clean() or self.cleaned_data
        minutes, indefinite = found.get("grant_duration_minutes"), found.get("indefinite")
        if "grant_duration_minutes" in found and bool(minutes) == bool(indefinite):
            told = "Access without an end has no minutes: empty them, or untick “indefinite”."
            self.add_error("grant_duration_minutes", told if minutes else "Say how long at most, or tick “indefinite”.")
        if found.get("pending_hours") == 0:
            self.add_error("pending_hours", "At least one hour, or nobody could answer in time.")
        return found


class ConditionForm(forms.Form):
    """One condition: type, operator, values."""

    type = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"list": "condition-types", "size": 16}))
    operator = forms.ChoiceField(choices=MatchOperator.choices, initial=MatchOperator.IS)
    values = Lines(required=False)
    source = forms.ModelChoiceField(Integration.objects.all(), required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Want values of all but the manager; write addresses as the directory does."""
        found = super().clean() or self.cleaned_data
        kind, values = found.get("type"), found.get("values", [])
        if kind in {ConditionType.USER, ConditionType.MANAGER}:
            found["values"] = [value.lower() for value in values]
        if kind and kind != ConditionType.MANAGER and not values and "values" in found:
            self.add_error("values", "Give at least one value, one a line.")
        return found


class ApproverForm(ConditionForm):
    """A condition on approvers: the number says which group it belongs to, and how that group joins its conditions."""

    group = forms.IntegerField(min_value=1, max_value=GROUPS_MAX, widget=forms.NumberInput(attrs={"size": 3}))
    joined_by = forms.ChoiceField(choices=LogicalOperator.choices, initial=LogicalOperator.OR)

    field_order = ("group", "joined_by", "type", "operator", "values")


class TargetForm(forms.Form):
    """What can be asked for: permissions on one resource type of an integration, narrowed by name, id or tag."""

    integration = forms.ModelChoiceField(Integration.objects.all())
    resource_type = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"list": "resource-types"}))
    permissions = Lines(help_text="Ids, one a line.")
    include_name = Lines(required=False, label="Only these names")
    include_id = Lines(required=False, label="Only these ids")
    include_tag = Lines(required=False, label="Only these tags", help_text="key=value, one a line.")
    exclude_name = Lines(required=False, label="Not these names")
    exclude_id = Lines(required=False, label="Not these ids")
    exclude_tag = Lines(required=False, label="Not these tags", help_text="key=value, one a line.")

    def narrowing(self) -> list[forms.BoundField]:
        """Return the fields that narrow the target."""
        return [self[name] for name in self.fields if name.startswith(("include_", "exclude_"))]

    def narrows(self) -> bool:
        """Whether one of them says anything, so that the page shows them."""
        return any(field.value() or (self.is_bound and field.errors) for field in self.narrowing())

    def clean_include_tag(self) -> list[str]:
        """Refuse a tag that is no pair."""
        return _pairs(self.cleaned_data["include_tag"])

    def clean_exclude_tag(self) -> list[str]:
        """Refuse a tag that is no pair."""
        return _pairs(self.cleaned_data["exclude_tag"])

    def clean(self) -> dict[str, Any]:
        """Refuse types and permissions that the integration does not have, and name those it has."""
        found = super().clean() or self.cleaned_data
        where, kind = found.get("integration"), found.get("resource_type")
        if where is None or not kind:
            return found
        kinds = sorted(ResourceType.objects.filter(integration=where).values_list("type", flat=True))
        if kind not in kinds:
            self.add_error("resource_type", f"{where} has: {', '.join(kinds) or 'nothing yet'}.")
            return found
        rows = Permission.objects.filter(resource_type__integration=where, resource_type__type=kind)
        known = sorted(rows.values_list("source_id", flat=True))
        if set(found.get("permissions", [])) - set(known):
            self.add_error("permissions", f"On this type there are: {', '.join(known)}.")
        return found


def _pairs(lines: list[str]) -> list[str]:
    for line in lines:
        key, equals, value = line.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise forms.ValidationError(f"“{line}” is no key=value.")
    return lines


class _Table(_Rows):
    """Rows of a table: the column's head is what a screen reader says of each field."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        """Name each field by its column."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            column = "Remove" if name == "DELETE" else name.replace("_", " ").capitalize()
            field.widget.attrs["aria-label"] = f"{column}, row {(index or 0) + 1}"


class _ApproverRows(_Table):
    """Rows of approvers; one group is joined in one way."""

    def clean(self) -> None:
        """Refuse a group whose rows say both AND and OR."""
        ways: dict[int, str] = {}
        for form in self.forms:
            row = form.cleaned_data if form.is_valid() else {}
            if not row or row.get("DELETE"):
                continue
            if ways.setdefault(row["group"], row["joined_by"]) != row["joined_by"]:
                raise forms.ValidationError(
                    f"Group {row['group']} is joined by “and” in one row and by “or” in another: choose one."
                )


_shape: dict[str, Any] = {"extra": BLANK_ROWS, "can_delete": True, "max_num": ROWS_MAX, "absolute_max": ROWS_MAX}
Requestors = formset_factory(ConditionForm, formset=_Table, **_shape)
Targets = formset_factory(TargetForm, **{**_shape, "extra": 1})
Approvers = formset_factory(ApproverForm, formset=_ApproverRows, **_shape)


class PolicyForm:
    """The whole page: a flow's columns and the three lists below it."""

    def __init__(self, flow: AccessFlow | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Show `flow`, or what was sent. The flow that is shown is never changed by checking the form."""
        document = flow.current.document if flow and flow.current else None
        rows = rows_of(document) if document else {"requestors": [], "targets": [], "approvers": []}
        shown = AccessFlow.objects.get(pk=flow.pk) if flow else None
        self.flow = FlowForm(data, instance=shown)
        self.requestors = Requestors(data, prefix="requestors", initial=rows["requestors"])
        self.targets = Targets(data, prefix="targets", initial=rows["targets"])
        self.approvers = Approvers(data, prefix="approvers", initial=rows["approvers"])

    def is_valid(self) -> bool:
        """Check everything, so that every problem shows at once."""
        parts = (self.flow, self.requestors, self.targets, self.approvers)
        return not [part for part in parts if not part.is_valid()]

    def columns(self) -> dict[str, Any]:
        """Return the flow's own columns."""
        return {name: value for name, value in self.flow.cleaned_data.items() if name != "version"}

    def document(self) -> Document:
        """Return requestors, targets and approvers as flows.actions.define takes them."""
        return {
            "requestors": {"conditions": [_condition(row) for row in _kept(self.requestors)]},
            "targets": [_target(row) for row in _kept(self.targets)],
            "approval": {"groups": _groups(_kept(self.approvers))},
        }

    def add_problems(self, problems: Iterable[str]) -> None:
        """Show why the policy as a whole is refused."""
        for problem in problems:
            self.flow.add_error(None, problem)


def _kept(rows: Any) -> list[dict[str, Any]]:
    """Return what was written into the rows, without those that are empty or to be removed."""
    return [form.cleaned_data for form in rows.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]


def _condition(row: dict[str, Any]) -> dict[str, Any]:
    source = str(row["source"].pk) if row["source"] else ""
    return {"type": row["type"], "operator": row["operator"], "source": source, "values": row["values"]}


def _target(row: dict[str, Any]) -> dict[str, Any]:
    selectors = []
    for mode, word in ((SelectorMode.INCLUDE, "include"), (SelectorMode.EXCLUDE, "exclude")):
        for kind in (SelectorType.NAME, SelectorType.ID):
            if row[f"{word}_{kind}"]:
                selectors.append({"mode": mode, "type": kind, "key": "", "values": row[f"{word}_{kind}"]})
        tags: dict[str, list[str]] = {}
        for line in row[f"{word}_tag"]:
            key, _, value = line.partition("=")
            tags.setdefault(key.strip(), []).append(value.strip())
        selectors += [
            {"mode": mode, "type": SelectorType.TAG, "key": key, "values": values} for key, values in tags.items()
        ]
    return {
        "kind": TargetKind.INTEGRATION,
        "integration": str(row["integration"].pk),
        "resource_type": row["resource_type"],
        "permissions": row["permissions"],
        "selectors": selectors,
    }


def _groups(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the approver groups in the order of their numbers."""
    groups: dict[int, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: int(row["group"])):
        group = groups.setdefault(row["group"], {"tier": 0, "operator": row["joined_by"], "conditions": []})
        group["conditions"].append(_condition(row))
    return list(groups.values())


def rows_of(document: Document) -> dict[str, list[dict[str, Any]]]:
    """Return a flow's document as the rows of the form: the reverse of PolicyForm.document."""
    groups = enumerate(document["approval"]["groups"], 1)
    return {
        "requestors": [dict(one) for one in document["requestors"]["conditions"]],
        "targets": [_target_row(target) for target in document["targets"]],
        "approvers": [
            {"group": number, "joined_by": group["operator"], **one}
            for number, group in groups
            for one in group["conditions"]
        ],
    }


def _target_row(target: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: target[name] for name in ("integration", "resource_type", "permissions")}
    for one in target["selectors"]:
        word = "include" if one["mode"] == SelectorMode.INCLUDE else "exclude"
        tag = one["type"] == SelectorType.TAG
        values = [f"{one['key']}={value}" for value in one["values"]] if tag else one["values"]
        row.setdefault(f"{word}_{one['type']}", []).extend(values)
    return row


def beyond_the_form(document: Document) -> str:
    """Return what of a flow the form cannot show, so that saving it here would lose it; nothing for most."""
    if any(target["kind"] != TargetKind.INTEGRATION for target in document["targets"]):
        return "bundles, access scopes or queries as targets"
    if any(group["tier"] for group in document["approval"]["groups"]):
        return "escalation tiers"
    return ""


def suggestions() -> dict[str, Any]:
    """Return what the page suggests while typing: types of conditions, and of resources."""
    attributes = Attribute.objects.order_by("type").values_list("type", flat=True).distinct()[:100]
    kinds = ResourceType.objects.order_by("type").values_list("type", flat=True).distinct()[:100]
    return {"condition_types": [*ConditionType.values, *attributes], "resource_types": list(kinds)}
