"""Rows of custom fields: what else a request is asked for."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from flows.choices import FieldKind
from flows.decision.fields import CHOICES_MAX, KEY, LABEL_MAX, PATTERN_MAX, wrong_pattern
from flows.forms.fields import Values
from flows.forms.rows import Row

_KEY_MAX = 40


class AskedForm(Row):
    """One field: what it is called, and what may be written into it."""

    label = forms.CharField(label="Label", required=False, max_length=LABEL_MAX)
    # The field’s key; a row has a key of its own.
    code = forms.CharField(label="Key", required=False, max_length=_KEY_MAX)
    kind = forms.ChoiceField(label="Kind", choices=FieldKind.choices, initial=FieldKind.TEXT)
    required = forms.BooleanField(label="Has to be filled in", required=False)
    choices = Values(label="To choose from")
    pattern = forms.CharField(label="Pattern", required=False, max_length=PATTERN_MAX)

    def clean_pattern(self) -> str:
        """Refuse what is no pattern, or could take for ever."""
        pattern: str = self.cleaned_data["pattern"]
        wrong = wrong_pattern(pattern) if pattern else ""
        if wrong:
            raise forms.ValidationError(wrong)
        return pattern

    def clean(self) -> dict[str, Any]:
        """Want a label, and a list to choose from where one chooses; a key is made of the label."""
        found = super().clean() or self.cleaned_data
        if self.blank():
            return found
        if "label" in found and not found["label"]:
            self.add_error("label", "Give the field a label: whoever asks reads it.")
        if "code" in found and not found["code"]:
            found["code"] = key_of(found.get("label", ""))
        if "code" in found and found.get("label") and not KEY.fullmatch(found["code"]):
            self.add_error("code", "Write small letters, digits and _, beginning with a letter.")
        if found.get("kind") == FieldKind.CHOICE and "choices" in found and not found["choices"]:
            self.add_error("choices", "Say what can be chosen.")
        if len(found.get("choices", ())) > CHOICES_MAX:
            self.add_error("choices", f"At most {CHOICES_MAX} can be chosen from.")
        return found

    def blank(self) -> bool:
        """Whether the row was left as it came."""
        return not any(self.cleaned_data.get(name) for name in ("label", "code", "choices", "pattern"))

    def told(self) -> dict[str, Any]:
        """Return the field as documents hold it."""
        row = self.cleaned_data
        return {"key": row["code"]} | {name: row[name] for name in ("label", "kind", "required", "choices", "pattern")}


def key_of(label: str) -> str:
    """Return a key made of a label: “Change number” becomes change_number."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:_KEY_MAX].rstrip("_")
