"""The form of a webhook. Its secrets are written, never shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict

from flows.choices import MatchOperator
from flows.document import compose_webhook, digest
from flows.findings import Finding
from flows.findings_of_webhooks import CLIENT_SECRET, HEADER
from flows.forms.rows import Row, Rows, hush
from flows.models import Webhook

if TYPE_CHECKING:
    _WebhookForm = forms.ModelForm[Webhook]
else:
    # Generic only for the type checker.
    _WebhookForm = forms.ModelForm

CODE = {"spellcheck": "false", "autocomplete": "off"}
EXAMPLE = {"request": "{{ request.id }}", "who": "{{ requestor.email }}", "why": "{{ request.justification }}"}
# In which field of the form a finding about a column shows.
_PLACES = {"oauth": "token_url"}


def _password(placeholder: str = "") -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": "new-password", "placeholder": placeholder})


class WebhookForm(_WebhookForm):
    """A webhook's own columns; the body as text, OAuth as three fields and a secret."""

    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    url = forms.CharField(label="Address", max_length=1000, widget=forms.TextInput(attrs=CODE | {"inputmode": "url"}))
    body = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs=CODE | {"rows": 8, "class": "is-code"})
    )
    token_url = forms.CharField(
        label="Where tokens come from", required=False, max_length=1000, widget=forms.TextInput(attrs=CODE)
    )
    client_id = forms.CharField(label="Client id", required=False, max_length=300, widget=forms.TextInput(attrs=CODE))
    scope = forms.CharField(required=False, max_length=1000, widget=forms.TextInput(attrs=CODE))
    client_secret = forms.CharField(
        label="Client secret", required=False, max_length=4000, strip=False, widget=_password()
    )

    class Meta:
        """The columns that people write."""

        model = Webhook
        fields = ("name", "description", "active", "method", "timeout_seconds", "error_message")
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "error_message": forms.TextInput(attrs={"placeholder": "The ticket is not approved yet."}),
        }
        error_messages = {"name": {"unique": "Another webhook has this name."}}

    def clean_body(self) -> Any:
        """Return the body as JSON; nothing is an empty object."""
        text = self.cleaned_data["body"].strip()
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise forms.ValidationError(f"This is no JSON{place}. A slot stands inside quotes.") from None
        except RecursionError:
            raise forms.ValidationError("This is nested too deep.") from None


class HeaderForm(Row):
    """A header that is no secret."""

    name = forms.CharField(required=False, max_length=100, widget=forms.TextInput(attrs=CODE))
    value = forms.CharField(required=False, max_length=4000, widget=forms.TextInput(attrs=CODE))

    def blank(self) -> bool:
        """Whether nothing was written."""
        return not self.cleaned_data.get("name") and not self.cleaned_data.get("value")

    def clean(self) -> dict[str, Any]:
        """Want a name for a value."""
        told = super().clean() or self.cleaned_data
        if told.get("value") and not told.get("name"):
            self.add_error("name", "Say which header.")
        return told


class HiddenForm(Row):
    """A header that is a secret: typed, kept, never shown. Left empty, what is kept stays."""

    name = forms.CharField(required=False, max_length=100, widget=forms.TextInput(attrs=CODE))
    value = forms.CharField(required=False, max_length=4000, strip=False, widget=_password())
    kept: frozenset[str] = frozenset()

    def __init__(self, *told: Any, kept: Iterable[str] = (), held: Iterable[str] = (), **more: Any) -> None:
        """Know which secrets there are: kept for good, and held until this page is saved."""
        super().__init__(*told, **more)
        self.kept, self.held = frozenset(kept), frozenset(held)

    @property
    def hint(self) -> str:
        """Say what leaving the value empty means."""
        name = f"{HEADER}{self['name'].value() or ''}"
        if name in self.held:
            return "What you typed is held: leave it empty to use it."
        return "Kept: leave it empty to keep it." if name in self.kept else ""

    def blank(self) -> bool:
        """Whether nothing was written."""
        return not self.cleaned_data.get("name") and not self.cleaned_data.get("value")

    def clean(self) -> dict[str, Any]:
        """Want a name for a value."""
        told = super().clean() or self.cleaned_data
        if told.get("value") and not told.get("name"):
            self.add_error("name", "Say which header.")
        return told


class ValidatorForm(Row):
    """A condition on the answer."""

    path = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs=CODE | {"placeholder": "$.approved"})
    )
    operator = forms.ChoiceField(choices=MatchOperator.choices, initial=MatchOperator.IS)
    value = forms.CharField(required=False, max_length=300, strip=False, widget=forms.TextInput(attrs=CODE))

    def blank(self) -> bool:
        """Whether nothing was written."""
        return not self.cleaned_data.get("path") and not self.cleaned_data.get("value")


