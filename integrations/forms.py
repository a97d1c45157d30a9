"""The form of an integration, derived from its provider's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from connectors.contract.manifest import Field, Manifest
from integrations.models import Connector, Integration

CONFIG, SECRET = "config_", "secret_"
DAYS_MAX = 36500
WIDE = {"class": "vTextField"}


class IntegrationForm(forms.Form):
    """One integration: what every integration has, and what its manifest asks for. Secrets are written, never shown."""

    name = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs=WIDE), help_text="What people read when they ask for access."
    )
    connector = forms.ModelChoiceField(
        Connector.objects.all(),
        required=False,
        empty_label="The one in this server",
        help_text="The component beside the target that does the work.",
    )
    optional_types = forms.MultipleChoiceField(
        label="Also find", required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )
    custom_access_details = forms.CharField(
        label="Notes for grantees",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown with the details to connect, as it is. At most 400 characters.",
    )
    rotation_days = forms.IntegerField(
        label="Reset after days",
        required=False,
        min_value=1,
        max_value=DAYS_MAX,
        help_text="Reset credentials older than this many days at the next request. Empty: never.",
    )
    cleanup_days = forms.IntegerField(
        label="Delete after days",
        min_value=0,
        max_value=DAYS_MAX,
        initial=90,
        help_text="Delete a login made for a grant this many days after its access ended.",
    )
    anyway = forms.BooleanField(label="Save although the test failed", required=False)

    def __init__(self, manifest: Manifest, *, saved: Integration | None = None, data: Any = None) -> None:
        """Make the fields that `manifest` asks for; with `saved`, show what it holds, but no secret."""
        super().__init__(data, initial=_initial(manifest, saved) if saved else None)
        self.manifest, self.saved = manifest, saved
        for field in manifest.plain_fields():
            self.fields[CONFIG + field.name] = _plain(field)
        for field in manifest.secret_fields():
            self.fields[SECRET + field.name] = _secret(field, kept=saved is not None)
        optional = [(kind.id, kind.name) for kind in manifest.resource_types if kind.optional]
        if optional:
            self.fields["optional_types"] = forms.MultipleChoiceField(
                label="Also find", required=False, widget=forms.CheckboxSelectMultiple, choices=optional
            )
        else:
            del self.fields["optional_types"]

    def clean_name(self) -> str:
        """Refuse a name that another integration has."""
        name: str = self.cleaned_data["name"]
        others = Integration.objects.filter(name=name)
        if self.saved is not None:
            others = others.exclude(pk=self.saved.pk)
        if others.exists():
            raise forms.ValidationError("Another integration has this name. Choose a different one.")
        return name

    def config(self) -> dict[str, Any]:
        """Return the plain fields of the manifest."""
        return {field.name: self.cleaned_data[CONFIG + field.name] for field in self.manifest.plain_fields()}

    def secrets(self) -> dict[str, str]:
        """Return the secret fields of the manifest that were filled in."""
        given = {field.name: self.cleaned_data[SECRET + field.name] for field in self.manifest.secret_fields()}
        return {name: value for name, value in given.items() if value}

    def settings(self) -> dict[str, Any]:
        """Return the further columns of an integration. No resource types means the provider's defaults."""
        chosen = self.cleaned_data.get("optional_types", [])
        kinds = self.manifest.resource_types
        types = [kind.id for kind in kinds if not kind.optional or kind.id in chosen] if chosen else []
        plain = ("custom_access_details", "rotation_days", "cleanup_days")
        return {"enabled_types": types, **{name: self.cleaned_data[name] for name in plain}}

    def add_problems(self, problems: Mapping[str, str]) -> None:
        """Show what the manifest refuses at the fields it is about."""
        for name, problem in problems.items():
            known = next((prefix + name for prefix in (CONFIG, SECRET) if prefix + name in self.fields), None)
            self.add_error(known, problem if known else f"{name}: {problem}")

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields as they are read, in sections with a title."""
        own = [self[name] for name in self.fields if name.startswith((CONFIG, SECRET))]
        found = [self["optional_types"]] if "optional_types" in self.fields else []
        rest = [self[name] for name in ("custom_access_details", "rotation_days", "cleanup_days")]
        return [("Integration", [self["name"], self["connector"]]), (self.manifest.name, own), ("Access", found + rest)]


def _initial(manifest: Manifest, saved: Integration) -> dict[str, Any]:
    """Return what the form shows of a saved integration."""
    optional = {kind.id for kind in manifest.resource_types if kind.optional}
    plain = {CONFIG + field.name: saved.config.get(field.name, field.default) for field in manifest.plain_fields()}
    return {
        **plain,
        "name": saved.name,
        "connector": saved.connector_id,
        "optional_types": [kind for kind in saved.enabled_types if kind in optional],
        "custom_access_details": saved.custom_access_details,
        "rotation_days": saved.rotation_days,
        "cleanup_days": saved.cleanup_days,
    }


def _plain(field: Field) -> forms.Field:
    """Return the form field for a plain field; an empty one falls back to the manifest's default."""
    told: dict[str, Any] = {
        "label": field.label,
        "help_text": field.help,
        "initial": field.default,
        "required": field.required and not field.default,
    }
    if field.kind == "integer":
        return forms.IntegerField(min_value=field.minimum, max_value=field.maximum, **told)
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(choice, choice) for choice in field.choices], **told)
    return forms.CharField(max_length=1000, widget=forms.TextInput(attrs=WIDE), **told)


def _secret(field: Field, *, kept: bool) -> forms.Field:
    """Return the form field for a secret: its value never comes back to the page."""
    after = (
        "Left empty, the one that is kept stays." if kept else "It is not sent back to this page: type it each time."
    )
    return forms.CharField(
        label=field.label,
        help_text=f"{field.help} {after}".strip(),
        required=field.required and not kept,
        strip=False,
        max_length=20000,
        widget=forms.PasswordInput(attrs={**WIDE, "autocomplete": "new-password"}),
    )
