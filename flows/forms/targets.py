"""Rows of targets: permissions on resources of an integration, or a bundle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from flows.choices import SelectorMode, SelectorType, TargetKind
from flows.document import compose_bundle
from flows.forms.fields import Values
from flows.forms.rows import Row
from flows.models import Bundle
from flows.reach import uuids
from integrations.models import Integration, Permission, ResourceType

_SELECTORS = tuple(kind.value for kind in SelectorType)
_RISKS = ((3, "low"), (6, "medium"), (9, "high"))


class Shelf:
    """What the rows of one page choose from: integrations, and types and permissions of those that are chosen.

    Three queries, however many rows.
    """

    def __init__(self, chosen: Iterable[str], *, bundles: bool = True) -> None:
        """Read what is there."""
        self.integrations = [(str(pk), name) for pk, name in Integration.objects.values_list("pk", "name")]
        self.bundles = [(str(pk), name) for pk, name in Bundle.objects.values_list("pk", "name")] if bundles else []
        self.types: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.permissions: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        ids = uuids(chosen)
        if not ids:
            return
        for where, kind, name in (
            ResourceType.objects.filter(integration__in=ids).order_by("name").values_list("integration", "type", "name")
        ):
            self.types[str(where)].append((kind, name))
        for one in Permission.objects.filter(resource_type__integration__in=ids).select_related("resource_type"):
            place = (str(one.resource_type.integration_id), one.resource_type.type)
            risk = next(word for limit, word in _RISKS if one.risk_level <= limit)
            self.permissions[place].append((one.source_id, f"{one.name}, {risk} risk"))


def chosen_integrations(data: QueryDict | None, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the ids of integrations that the rows name."""
    if data is None:
        return [row.get("integration", "") for row in rows]
    return [str(data.get(f"targets-{key}-integration", "")) for key in data.getlist("targets")[:200]]


class TargetForm(Row):
    """What can be asked for: permissions on one resource type of an integration, narrowed; or a bundle."""

    kind = forms.ChoiceField(
        choices=[(one.value, one.label) for one in (TargetKind.INTEGRATION, TargetKind.BUNDLE)],
        widget=forms.HiddenInput,
        required=False,
    )
    integration = forms.ChoiceField(label="System", required=False)
    resource_type = forms.ChoiceField(label="Resource type", required=False)
    permissions = forms.MultipleChoiceField(label="Permissions", required=False, widget=forms.CheckboxSelectMultiple)
    only = Values(label="Only these")
    never = Values(label="Never these")
    bundle = forms.ChoiceField(label="Bundle", required=False)

    def __init__(self, data: QueryDict | None, *, shelf: Shelf, **told: Any) -> None:
        """Offer what the shelf holds for what is chosen."""
        super().__init__(data, **told)
        self.chosen_kind = self._raw("kind") or TargetKind.INTEGRATION.value
        where = self._raw("integration")
        self.types = shelf.types.get(where, [])
        kind = self._raw("resource_type")
        if len(self.types) == 1:
            kind = self.types[0][0]
        fields: dict[str, Any] = self.fields
        fields["integration"].choices = [("", "Choose…"), *shelf.integrations]
        blank = [] if len(self.types) == 1 else [("", "Choose…")]
        fields["resource_type"].choices = [*blank, *self.types]
        there = shelf.permissions.get((where, kind), [])
        fields["permissions"].choices = there
        fields["bundle"].choices = [("", "Choose…"), *shelf.bundles]
        names = ", ".join(source_id for source_id, _ in there) or "none yet"
        fields["permissions"].error_messages["invalid_choice"] = f"On this type there are: {names}."
        has = ", ".join(one for one, _ in self.types) or "nothing yet: sync it first"
        fields["resource_type"].error_messages["invalid_choice"] = f"This integration has: {has}."

    def _raw(self, name: str) -> str:
        """Return what a field holds, unchecked."""
        value = self[name].value() if self.is_bound else self.initial.get(name, "")
        return str(value or "")

    @property
    def is_bundle(self) -> bool:
        """Whether the row gives a bundle."""
        return self.chosen_kind == TargetKind.BUNDLE

    def clean(self) -> dict[str, Any]:
        """Want what the kind of row needs."""
        found = super().clean() or self.cleaned_data
        if self.is_bundle:
            if not found.get("bundle") and "bundle" in found:
                self.add_error("bundle", "Choose a bundle, or remove this target.")
            return found
        if not found.get("integration") and "integration" in found:
            if not self.blank():
                self.add_error("integration", "Choose a system.")
            return found
        if not found.get("resource_type") and "resource_type" in found:
            self.add_error("resource_type", "Choose a resource type.")
        elif not found.get("permissions") and "permissions" in found:
            self.add_error("permissions", "Choose at least one permission.")
        return found

    def clean_only(self) -> list[str]:
        """Refuse a selector that says nothing."""
        return _checked(self.cleaned_data["only"])

    def clean_never(self) -> list[str]:
        """Refuse a selector that says nothing."""
        return _checked(self.cleaned_data["never"])

    def blank(self) -> bool:
        """Whether the row was left as it came."""
        row = self.cleaned_data
        return not self.is_bundle and not any(row.get(name) for name in ("integration", "only", "never"))

    def told(self) -> dict[str, Any]:
        """Return the target as flows.actions takes it."""
        row = self.cleaned_data
        if self.is_bundle:
            return {"kind": TargetKind.BUNDLE.value, "bundle": row["bundle"]}
        return {
            "kind": TargetKind.INTEGRATION.value,
            "integration": row["integration"],
            "resource_type": row["resource_type"],
            "permissions": row["permissions"],
            "selectors": [
                *_selectors(SelectorMode.INCLUDE, row["only"]),
                *_selectors(SelectorMode.EXCLUDE, row["never"]),
            ],
        }

    def shown(self) -> dict[str, Any] | None:
        """Return the target as documents hold it, a bundle with its content; None when it is not there any more."""
        if not self.is_bundle:
            return self.told() | {"bundle": "", "access_scope": "", "query": ""}
        bundle = Bundle.objects.filter(pk=self.cleaned_data["bundle"]).first()
        return compose_bundle(bundle) if bundle else None


