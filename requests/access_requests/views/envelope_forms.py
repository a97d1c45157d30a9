"""What people write of break-glass envelopes."""

from __future__ import annotations

from typing import Any

from django import forms

from access_requests import envelope_files
from access_requests.actions.envelopes import DAYS_MAX
from accounts.models import Group


class PrepareForm(forms.Form):
    """What an envelope is to hold, for which emergency, how long, and who may say that it was opened."""

    pair = forms.RegexField(
        r"^\d+:\d+$", error_messages={"required": "Choose what is to be in it.", "invalid": "Choose from the list."}
    )
    reason = forms.CharField(max_length=2000, error_messages={"required": "Say for which emergency it is."})
    days = forms.IntegerField(
        min_value=1, max_value=DAYS_MAX, error_messages={"required": "Say how many days it lasts."}
    )
    keepers = forms.CharField(max_length=200, required=False)

    def clean_keepers(self) -> Group | None:
        """Return the group of that name, if one is named."""
        name = self.cleaned_data["keepers"].strip()
        found = list(Group.objects.filter(name=name)[:2]) if name else [None]
        if len(found) != 1:
            words = f"There is no group called {name}." if not found else f"Several groups are called {name}."
            raise forms.ValidationError(words)
        return found[0]


class OpenedForm(forms.Form):
    """Who opened it, when by the reader's clock, and why."""

    opened_by = forms.CharField(max_length=200, error_messages={"required": "Say who opened it."})
    opened_at = forms.CharField(max_length=40, error_messages={"required": "Say when it was opened."})
    why = forms.CharField(max_length=2000, error_messages={"required": "Say why it was opened."})


class PassphraseForm(forms.Form):
    """A passphrase, twice."""

    passphrase = forms.CharField(max_length=1000, strip=False, error_messages={"required": "Give a passphrase."})
    again = forms.CharField(max_length=1000, strip=False, error_messages={"required": "Give it a second time."})

    def clean(self) -> dict[str, Any]:
        """Look whether both are the same, and long enough."""
        given = super().clean() or {}
        first, second = given.get("passphrase", ""), given.get("again", "")
        if first and second and first != second:
            raise forms.ValidationError("The two are not the same.")
        if first and len(first) < envelope_files.PASSPHRASE_MIN:
            least = envelope_files.PASSPHRASE_MIN
            raise forms.ValidationError(f"A passphrase has at least {least} characters: five words will do.")
        return given
