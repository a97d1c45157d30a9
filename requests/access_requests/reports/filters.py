"""What to select, read from the words of an address: the same form serves page, CSV and saved reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from access_requests.choices import ReportKind, RequestState
from access_requests.reports import periods
from access_requests.reports.periods import UNITS, Span
from flows.choices import Trigger

OPEN, LATE = "open", "late"
LAST, BETWEEN = "last", "between"
USUAL = "last-30-day"
PRESETS = (
    ("last-24-hour", "Last 24 hours"),
    ("last-7-day", "Last 7 days"),
    (USUAL, "Last 30 days"),
    ("last-90-day", "Last 90 days"),
    ("last-12-month", "Last 12 months"),
)
STATES = (
    ("", "Every state"),
    (OPEN, "Not over"),
    (LATE, "Ended late, or overdue"),
    *((state.value, str(state.label)) for state in RequestState),
)
TRIGGERS = (("", "Every trigger"), *((one.value, str(one.label)) for one in Trigger))
# Shown behind "More filters".
MORE = ("integration", "flow", "trigger", "last", "unit", "whole", "from", "to")
LAST_MAX = {periods.HOUR: 10_000, periods.DAY: 3_660, periods.MONTH: 120}
_FIRST_DAY, _FINAL_DAY = date(2000, 1, 1), date(2999, 12, 31)


class BadFilter(ValueError):
    """Words that are no filter; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to select; an empty field does not restrict. Texts are parts of names, whatever their case."""

    span: Span
    # The moment this is asked: what is overdue is overdue then.
    at: datetime
    person: str = ""
    what: str = ""
    integration: str = ""
    flow: str = ""
    trigger: str = ""
    state: str = ""


class FilterForm(forms.Form):
    """The filters of an address. Nothing is required; without a period it is the last 30 days."""

    person = forms.CharField(required=False, max_length=200)
    what = forms.CharField(required=False, max_length=200, label="Resource, permission, ticket")
    state = forms.ChoiceField(required=False, choices=STATES)
    period = forms.ChoiceField(
        required=False, choices=[*PRESETS, (LAST, "The last …"), (BETWEEN, "Between two days")], initial=USUAL
    )
    integration = forms.CharField(required=False, max_length=150)
    flow = forms.CharField(required=False, max_length=150, label="Access flow")
    trigger = forms.ChoiceField(required=False, choices=TRIGGERS)
    last = forms.IntegerField(required=False, min_value=1, max_value=10_000, label="The last")
    unit = forms.ChoiceField(required=False, choices=UNITS, initial=periods.DAY)
    whole = forms.BooleanField(required=False, label="Only whole ones")

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the words of an address; others than these are left alone."""
        given = {name: value for name, value in data.items() if value != ""}
        given.setdefault("period", self._meant(given))
        super().__init__(given)
        for name, label in (("from", "From"), ("to", "To, included")):
            self.fields[name] = forms.DateField(
                required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            )

    def clean(self) -> dict[str, Any]:
        """Refuse what contradicts itself: dates beside another period, an end before the beginning."""
        kept: dict[str, Any] = super().clean() or self.cleaned_data
        first, final = kept.get("from"), kept.get("to")
        period = kept.get("period")
        if period and period != BETWEEN and (first or final):
            self.add_error("from", "Choose “Between two days” as the period for days to count, or empty them.")
        if period and period != LAST and kept.get("last"):
            self.add_error("last", "Choose “The last …” as the period for this number to count, or empty it.")
        if first and final and first > final:
            self.add_error("to", "The period ends before it begins.")
        if first and final and (final - first).days > LAST_MAX[periods.DAY]:
            self.add_error("to", "Ten years at most.")
        if any(day and not _FIRST_DAY <= day <= _FINAL_DAY for day in (first, final)):
            self.add_error("from", "Choose days between the years 2000 and 2999.")
        unit = kept.get("unit") or periods.DAY
        if (kept.get("last") or 0) > LAST_MAX.get(unit, 0):
            self.add_error("last", f"At most {LAST_MAX[unit]:,} {dict(UNITS)[unit]}.")
        return kept

    @staticmethod
    def _meant(kept: Mapping[str, Any]) -> str:
        """Return the period of an address that does not name one."""
        if kept.get("from") or kept.get("to"):
            return BETWEEN
        return LAST if kept.get("last") else USUAL

    def words(self) -> dict[str, str]:
        """Return the filters as the shortest address that means them. Only of a valid form."""
        kept = self.cleaned_data
        period = kept["period"]
        beside = {LAST: ("last", "unit", "whole"), BETWEEN: ("from", "to")}.get(period, ())
        names = ["person", "what", "state", "integration", "flow", "trigger", *beside]
        words = {name: _word(kept.get(name)) for name in names}
        if period != USUAL:
            words["period"] = period
        return {name: word for name, word in words.items() if word}

    def filters(self, at: datetime, zone: ZoneInfo) -> Filters:
        """Return what to select, at that moment, in that time zone. Only of a valid form."""
        kept = self.cleaned_data
        names = ("person", "what", "integration", "flow", "trigger", "state")
        return Filters(self._span(at, zone), at, **{name: (kept.get(name) or "").strip() for name in names})

    def _span(self, at: datetime, zone: ZoneInfo) -> Span:
        kept = self.cleaned_data
        if kept["period"] == BETWEEN:
            return periods.between(kept.get("from"), kept.get("to"), at, zone)
        if kept["period"] == LAST:
            unit = kept.get("unit") or periods.DAY
            return periods.last(kept.get("last") or 1, unit, at, zone, whole=bool(kept.get("whole")))
        _, count, unit = kept["period"].split("-")
        return periods.last(int(count), unit, at, zone)

    def said(self) -> str:
        """Return the filters as people say them. Only of a valid form."""
        kept = self.cleaned_data
        parts = [self._period_said()]
        parts += [str(dict(STATES)[kept["state"]]).lower()] if kept.get("state") else []
        parts += [f"{str(dict(TRIGGERS)[kept['trigger']]).lower()} flows"] if kept.get("trigger") else []
        for name, word in (("person", "person"), ("what", "about"), ("integration", "in"), ("flow", "by access flow")):
            parts += [f"{word} “{kept[name]}”"] if kept.get(name) else []
        return ", ".join(parts)

    def _period_said(self) -> str:
        kept = self.cleaned_data
        if kept["period"] == BETWEEN:
            first, final = kept.get("from"), kept.get("to")
            return " ".join([*([f"from {first}"] if first else []), *([f"to {final}"] if final else [])]) or "a year"
        if kept["period"] == LAST:
            unit = dict(UNITS)[kept.get("unit") or periods.DAY]
            return f"last {kept.get('last') or 1} {'whole ' if kept.get('whole') else ''}{unit}"
        return dict(PRESETS)[kept["period"]].lower()


def _word(value: Any) -> str:
    """Return a cleaned value as an address says it."""
    if value is None or value is False:
        return ""
    return "on" if value is True else str(value)


def read(words: Mapping[str, Any], *, at: datetime | None = None, zone: ZoneInfo) -> Filters:
    """Return what kept words select. Raises BadFilter when they do not make sense (any more)."""
    form = FilterForm(words)
    if not form.is_valid():
        raise BadFilter(" ".join(str(one) for errors in form.errors.values() for one in errors))
    return form.filters(at or timezone.now(), zone)


def said_of(kind: str, words: Mapping[str, str]) -> str:
    """Return kept filters as people say them."""
    if kind == ReportKind.AUDIT:
        return ", ".join(f"{name} {value}" for name, value in words.items()) or "everything"
    form = FilterForm(words)
    return form.said() if form.is_valid() else "filters that do not make sense any more"
