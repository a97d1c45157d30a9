"""The form of an integration, derived from its provider's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms

from accounts.models import Group, User
from connectors.contract.manifest import Field, Manifest, ResourceType
from integrations.actions import Kept
from integrations.choices import REFERENCE_FORMS, SecretStore
from integrations.models import Connector, Integration
from integrations.queries import owner_name

CONFIG, SECRET = "config_", "secret_"
DAYS_MAX = 36500
RECONCILE_HOURS, HOURS_MAX = 6, 8760
LIFETIMES = ("rotation_days", "cleanup_days", "reconcile_hours")
TEXT_MAX = 400
# A certificate, a list of servers.
TEXTS_MAX = 200_000
OWNERS_MAX = 50
HELD = "What you typed is held for half an hour: leave this empty to use it."
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
    types = forms.MultipleChoiceField(
        label="What to find",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one: with none there is nothing to ask for."},
    )
    custom_access_details = forms.CharField(
        label="Notes for grantees",
        max_length=TEXT_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "data-preview": "text-preview"}),
        help_text="Shown with the details to connect, as it is: plain text, at most 400 characters.",
    )
    owners = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="Who answers for this system, one a line: a person's e-mail address, or a group's name.",
    )
    owner_tag_key = forms.CharField(
        label="Tag that names an owner",
        required=False,
        max_length=200,
        help_text="The key of a tag on resources, for example team. Who it names answers for that resource; where it "
        "names nobody, the owners above do.",
    )
    owner_tag_type = forms.CharField(
        label="What the tag’s value is",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": "group"}),
        help_text="group: a group’s name. user: a person’s e-mail address. Anything else: a value of that attribute, "
        "for example of a shift.",
    )
    store = forms.ChoiceField(
        label="Secrets are in",
        choices=SecretStore.choices,
        required=False,
        help_text="The built-in store encrypts them under a key that is not in the database. Every other store is read "
        "by the connector itself, at the moment of use: its secrets never pass through this server.",
    )
    reference = forms.CharField(
        label="Which secret",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs=WIDE),
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
    reconcile_hours = forms.IntegerField(
        label="Look for drift every … hours",
        required=False,
        min_value=0,
        max_value=HOURS_MAX,
        initial=RECONCILE_HOURS,
        help_text="Compare what the system says with what should be held, this often. 0: never. Empty: every 6 hours.",
    )
    anyway = forms.BooleanField(label="Save although the test failed", required=False)

    def __init__(
        self,
        manifest: Manifest,
        *,
        saved: Integration | None = None,
        data: Any = None,
        drafted: Mapping[str, str] | None = None,
    ) -> None:
        """Make the fields that `manifest` asks for; with `saved`, show what it holds, but no secret.

        `drafted` are secrets typed before, which count where their field is left empty.
        """
        super().__init__(data, initial=_initial(manifest, saved) if saved else {"types": _defaults(manifest)})
        self.manifest, self.saved, self.drafted = manifest, saved, dict(drafted or {})
        for field in manifest.plain_fields():
            self.fields[CONFIG + field.name] = _plain(field)
        for field in manifest.secret_fields():
            here = saved is not None and saved.secrets.filter(field=field.name, store=SecretStore.BUILTIN).exists()
            self.fields[SECRET + field.name] = _secret(field, kept=here, drafted=field.name in self.drafted)
        types = cast(forms.MultipleChoiceField, self.fields["types"])
        types.choices = [(kind.id, _type_in_words(kind)) for kind in manifest.resource_types]
        if not manifest.resource_types:
            # The system says itself what it has, in its first sync.
            del self.fields["types"]
        if not manifest.secret_fields():
            del self.fields["store"], self.fields["reference"]
            return
        names = [field.name for field in manifest.secret_fields()]
        forms_ = "; ".join(f"{SecretStore(store).label}: {form}" for store, form in REFERENCE_FORMS.items())
        self.fields[
            "reference"
        ].help_text = (
            f"Only for another store than the built-in one. {_keys_in_words(names)} How it is named: {forms_}."
        )

    def kept(self) -> Kept | None:
        """Return where the secrets are, when they are in another store than the built-in one."""
        store = self.cleaned_data.get("store") or SecretStore.BUILTIN
        return None if store == SecretStore.BUILTIN else Kept(store, self.cleaned_data["reference"])

    def clean(self) -> dict[str, Any]:
        """Refuse another store without a secret in it, and the built-in one without the secrets themselves."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "store" not in self.fields:
            return cleaned
        if (cleaned.get("store") or SecretStore.BUILTIN) != SecretStore.BUILTIN:
            if not cleaned.get("reference"):
                self.add_error("reference", "Say which secret of that store is meant.")
            return cleaned
        had = {one.field for one in self.saved.secrets.filter(store=SecretStore.BUILTIN)} if self.saved else set()
        for field in self.manifest.secret_fields():
            here = cleaned.get(SECRET + field.name) or field.name in self.drafted or field.name in had
            if field.required and not here and SECRET + field.name not in self.errors:
                self.add_error(SECRET + field.name, "This field is required.")
        return cleaned

    def hold(self, secrets: Mapping[str, str]) -> None:
        """Say at the secret fields that what was typed is held."""
        self.drafted = dict(secrets)
        for field in self.manifest.secret_fields():
            if field.name in self.drafted:
                self.fields[SECRET + field.name].help_text = f"{field.help} {HELD}".strip()

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

    def clean_owners(self) -> list[User | Group]:
        """Return the people and groups that the lines name. Refuses a line that names nobody."""
        lines = [line.strip() for line in self.cleaned_data["owners"].splitlines() if line.strip()]
        if len(lines) > OWNERS_MAX:
            raise forms.ValidationError(f"At most {OWNERS_MAX} owners. Name a group instead of its people.")
        people = {one.email: one for one in User.objects.filter(email__in=[line.lower() for line in lines])}
        groups = {one.name: one for one in Group.objects.filter(name__in=lines)}
        found = [people.get(line.lower()) or groups.get(line) for line in lines]
        unknown = [line for line, one in zip(lines, found, strict=True) if one is None]
        if unknown:
            raise forms.ValidationError(f"No person and no group is called {', '.join(unknown[:5])}.")
        return [one for one in found if one is not None]

    def secrets(self) -> dict[str, str]:
        """Return the secret fields of the manifest that were filled in, now or before."""
        given = {field.name: self.cleaned_data[SECRET + field.name] for field in self.manifest.secret_fields()}
        return {
            name: value or self.drafted.get(name, "") for name, value in given.items() if value or name in self.drafted
        }

    def settings(self) -> dict[str, Any]:
        """Return the further columns of an integration. No resource types means the provider's defaults."""
        chosen = [kind.id for kind in self.manifest.resource_types if kind.id in self.cleaned_data.get("types", ())]
        types = [] if chosen == _defaults(self.manifest) else chosen
        plain = ("custom_access_details", "rotation_days", "cleanup_days")
        kind = self.cleaned_data["owner_tag_type"].strip() or "group"
        tag: dict[str, Any] = {"owner_tag_key": self.cleaned_data["owner_tag_key"].strip(), "owner_tag_type": kind}
        hours = self.cleaned_data["reconcile_hours"]
        tag |= {"reconcile_hours": RECONCILE_HOURS if hours is None else hours}
        return {"enabled_types": types, **{name: self.cleaned_data[name] for name in plain}, **tag}

    def add_problems(self, problems: Mapping[str, str]) -> None:
        """Show what the manifest refuses at the fields it is about."""
        for name, problem in problems.items():
            known = next((prefix + name for prefix in (CONFIG, SECRET) if prefix + name in self.fields), None)
            self.add_error(known, problem if known else f"{name}: {problem}")

    def sections(self) -> list[Section]:
        """Return the fields as they are read, in steps."""
        own = [self[name] for name in self.fields if name.startswith((CONFIG, SECRET))]
        store = [self["store"], self["reference"]] if "store" in self.fields else []
        told = "Test the connection at any time; nothing is saved by a test."
        chosen = "People can ask for what you choose here, and for nothing else."
        types = [Section("types", "What to find", chosen, [self["types"]])] if "types" in self.fields else []
        return [
            Section("connection", "Connection", told, [self["name"], self["connector"], *own, *store]),
            *types,
            Section("people", "For people", "", self._for_people()),
            Section("lifetimes", "Lifetimes", "", [self[one] for one in LIFETIMES]),
        ]

    def _for_people(self) -> list[forms.BoundField]:
        return [self[name] for name in ("custom_access_details", "owners", "owner_tag_key", "owner_tag_type")]


