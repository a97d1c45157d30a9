"""Rows of conditions, on requestors and on approvers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import Attribute, Group, User
from flows.choices import ConditionType, LogicalOperator, MatchOperator
from flows.document import condition
from flows.forms.fields import Values
from flows.forms.rows import Row, Rows
from flows.reach import uuids
from integrations.models import Integration

JOINS = ((LogicalOperator.AND.value, "all of these"), (LogicalOperator.OR.value, "any of these"))
_WHOLE = {MatchOperator.IS, MatchOperator.IS_NOT}
# Names that are searched for something like them, per list; the others are only said to be unknown.
_LIKENED = 5
_LIKELY_MAX = 2000


def attribute_types() -> list[str]:
    """Return what the directory says of people besides their groups and managers."""
    return list(Attribute.objects.order_by("type").values_list("type", flat=True).distinct()[:100])


class ConditionForm(Row):
    """One condition: type, operator, values."""

    type = forms.ChoiceField(required=False, error_messages={"invalid_choice": "Nobody has this attribute."})
    operator = forms.ChoiceField(choices=MatchOperator.choices, initial=MatchOperator.IS)
    values = Values()
    # Which directory says so: kept as it is, for people's attributes do not carry it yet.
    source = forms.ModelChoiceField(Integration.objects.all(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, types: Iterable[str] = (), manager: bool = False, **told: Any) -> None:
        """Offer the types there are; `manager` where the requestor's manager can be meant."""
        super().__init__(*args, **told)
        own: list[tuple[str, str]] = [(one.value, str(one.label)) for one in (ConditionType.GROUP, ConditionType.USER)]
        if manager:
            own.append((ConditionType.MANAGER.value, "Requestor’s manager"))
        names = [(one, one) for one in types if one not in set(ConditionType.values)]
        kinds: Any = [("", "Choose…"), *own, *([("Attributes", names)] if names else [])]
        self.fields["type"].choices = kinds  # type: ignore[attr-defined]

    def numbered(self, number: int) -> None:
        """Say to a screen reader which condition a field belongs to."""
        super().numbered(number)
        for name, word in (("type", "Attribute"), ("operator", "Operator"), ("values", "Values")):
            self.fields[name].widget.attrs["aria-label"] = f"{word}, condition {number}"

    def clean(self) -> dict[str, Any]:
        """Want a type and values of all but the manager; write addresses as the directory does."""
        found = super().clean() or self.cleaned_data
        kind, values = found.get("type"), found.get("values", [])
        if kind in {ConditionType.USER, ConditionType.MANAGER}:
            found["values"] = [value.lower() for value in values]
        if not kind and values and "type" in found:
            self.add_error("type", "Choose what to look at.")
        if kind and kind != ConditionType.MANAGER and not values and "values" in found:
            self.add_error("values", "Give at least one value.")
        return found

    def blank(self) -> bool:
        """Whether the row was left as it came."""
        return not self.cleaned_data.get("type")

    def told(self) -> dict[str, Any]:
        """Return the condition as documents hold it."""
        row = self.cleaned_data
        return condition(row["type"], row["operator"], row["values"], str(row["source"].pk) if row["source"] else "")


class GroupForm(Row):
    """An approver group: how its conditions are joined, and the conditions."""

    operator = forms.ChoiceField(choices=JOINS, initial=LogicalOperator.OR, widget=forms.RadioSelect)

    def __init__(self, data: QueryDict | None, *, types: Iterable[str], **told: Any) -> None:
        """Build the group with its rows."""
        super().__init__(data, **told)
        rows = self.initial.get("conditions", [{}])
        self.conditions = Rows(ConditionForm, f"{self.prefix}-conditions", data, rows, types=types, manager=True)

    def is_valid(self) -> bool:
        """Check the group and its conditions."""
        return bool(self.conditions.is_valid() & super().is_valid())

    def blank(self) -> bool:
        """Whether none of its rows says anything."""
        return not self.conditions.kept()

    def told(self) -> dict[str, Any]:
        """Return the group as documents hold it."""
        conditions = [row.told() for row in self.conditions.kept()]
        return {"tier": 0, "operator": self.cleaned_data.get("operator", "or"), "conditions": conditions}

    def quiet(self) -> None:
        """Show no errors in it."""
        super().quiet()
        for row in self.conditions:
            row.quiet()


def refuse_unknown(rows: list[ConditionForm], known: set[tuple[str, str]]) -> None:
    """Mark names of people and groups that nobody has, with what is like them. What was `known` before may stay.

    Two queries, and one or two for each of the first few unknown names.
    """
    likened = 0
    for kind in (ConditionType.USER, ConditionType.GROUP):
        mine = [row for row in rows if (row.cleaned_data["type"], row.cleaned_data["operator"] in _WHOLE) == (kind, 1)]
        there = _there(kind, {value for row in mine for value in row.cleaned_data["values"]})
        for row in mine:
            for value in row.cleaned_data.get("values", []):
                if value not in there and (kind.value, value) not in known:
                    like = nearest(kind, value) if likened < _LIKENED else []
                    likened += 1
                    row.add_error("values", _unknown(kind, value, like))


def _there(kind: ConditionType, values: set[str]) -> set[str]:
    """Return the values that are names or ids of somebody, or of a group."""
    if not values:
        return set()
    found = set(_names(kind).filter(**{f"{_name_field(kind)}__in": values}).values_list(_name_field(kind), flat=True))
    ids = uuids(values)
    return found | ({str(pk) for pk in _names(kind).filter(pk__in=ids).values_list("pk", flat=True)} if ids else set())


def _unknown(kind: ConditionType, value: str, like: list[str]) -> str:
    what = "There is nobody with the address" if kind == ConditionType.USER else "There is no group"
    meant = f" Did you mean {' or '.join(f'“{one}”' for one in like)}?" if like else ""
    return f"{what} “{value}”.{meant}"


def nearest(kind: ConditionType, text: str) -> list[str]:
    """Return up to three names that contain the text or look like it."""
    field = _name_field(kind)
    names = _names(kind).order_by(field).values_list(field, flat=True)
    holding = list(names.filter(**{f"{field}__icontains": text})[:3])
    likely = [] if holding else list(names.filter(**{f"{field}__istartswith": text[:1]})[:_LIKELY_MAX])
    return holding or difflib.get_close_matches(text, likely, n=3, cutoff=0.6)


def _names(kind: ConditionType) -> QuerySet[Any]:
    return User.objects.filter(is_active=True) if kind == ConditionType.USER else Group.objects.all()


def _name_field(kind: ConditionType) -> str:
    return "email" if kind == ConditionType.USER else "name"
