"""Rows in a page: each has a key, sent in hidden fields named like the list, so that rows come and go without a script
and the fields of those that stay keep their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

_KEY = re.compile(r"[0-9]{1,4}")
_LISTS = re.compile(r"requestors|targets|approvers|headers|hidden|validators|approvers-[0-9]{1,4}-conditions")
CONDITIONS_MAX, TARGETS_MAX, GROUPS_MAX = 50, 50, 20
_MAX = {"targets": TARGETS_MAX, "approvers": GROUPS_MAX, "headers": 20, "hidden": 20, "validators": 20}


class BadRows(ValueError):
    """The page came back with rows that it never had."""


class Row(forms.Form):
    """One row. `key` is its name in the list."""

    key = ""
    list_name = ""
    number = 1
    # How the page counts what it selects; written there.
    counted = ""

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
    """Return what was sent, as it is after a button was pressed: add:LIST, add:targets:KIND, remove:LIST:KEY.

    Any other button changes nothing. Raises BadRows.
    """
    verb, _, rest = button.partition(":")
    name, _, more = rest.partition(":")
    if verb not in {"add", "remove"} or not _LISTS.fullmatch(name):
        return data
    keys, sent = keys_of(data, name), data.copy()
    if verb == "remove":
        sent.setlist(name, [key for key in keys if key != more])
        return sent
    new = next(str(key) for key in range(max(map(int, keys), default=-1) + 1, 20_000))
    if len(keys) >= limit_of(name) or not _KEY.fullmatch(new):
        return data
    sent.setlist(name, [*keys, new])
    for field in [field for field in sent if field.startswith(f"{name}-{new}-")]:
        del sent[field]
    if name == "targets":
        sent[f"targets-{new}-kind"] = more
    if name == "approvers":
        sent.setlist(f"approvers-{new}-conditions", ["0"])
    return sent
