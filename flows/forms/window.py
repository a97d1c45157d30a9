"""The part of a flow's form that says when it may be used."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms

from flows.decision.windows import DAYS

WORKING = DAYS[:5]


def zones() -> list[str]:
    """Return the names of all time zones."""
    return sorted(zoneinfo.available_timezones())


class _Clock(forms.TimeInput):
    """A time of day."""

    input_type = "time"

    def __init__(self) -> None:
        """Write it as documents do."""
        super().__init__(format="%H:%M")


class WindowForm(forms.Form):
    """Between which times, on which days, in which zone; or at any time."""

    limited = forms.BooleanField(label="Only at these times", required=False)
    start = forms.TimeField(label="From", required=False, initial="08:00", widget=_Clock())
    end = forms.TimeField(label="To", required=False, initial="18:00", widget=_Clock())
    days = forms.MultipleChoiceField(
        label="Days",
        choices=[(day, day.capitalize()[:3]) for day in DAYS],
        initial=list(WORKING),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    time_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any, window: dict[str, Any] | None, *, zone: str) -> None:
        """Show a document's window; without one what is usual, in the writer's own zone."""
        shown = {"limited": True, **window} if window else {"time_zone": zone or "UTC"}
        super().__init__(data, prefix="window", initial=shown)

    def clean(self) -> dict[str, Any]:
        """Want all of it, if any."""
        found = super().clean() or self.cleaned_data
        if not found.get("limited"):
            # What is left in fields that do not count is no mistake.
            self.errors.clear()
            return found
        for name in ("start", "end"):
            if name in found and found[name] is None:
                self.add_error(name, "Write a time, like 08:00.")
        if "days" in found and not found["days"]:
            self.add_error("days", "Choose the days on which it may be used.")
        zone = found.get("time_zone", "")
        if "time_zone" in found and zone not in zoneinfo.available_timezones():
            said = f"There is no time zone “{zone}”: write one" if zone else "Write a time zone"
            self.add_error("time_zone", f"{said} like Europe/Berlin.")
        return found

    @property
    def says(self) -> bool:
        """Whether it is limited, right or wrong."""
        return bool(self["limited"].value())

    def told(self) -> dict[str, Any] | None:
        """Return the window as documents hold it; None for any time, and for one that cannot be read."""
        row = self.cleaned_data
        if not row.get("limited") or not all(row.get(name) for name in ("start", "end", "days", "time_zone")):
            return None
        start, end = (f"{row[name]:%H:%M}" for name in ("start", "end"))
        return {"start": start, "end": end, "days": sorted(row["days"]), "time_zone": row["time_zone"]}
