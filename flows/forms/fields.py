"""Fields: values as text, and durations as people write them."""

from __future__ import annotations

import csv
import re
from typing import Any

from django import forms

from flows.decision import words_for

VALUES_MAX = 500
VALUE_MAX = 300
# Ten years; nobody means more, and the database's numbers end somewhere.
MINUTES_MAX = 10 * 366 * 1440
_UNITS = {"m": 1, "min": 1, "minute": 1, "h": 60, "hour": 60, "d": 1440, "day": 1440, "w": 10080, "week": 10080}
_LINE = re.compile(r"\r\n|\r|\n")
_DURATION = re.compile(r"\s*(\d{1,9})\s*([a-z]*)[\s,]*", re.ASCII)


class Values(forms.CharField):
    """Some values: one a line, or with commas between; one that holds a comma stands in double quotes."""

    def __init__(self, **told: Any) -> None:
        """Show a small text area, which a script turns into chips."""
        attrs = {
            "rows": 1,
            "cols": 20,
            "data-values": "",
            "placeholder": " ",
            "spellcheck": "false",
            "autocomplete": "off",
        }
        super().__init__(widget=forms.Textarea(attrs=attrs), max_length=20_000, **{"required": False} | told)

    def to_python(self, value: Any) -> Any:
        """Return the values, each once."""
        lines = _LINE.split(super().to_python(value) or "")
        found = (one.strip() for line in lines for one in next(csv.reader([line], skipinitialspace=True), []))
        return list(dict.fromkeys(one for one in found if one))

    def validate(self, value: Any) -> None:
        """Refuse nothing where something is needed, and more than anybody reads."""
        forms.Field.validate(self, value)
        if len(value) > VALUES_MAX:
            raise forms.ValidationError(f"At most {VALUES_MAX} values; name a group instead.")
        if any(len(one) > VALUE_MAX for one in value):
            raise forms.ValidationError(f"A value has at most {VALUE_MAX} characters.")

    def run_validators(self, value: Any) -> None:
        """Validate the text that the values make."""
        super().run_validators("\n".join(value))

    def prepare_value(self, value: Any) -> Any:
        """Show a list one a line."""
        return "\n".join(quoted(str(one)) for one in value) if isinstance(value, list | tuple) else value


def quoted(value: str) -> str:
    """Return a value as it is written in the field."""
    return '"' + value.replace('"', '""') + '"' if "," in value or value.startswith('"') else value


class Minutes(forms.CharField):
    """A duration in whole minutes, written as "4 h", "1 d 12 h" or "90" (minutes). Nothing is None."""

    def __init__(self, **told: Any) -> None:
        """Suggest what is usual."""
        attrs = {"list": "durations", "autocomplete": "off", "placeholder": "4 h"}
        super().__init__(widget=forms.TextInput(attrs=attrs), max_length=40, **{"required": False} | told)

    def to_python(self, value: Any) -> Any:
        """Return the minutes. Raises ValidationError."""
        text = str(super().to_python(value) or "").strip().lower()
        if not text:
            return None
        parts = [(int(number), unit.removesuffix("s") or "m") for number, unit in _DURATION.findall(text)]
        if not parts or _DURATION.sub("", text) or any(unit not in _UNITS for _, unit in parts):
            raise forms.ValidationError("Write a duration such as 30 min, 4 h or 1 d 12 h.")
        minutes = sum(number * _UNITS[unit] for number, unit in parts)
        if not 1 <= minutes <= MINUTES_MAX:
            raise forms.ValidationError("At least one minute, at most ten years.")
        return minutes

    def run_validators(self, value: Any) -> None:
        """Leave it at what to_python said: the validators of text do not fit a number."""

    def prepare_value(self, value: Any) -> Any:
        """Show minutes as people say them."""
        return (words_for(value * 60) if value else "") if isinstance(value, int) else value
