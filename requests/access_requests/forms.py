"""The shape of what people send. Rules are the actions'."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django import forms
from django.http import QueryDict

from access_requests.queries import pair_of
from flows.decision import words_for

JUSTIFICATION_MAX = 2000
REASON_MAX = 500
_PAIR = re.compile(r"\d{1,18}:\d{1,18}", re.ASCII)
MINUTE, HOUR, DAY = 60, 3600, 86400
# What is offered; how long at most is the access flow's to say, and the dry run tells it.
DURATIONS = (30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY)
AS_LONG_AS_ALLOWED = ""
# What a column for seconds holds.
MAX_SECONDS = 2_147_483_647


class PairsField(forms.Field):
    """Entitlements, each named "resource id:permission id"."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[tuple[int, int]]:
        """Return the pairs. Raises ValidationError for what no page of ours can have sent."""
        values = list(value or [])
        if not all(_PAIR.fullmatch(str(one)) for one in values):
            raise forms.ValidationError("Choose from the list.")
        return list(dict.fromkeys(pair_of(one) for one in values))


class AskForm(forms.Form):
    """A new request. Whether something is missing is said by the dry run, for the access flow decides."""

    pick = PairsField(required=False)
    duration = forms.TypedChoiceField(
        label="For how long",
        choices=[
            *((str(seconds), words_for(seconds)) for seconds in DURATIONS),
            (AS_LONG_AS_ALLOWED, "As long as the access flow allows"),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        initial=str(HOUR),
        help_text="The clock starts when access becomes active, not now.",
    )
    justification = forms.CharField(
        required=False,
        max_length=JUSTIFICATION_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Approvers read it; it stays in the record.",
    )


class SearchForm(forms.Form):
    """Where in the list of what can be asked for."""

    q = forms.CharField(required=False, max_length=200)
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    at = forms.IntegerField(required=False, min_value=1, max_value=100_000)


class PageForm(forms.Form):
    """Which page of each list."""

    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
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