@dataclass(frozen=True, slots=True)
class Section:
    """Some fields that are read together."""

    id: str
    title: str
    told: str
    fields: list[forms.BoundField]


def _defaults(manifest: Manifest) -> list[str]:
    """Return the resource types that are found when none are chosen."""
    return [kind.id for kind in manifest.resource_types if not kind.optional]


def _type_in_words(kind: ResourceType) -> str:
    """Return a resource type with what can be asked for on it."""
    permissions = ", ".join(permission.name.lower() for permission in kind.permissions)
    return f"{kind.name}: {permissions or 'as found there'}"


def _initial(manifest: Manifest, saved: Integration) -> dict[str, Any]:
    """Return what the form shows of a saved integration."""
    known = {kind.id for kind in manifest.resource_types}
    plain = {
        CONFIG + field.name: _shown(saved.config.get(field.name, field.default)) for field in manifest.plain_fields()
    }
    elsewhere = saved.secrets.exclude(store=SecretStore.BUILTIN).first()
    return {
        **plain,
        "store": elsewhere.store if elsewhere else SecretStore.BUILTIN,
        "reference": elsewhere.reference if elsewhere else "",
        "name": saved.name,
        "connector": saved.connector_id,
        "types": [kind for kind in saved.enabled_types if kind in known] or _defaults(manifest),
        "owners": "\n".join(owner_name(one) for one in saved.owners.select_related("user", "group")),
        "owner_tag_key": saved.owner_tag_key,
        "owner_tag_type": saved.owner_tag_type,
        "custom_access_details": saved.custom_access_details,
        "rotation_days": saved.rotation_days,
        "cleanup_days": saved.cleanup_days,
        "reconcile_hours": saved.reconcile_hours,
    }


