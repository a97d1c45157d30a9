"""Rows of targets: permissions on resources of an integration, a bundle, an access scope, or a query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from flows.choices import SelectorMode, TargetKind
from flows.document import compose_bundle, compose_scope, ordered
from flows.findings import wrong_query
from flows.forms.fields import Values
from flows.forms.rows import Row
from flows.forms.selectors import checked, selectors, written
from flows.forms.shelf import Shelf
from flows.models import AccessScope, Bundle

QUERY_MAX = 10_000


def chosen_integrations(data: QueryDict | None, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the ids of integrations that the rows name."""
    if data is None:
        return [row.get("integration", "") for row in rows]
    return [str(data.get(f"targets-{key}-integration", "")) for key in data.getlist("targets")[:200]]


class TargetForm(Row):
    """What can be asked for: permissions on a resource type of an integration, narrowed; a bundle; a scope; a query."""

    kind = forms.ChoiceField(
        choices=TargetKind.choices,
        widget=forms.HiddenInput,
        required=False,
    )
    integration = forms.ChoiceField(label="System", required=False)
    resource_type = forms.ChoiceField(label="Resource type", required=False)
    permissions = forms.MultipleChoiceField(label="Permissions", required=False, widget=forms.CheckboxSelectMultiple)
    only = Values(label="Only these")
    never = Values(label="Never these")
    bundle = forms.ChoiceField(label="Bundle", required=False)
    access_scope = forms.ChoiceField(label="Access scope", required=False)
    query = forms.CharField(
        label="Query",
        required=False,
        max_length=QUERY_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "class": "aql", "data-aql": "", "spellcheck": "false"}),
    )

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
        fields["access_scope"].choices = [("", "Choose…"), *shelf.scopes]
        if not shelf.bundles_offered:
            fields["kind"].choices = [one for one in TargetKind.choices if one[0] != TargetKind.BUNDLE]
        names = ", ".join(source_id for source_id, _ in there) or "none yet"
        fields["permissions"].error_messages["invalid_choice"] = f"On this type there are: {names}."
        has = ", ".join(one for one, _ in self.types) or "nothing yet: sync it first"
        fields["resource_type"].error_messages["invalid_choice"] = f"This integration has: {has}."

    def _raw(self, name: str) -> str:
        """Return what a field holds, unchecked."""
        value = self[name].value() if self.is_bound else self.initial.get(name, "")
        return str(value or "")

    @property
    def label(self) -> str:
        """Return what kind of row it is, in words."""
        return str(TargetKind(self.chosen_kind).label) if self.chosen_kind in TargetKind.values else "Target"

    def clean(self) -> dict[str, Any]:
        """Want what the kind of row needs."""
        found = super().clean() or self.cleaned_data
        if self.chosen_kind == TargetKind.INTEGRATION:
            return self._clean_integration(found)
        if self.chosen_kind in TargetKind.values and not found.get(self.chosen_kind) and self.chosen_kind in found:
            what = {TargetKind.BUNDLE: "Choose a bundle", TargetKind.ACCESS_SCOPE: "Choose an access scope"}
            told = what.get(TargetKind(self.chosen_kind), "Write a query")
            self.add_error(self.chosen_kind, f"{told}, or remove this target.")
        return found

    def _clean_integration(self, found: dict[str, Any]) -> dict[str, Any]:
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
        return checked(self.cleaned_data["only"])

    def clean_never(self) -> list[str]:
        """Refuse a selector that says nothing."""
        return checked(self.cleaned_data["never"])

    def clean_query(self) -> str:
        """Refuse what is no query, with the line, the column, and what to write instead."""
        text: str = self.cleaned_data["query"].replace("\r\n", "\n")
        wrong = wrong_query(text) if text and self.chosen_kind == TargetKind.QUERY else []
        if wrong:
            raise forms.ValidationError(wrong)
        return text

    def blank(self) -> bool:
        """Whether the row was left as it came."""
        row = self.cleaned_data
        left = not any(row.get(name) for name in ("integration", "only", "never"))
        return self.chosen_kind == TargetKind.INTEGRATION and left

    def told(self) -> dict[str, Any]:
        """Return the target as flows.actions takes it."""
        row = self.cleaned_data
        if self.chosen_kind != TargetKind.INTEGRATION:
            return {"kind": self.chosen_kind, self.chosen_kind: row[self.chosen_kind]}
        return {
            "kind": TargetKind.INTEGRATION.value,
            "integration": row["integration"],
            "resource_type": row["resource_type"],
            "permissions": sorted(row["permissions"]),
            "selectors": ordered(
                [*selectors(SelectorMode.INCLUDE, row["only"]), *selectors(SelectorMode.EXCLUDE, row["never"])]
            ),
        }

    def shown(self) -> dict[str, Any] | None:
        """Return the target as documents hold it, with the content of a bundle or a scope; None when that is gone."""
        told = self.told()
        match self.chosen_kind:
            case TargetKind.BUNDLE:
                bundle = Bundle.objects.filter(pk=told["bundle"]).first()
                return compose_bundle(bundle) if bundle else None
            case TargetKind.ACCESS_SCOPE:
                scope = AccessScope.objects.filter(pk=told["access_scope"]).first()
                return compose_scope(scope) if scope else None
            case TargetKind.QUERY:
                return told
            case _:
                return told | {"bundle": "", "access_scope": "", "query": ""}


def row_of(target: dict[str, Any]) -> dict[str, Any]:
    """Return a document's target as the row of the form: the reverse of told()."""
    if target["kind"] != TargetKind.INTEGRATION:
        return {"kind": target["kind"], target["kind"]: target[target["kind"]]}
    row: dict[str, Any] = {name: target[name] for name in ("kind", "integration", "resource_type", "permissions")}
    for one in target["selectors"]:
        name = "only" if one["mode"] == SelectorMode.INCLUDE else "never"
        row.setdefault(name, []).extend(written(one))
    return row
