"""Where a flow, bundle or scope is to lie: a field of each form, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from flows.models import Space
from flows.reach import uuids

ACCOUNT = ("", "The whole account")


@dataclass(frozen=True, slots=True)
class Places:
    """Where somebody may write: in the whole account, and in which spaces (id, name)."""

    account: bool = True
    spaces: tuple[tuple[str, str], ...] = ()


ANYWHERE = Places()


def choose_place(form: Any, places: Places, row: Any) -> None:
    """Give a form the field "space", if there is a space to choose."""
    if places.spaces:
        choices = [*([ACCOUNT] if places.account else []), *places.spaces]
        now = str(row.space_id or "") if row is not None else choices[0][0]
        form.fields["space"] = forms.ChoiceField(
            label="Space", choices=choices, required=not places.account, initial=now
        )


def place_chosen(form: Any, row: Any) -> Space | None:
    """Return the space that a checked form says; that of the row, where the form does not ask."""
    if "space" not in form.fields:
        return row.space if row is not None else None
    chosen = uuids([form.cleaned_data.get("space") or ""])
    return Space.objects.filter(pk__in=chosen).first() if chosen else None
