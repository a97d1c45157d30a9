"""The shape of what people send. Rules are the actions'."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django import forms
from django.http import QueryDict

from flows.decision import words_for
from flows.decision.fields import ANSWER_MAX, KEY, TICKET_MAX

JUSTIFICATION_MAX = 2000
REASON_MAX = 500
NOTE_MAX = 2000
# What was written into a flow's own field is sent under this and the field's key; of all flows at most so many.
OF_FIELD, ANSWERS_MAX = "field-", 200
_PICK = re.compile(r"\d{1,18}:\d{1,18}|bundle:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PART = re.compile(r"(\d{1,6})\s*(d|days?|h|hours?|hrs?|m|min|minutes?)\b", re.ASCII)
_LENGTH = re.compile(rf"\s*({_PART.pattern}\s*,?\s*)+", re.ASCII)
MINUTE, HOUR, DAY = 60, 3600, 86400
# What is offered; how long at most is the access flow's to say, and the dry run tells it.
DURATIONS = (30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY)
# On a new request; anything else can be written.
SEGMENTS = DURATIONS[:-1]
_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE}
AS_LONG_AS_ALLOWED, OTHER = "", "other"
# What a column for seconds holds.
MAX_SECONDS = 2_147_483_647


class PicksField(forms.Field):
    """What is picked: entitlements "resource id:permission id", bundles "bundle:id"."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        """Return what is named, each once. Raises ValidationError for what no page of ours can have sent."""
        values = [str(one) for one in value or []]
        if not all(_PICK.fullmatch(one) for one in values):
            raise forms.ValidationError("Choose from the list.")
        return values


def seconds_of(text: str) -> int | None:
    """Return the seconds of a length of time as people write it: "90", "1 h 30 min", "2d"; None for anything else."""
    if text.strip().isascii() and text.strip().isdigit():
        seconds = int(text.strip()[:12]) * MINUTE
    elif _LENGTH.fullmatch(text.lower()):
        seconds = sum(int(number) * _UNITS[unit[0]] for number, unit in _PART.findall(text.lower()))
    else:
        return None
    return seconds if 0 < seconds <= MAX_SECONDS else None


class AskForm(forms.Form):
    """A new request. Whether something is missing is said by the dry run, for the access flow decides."""

    # In the basket, in its order; ticked in the list since; which line of the basket goes.
    pick = PicksField(required=False)
    add = PicksField(required=False)
    drop = forms.IntegerField(required=False, min_value=0, max_value=10_000)
    duration = forms.ChoiceField(
        label="For how long",
        choices=[
            *((str(seconds), words_for(seconds)) for seconds in SEGMENTS),
            (OTHER, "Other"),
            (AS_LONG_AS_ALLOWED, "As long as the access flow allows"),
        ],
        required=False,
        initial=str(HOUR),
        help_text="The clock starts when access becomes active, not now.",
    )
    other = forms.CharField(required=False, max_length=40)
    justification = forms.CharField(
        required=False,
        max_length=JUSTIFICATION_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Approvers read it; it stays in the record.",
    )
    token = forms.UUIDField(required=False)
    # For whom: nothing is the asker, "other" whoever has the address, else the id of a direct report.
    whom = forms.CharField(required=False, max_length=40)
    grantee = forms.CharField(required=False, max_length=254)
    ticket = forms.CharField(required=False, max_length=TICKET_MAX, label="Ticket")
    # That the person means it: to break the glass.
    sure = forms.BooleanField(required=False)

    def answers(self) -> dict[str, str]:
        """Return what was written into the flows' own fields, by key."""
        sent = {name.removeprefix(OF_FIELD): str(self.data[name]) for name in self.data if name.startswith(OF_FIELD)}
        known = [(key, value[: ANSWER_MAX + 1]) for key, value in sent.items() if KEY.fullmatch(key)]
        return dict(known[:ANSWERS_MAX])

    def clean(self) -> dict[str, Any]:
        """Add what was ticked to the basket, take out what goes, and read the duration; None: as long as allowed."""
        data = self.cleaned_data
        basket = data.get("pick", [])
        drop = data.get("drop")
        kept = [value for position, value in enumerate(basket) if position != drop]
        data["picked"] = tuple(dict.fromkeys([*kept, *data.get("add", [])]))
        chosen = data.get("duration")
        if chosen == OTHER:
            data["duration"] = seconds_of(data.get("other", ""))
            if data["duration"] is None:
                self.add_error("duration", "Write a length of time, for example 90 min, 3 h or 2 d.")
        else:
            data["duration"] = int(chosen) if chosen else None
        return data


class SearchForm(forms.Form):
    """What is looked for, and which page of it. Each field is read by itself: one that makes no sense is empty."""

    q = forms.CharField(required=False, max_length=200)
    c = forms.CharField(required=False, max_length=60)
    i = forms.UUIDField(required=False)
    t = forms.CharField(required=False, max_length=60)
    whom = forms.CharField(required=False, max_length=40)
    grantee = forms.CharField(required=False, max_length=254)
    page = forms.IntegerField(required=False, min_value=1, max_value=50)
    at = forms.IntegerField(required=False, min_value=1, max_value=50)

    def value(self, name: str) -> Any:
        """Return a field's value, or nothing."""
        self.is_valid()
        return self.cleaned_data.get(name)


class PeopleForm(forms.Form):
    """Whom to search for."""

    q = forms.CharField(required=False, max_length=100)


class ReviewForm(forms.Form):
    """Whether breaking the glass was right, and what was found."""

    justified = forms.ChoiceField(choices=[("yes", "Justified"), ("no", "Not justified")])
    note = forms.CharField(required=False, max_length=NOTE_MAX)


class PageForm(forms.Form):
    """Which page of each list."""

    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    others = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    held = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    waiting = forms.IntegerField(required=False, min_value=1, max_value=100_000)


class ReasonForm(forms.Form):
    """An answer with its reason."""

    reason = forms.CharField(required=False, max_length=REASON_MAX)


class ApprovalForm(ReasonForm):
    """A yes, to all of a request or (with `narrow`) to the units ticked, for the time chosen."""

    narrow = forms.BooleanField(required=False)
    # Empty: without an end, which only a request without an end can be given.
    seconds = forms.IntegerField(required=False, min_value=1, max_value=MAX_SECONDS)

    def clean(self) -> dict[str, Any]:
        """Read the ids of units; what is no id names nothing of ours."""
        sent = self.data.getlist("keep") if isinstance(self.data, QueryDict) else ()
        try:
            self.cleaned_data["keep"] = [uuid.UUID(value) for value in sent]
        except ValueError:
            raise forms.ValidationError("Choose from the list.") from None
        return self.cleaned_data


class ExtendForm(forms.Form):
    """More time."""

    seconds = forms.IntegerField(min_value=1, max_value=MAX_SECONDS, error_messages={"required": "Say for how long."})
    justification = forms.CharField(required=False, max_length=JUSTIFICATION_MAX)
