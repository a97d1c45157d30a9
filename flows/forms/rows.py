"""Rows in a page: each has a key, sent in hidden fields named like the list, so that rows come and go without a script
and the fields of those that stay keep their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from flows.choices import LogicalOperator
from flows.decision.fields import FIELDS_MAX
from flows.forms import steps

_KEY = re.compile(r"[0-9]{1,4}")
_LISTS = re.compile(
    r"requestors|grantees|targets|fields|headers|hidden|validators|approvers|approvers-[0-9]{1,4}-conditions"
)
CONDITIONS_MAX, TARGETS_MAX, GROUPS_MAX = 50, 50, 20
_MAX = {"targets": TARGETS_MAX, "approvers": GROUPS_MAX, "fields": FIELDS_MAX}
_MAX |= {"headers": 20, "hidden": 20, "validators": 20}


class BadRows(ValueError):
    """The page came back with rows that it never had."""


class Row(forms.Form):
    """One row. `key` is its name in the list."""

    key = ""
    list_name = ""
    number = 1
    # How the page counts what it selects, and what is doubtful about it; written there.
    counted = ""
    doubted: Sequence[str] = ()

    def numbered(self, number: int) -> None:
        """Take its place in the list, from 1."""
        self.number = number

    def blank(self) -> bool:
        """Whether nothing was written into it, so that it does not count. Only after is_valid()."""
        return False

    def quiet(self) -> None:
        """Show no errors: the row is still being written."""
        hush(self)


def hush(form: Any) -> None:
    """Let a form that was checked show no errors, and not be checked again."""
    form._errors = ErrorDict()


class Rows:
    """A list of rows; those that were sent, or those that `initial` says."""

    def __init__(
        self, form: type[Row], name: str, data: QueryDict | None, initial: Iterable[dict[str, Any]], **told: Any
    ) -> None:
        """Build the rows. Raises BadRows when what was sent cannot come from the page."""
        self.name = name
        first = dict(enumerate(initial))
        keys = keys_of(data, name) if data is not None else [str(number) for number in first]
        self.forms: list[Any] = []
        for number, key in enumerate(keys, 1):
            row = form(data, prefix=f"{name}-{key}", initial=first.get(int(key), {}) if data is None else {}, **told)
            row.key, row.list_name = key, name
            row.numbered(number)
            self.forms.append(row)

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        return iter(self.forms)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.forms)

    @property
    def full(self) -> bool:
        """Whether no row can be added."""
        return len(self.forms) >= limit_of(self.name)

    def is_valid(self) -> bool:
        """Check all rows, so that every problem shows at once."""
        return not [row for row in self.forms if not row.is_valid()]

    def kept(self) -> list[Any]:
        """Return the rows that say something and say it well. Only after is_valid()."""
        return [row for row in self.forms if row.is_valid() and not row.blank()]


def limit_of(name: str) -> int:
    """Return how many rows a list may have."""
    return _MAX.get(name, CONDITIONS_MAX)


def keys_of(data: QueryDict, name: str) -> list[str]:
    """Return the keys of the rows that were sent. Raises BadRows."""
    keys = data.getlist(name)
    if len(keys) > limit_of(name):
        raise BadRows(f"This page was sent with {len(keys)} rows where at most {limit_of(name)} fit.")
    if len(set(keys)) != len(keys) or not all(_KEY.fullmatch(key) for key in keys):
        raise BadRows("This page was sent with rows that it never had.")
    return keys


def pressed(data: QueryDict, button: str) -> QueryDict:
    """Return what was sent, as it is after a button was pressed.

    Buttons are add:LIST, add:targets:KIND, add:approvers:STEP, remove:LIST:KEY, up:LIST:KEY, and sooner:approvers:STEP.
    Any other button changes nothing. Raises BadRows.
    """
    verb, _, rest = button.partition(":")
    name, _, more = rest.partition(":")
    if verb not in {"add", "remove", "up", "sooner"} or not _LISTS.fullmatch(name):
        return data
    keys, sent = keys_of(data, name), data.copy()
    match verb:
        case "add":
            _add(sent, name, keys, more)
        case "remove":
            sent.setlist(name, [key for key in keys if key != more])
        case "up" if more in keys[1:]:
            place = keys.index(more)
            keys[place - 1 : place + 1] = [more, keys[place - 1]]
            sent.setlist(name, keys)
        case "sooner" if name == "approvers":
            steps.sooner(sent, keys, more)
    if name == "approvers":
        steps.close_ranks(sent, sent.getlist(name))
    return sent


def _add(sent: QueryDict, name: str, keys: list[str], more: str) -> None:
    """Add an empty row, unless the list is full; `more` is what kind of target it is, or which step it belongs to."""
    new = next(str(key) for key in range(max(map(int, keys), default=-1) + 1, 20_000))
    if len(keys) >= limit_of(name) or not _KEY.fullmatch(new):
        return
    sent.setlist(name, [*keys, new])
    for field in [field for field in sent if field.startswith(f"{name}-{new}-")]:
        del sent[field]
    if name == "targets":
        sent[f"targets-{new}-kind"] = more
    if name == "approvers":
        sent[f"approvers-{new}-tier"] = str(steps.number(more))
        sent[f"approvers-{new}-operator"] = LogicalOperator.OR.value
        sent.setlist(f"approvers-{new}-conditions", ["0"])