def _split(text: str) -> tuple[str, str, str]:
    """Return type, key and value of a selector as it is written: name: x, id: x, tag: key=value, or only a name."""
    word, colon, rest = text.partition(":")
    if not colon or word.strip() not in _SELECTORS:
        return SelectorType.NAME.value, "", text
    kind, rest = word.strip(), rest.strip()
    if kind != SelectorType.TAG:
        return kind, "", rest
    key, _, value = rest.partition("=")
    return kind, key.strip(), value.strip()


def _checked(written: list[str]) -> list[str]:
    for text in written:
        kind, key, value = _split(text)
        if kind == SelectorType.TAG and not (key and value):
            raise forms.ValidationError(f"“{text}” is no tag: write tag: key=value.")
        if not value:
            raise forms.ValidationError(f"“{text}” names nothing: write name: …, id: … or tag: key=value.")
    return written


def _selectors(mode: SelectorMode, written: list[str]) -> list[dict[str, Any]]:
    """Return what was written as selectors, one for each type and key."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text in written:
        kind, key, value = _split(text)
        found[kind, key].append(value)
    return [
        {"mode": mode.value, "type": kind, "key": key, "values": sorted(set(values))}
        for (kind, key), values in found.items()
    ]


def row_of(target: dict[str, Any]) -> dict[str, Any]:
    """Return a document's target as the row of the form: the reverse of told()."""
    if target["kind"] == TargetKind.BUNDLE:
        return {"kind": target["kind"], "bundle": target["bundle"]}
    row: dict[str, Any] = {name: target[name] for name in ("kind", "integration", "resource_type", "permissions")}
    for one in target["selectors"]:
        name = "only" if one["mode"] == SelectorMode.INCLUDE else "never"
        key = f"{one['key']}=" if one["type"] == SelectorType.TAG else ""
        row.setdefault(name, []).extend(f"{one['type']}: {key}{value}" for value in one["values"])
    return row
