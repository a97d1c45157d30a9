"""Rows of conditions: on requestors, on grantees, and on approvers in groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Attribute
from flows.choices import ConditionType, LogicalOperator, MatchOperator, Party
from flows.document import condition
from flows.forms.fields import Values
from flows.forms.rows import Row, Rows
from flows.forms.steps import STEPS_MAX, number
from flows.models import Webhook
from integrations.models import Integration

JOINS = ((LogicalOperator.AND.value, "all of these"), (LogicalOperator.OR.value, "any of these"))
_MANAGERS = {Party.APPROVER: "Requestor’s manager", Party.REQUESTOR: "Their manager", Party.GRANTEE: "Their manager"}
# Conditions that mean somebody without a value.
_VALUELESS = {ConditionType.MANAGER, ConditionType.OWNER}


def attribute_types() -> list[str]:
    """Return what the directory says of people besides their groups and managers."""
    return list(Attribute.objects.order_by("type").values_list("type", flat=True).distinct()[:100])


@dataclass(frozen=True)
class Offered:
    """What the conditions of one page choose from: attribute types, and webhooks (names by id). Two queries."""

    types: list[str] = field(default_factory=list)
    webhooks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, before: list[dict[str, Any]]) -> Offered:
        """Read what there is; what the conditions of `before` look at is offered as well."""
        types = sorted({*attribute_types(), *(one["type"] for one in before)} - set(ConditionType.values))
        return cls(types, {str(pk): name for pk, name in Webhook.objects.values_list("pk", "name")})


class ConditionForm(Row):
    """One condition: type, operator, values."""

    type = forms.ChoiceField(required=False, error_messages={"invalid_choice": "Nobody has this attribute."})
    operator = forms.ChoiceField(choices=MatchOperator.choices, initial=MatchOperator.IS)
    values = Values()
    # Which directory says so: kept as it is, for people's attributes do not carry it yet.
    source = forms.ModelChoiceField(Integration.objects.all(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offered: Offered, party: Party, **told: Any) -> None:
        """Offer the types there are; owners and webhooks only among approvers."""
        super().__init__(*args, **told)
        self.party, self.webhooks = party, offered.webhooks
        own: list[tuple[str, str]] = [(one.value, str(one.label)) for one in (ConditionType.GROUP, ConditionType.USER)]
        own.append((ConditionType.MANAGER.value, _MANAGERS[party]))
        if party == Party.APPROVER:
            own += [(one.value, str(one.label)) for one in (ConditionType.OWNER, ConditionType.WEBHOOK)]
        names = [(one, one) for one in offered.types]
        kinds: Any = [("", "Choose…"), *own, *([("Attributes", names)] if names else [])]
        self.fields["type"].choices = kinds  # type: ignore[attr-defined]
        if self.initial.get("type") == ConditionType.WEBHOOK:
            called = [self.webhooks.get(one, one) for one in self.initial.get("values", ())]
            self.initial = {**self.initial, "values": called}

    def numbered(self, number: int) -> None:
        """Say to a screen reader which condition a field belongs to."""
        super().numbered(number)
        for name, word in (("type", "Attribute"), ("operator", "Operator"), ("values", "Values")):
            self.fields[name].widget.attrs["aria-label"] = f"{word}, condition {number}"

    def clean(self) -> dict[str, Any]:
        """Want a type, and values of all but managers and owners; write addresses as the directory does."""
        found = super().clean() or self.cleaned_data
        kind, values = found.get("type"), found.get("values", [])
        if kind in {ConditionType.USER, ConditionType.MANAGER}:
            found["values"] = [value.lower() for value in values]
        if not kind and values and "type" in found:
            self.add_error("type", "Choose what to look at.")
        if kind and kind not in _VALUELESS and not values and "values" in found:
            what = "Name at least one webhook." if kind == ConditionType.WEBHOOK else "Give at least one value."
            self.add_error("values", what)
        return found

    def blank(self) -> bool:
        """Whether the row was left as it came."""
        return not self.cleaned_data.get("type")

    def told(self) -> dict[str, Any]:
        """Return the condition as documents hold it: a webhook by its id."""
        row = self.cleaned_data
        if row["type"] == ConditionType.WEBHOOK:
            ids = {name: pk for pk, name in self.webhooks.items()}
            # It is named, and compared with nothing: the page shows no operator.
            return condition(row["type"], MatchOperator.IS, [ids.get(value, value) for value in row["values"]])
        values = row["values"]
        return condition(row["type"], row["operator"], values, str(row["source"].pk) if row["source"] else "")


class GroupForm(Row):
    """An approver group: its step of escalation, how its conditions are joined, and the conditions."""

    operator = forms.ChoiceField(choices=JOINS, initial=LogicalOperator.OR, widget=forms.RadioSelect)
    tier = forms.IntegerField(
        min_value=0, max_value=STEPS_MAX, initial=0, required=False, widget=forms.HiddenInput, label="Step"
    )

    def __init__(self, data: QueryDict | None, *, offered: Offered, **told: Any) -> None:
        """Build the group with its rows."""
        super().__init__(data, **told)
        rows = self.initial.get("conditions", [{}])
        more = {"offered": offered, "party": Party.APPROVER}
        self.conditions = Rows(ConditionForm, f"{self.prefix}-conditions", data, rows, **more)

    @property
    def step(self) -> int:
        """Return the step the group belongs to, unchecked; the first for what is none."""
        return number(str(self["tier"].value() or 0))

    def is_valid(self) -> bool:
        """Check the group and its conditions."""
        return bool(self.conditions.is_valid() & super().is_valid())

    def blank(self) -> bool:
        """Whether none of its rows says anything."""
        return not self.conditions.kept()

    def told(self) -> dict[str, Any]:
        """Return the group as documents hold it."""
        conditions = [row.told() for row in self.conditions.kept()]
        return {"tier": self.step, "operator": self.cleaned_data.get("operator", "or"), "conditions": conditions}

    def shown(self) -> dict[str, Any]:
        """Return what it says as it is shown, also before anything was sent."""
        if not self.is_bound:
            told = {"operator": LogicalOperator.OR.value, "conditions": [], **self.initial}
            return told | {"conditions": [one for one in told["conditions"] if one]}
        return self.told()

    def quiet(self) -> None:
        """Show no errors in it."""
        super().quiet()
        for row in self.conditions:
            row.quiet()