class WebhookPage:
    """The whole page of a webhook. `held` are secrets typed before on this page, by field."""

    def __init__(
        self, webhook: Webhook | None = None, data: QueryDict | None = None, held: Mapping[str, str] | None = None
    ) -> None:
        """Show `webhook`, or what was sent. Raises rows.BadRows."""
        content = compose_webhook(webhook) if webhook else None
        self.version = digest(content) if content else ""
        self.kept = frozenset(content["hidden"]) if content else frozenset()
        self.held = dict(held or {})
        self.own = WebhookForm(data, instance=copy(webhook), initial=_initial(webhook) | {"version": self.version})
        self.headers = Rows(HeaderForm, "headers", data, content["headers"] if content else [])
        names = [{"name": one.removeprefix(HEADER)} for one in sorted(self.kept) if one.startswith(HEADER)]
        self.hidden = Rows(HiddenForm, "hidden", data, names, kept=self.kept, held=self.held)
        self.validators = Rows(ValidatorForm, "validators", data, webhook.validators if webhook else [{}])
        self.findings: list[Finding] = []

    @property
    def client_secret_hint(self) -> str:
        """Say what leaving the client's secret empty means."""
        if CLIENT_SECRET in self.held:
            return "What you typed is held: leave it empty to use it."
        return "Kept: leave it empty to keep it." if CLIENT_SECRET in self.kept else ""

    def is_valid(self) -> bool:
        """Check everything, so that every problem shows at once."""
        parts = (self.own, self.headers, self.hidden, self.validators)
        return not [part for part in parts if not part.is_valid()]

    def quiet(self) -> None:
        """Show no errors: the webhook is still being written."""
        hush(self.own)
        for rows in (self.headers, self.hidden, self.validators):
            for row in rows:
                row.quiet()

    def columns(self) -> dict[str, Any]:
        """Return the columns as flows.actions.define_webhook takes them. Only after is_valid()."""
        own = self.own.cleaned_data
        oauth = {name: own[name].strip() for name in ("token_url", "client_id", "scope")}
        told = {name: own[name] for name in (*WebhookForm.Meta.fields, "url", "body")}
        return told | {
            "oauth": oauth if oauth["token_url"] or oauth["client_id"] else {},
            "headers": {row.cleaned_data["name"]: row.cleaned_data["value"] for row in self.headers.kept()},
            "validators": [
                {name: row.cleaned_data[name] for name in ("path", "operator", "value")}
                for row in self.validators.kept()
            ],
        }

    def secrets(self) -> dict[str, str | None]:
        """Return the secrets as flows.actions.define_webhook takes them: typed, held from before, or to be kept."""
        typed = self.typed()
        fields = [f"{HEADER}{row.cleaned_data['name']}" for row in self.hidden.kept() if row.cleaned_data["name"]]
        if self.own.cleaned_data["token_url"] and (CLIENT_SECRET in self.kept or CLIENT_SECRET in typed | self.held):
            fields.append(CLIENT_SECRET)
        return {field: typed.get(field, self.held.get(field)) for field in fields}

    def typed(self) -> dict[str, str]:
        """Return what was typed into fields of secrets now, by field."""
        values = {
            f"{HEADER}{row.data.get(row.add_prefix('name'), '').strip()}": row.data.get(row.add_prefix("value"), "")
            for row in self.hidden
            if row.is_bound
        }
        if self.own.is_bound:
            values[CLIENT_SECRET] = self.own.data.get("client_secret", "")
        return {field: value for field, value in values.items() if value and field != HEADER}

    def twice(self) -> list[str]:
        """Return headers that are named more than once, of either kind."""
        rows = [*self.headers.kept(), *self.hidden.kept()]
        names = [row.cleaned_data["name"].lower() for row in rows]
        return sorted({name for name in names if names.count(name) > 1})

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Show why the webhook is refused: at the field where there is one."""
        for one in findings:
            place = _PLACES.get(one.part, one.part)
            if place in self.own.fields:
                self.own.add_error(place, one.text)
            else:
                self.findings.append(one)


def _initial(webhook: Webhook | None) -> dict[str, Any]:
    body = webhook.body if webhook else EXAMPLE
    oauth = (webhook.oauth if webhook else None) or {}
    # The address is no column of the form: the model's own check knows no hosts without a dot, and ours does.
    told = {"url": webhook.url if webhook else "", "body": json.dumps(body, indent=2, ensure_ascii=False)}
    return told | oauth