def _shown(value: Any) -> Any:
    """Return a kept value as its field shows it."""
    return str(value).lower() if isinstance(value, bool) else value


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
    if field.kind == "boolean":
        return forms.ChoiceField(choices=[("true", "Yes"), ("false", "No")], **told)
    if field.multiline or field.kind == "json":
        area = forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"})
        return forms.CharField(max_length=TEXTS_MAX, strip=field.kind == "json", widget=area, **told)
    return forms.CharField(max_length=1000, widget=forms.TextInput(attrs=WIDE), **told)


def _secret(field: Field, *, kept: bool, drafted: bool) -> forms.Field:
    """Return the form field for a secret: its value never comes back to the page."""
    after = "Left empty, the one that is kept stays." if kept else "It never comes back to this page."
    if drafted:
        after = HELD
    return forms.CharField(
        label=field.label,
        help_text=f"{field.help} {after}".strip(),
        # Whether it is needed depends on the store: the form's clean() says so.
        required=False,
        strip=False,
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"})
        if field.multiline
        else forms.PasswordInput(attrs={**WIDE, "autocomplete": "new-password"}),
    )


def _keys_in_words(names: list[str]) -> str:
    """Return what the secret has to hold."""
    if len(names) == 1:
        return f"The secret is the {names[0]} itself, or a JSON object with the key {names[0]}."
    return f"The secret is a JSON object with the keys {', '.join(names)}."
