"""Names with wildcards: `prod-*` finds what begins so. Everything but `*` means itself, whatever SQL thinks of it."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Q, TextField
from django.db.models.lookups import IContains


class Wild(IContains):
    """`name__wild="a*b"`: like `icontains` (so case does not matter), but of the whole text, with `*` for anything."""

    def process_rhs(self, qn: Any, connection: Any) -> Any:
        """Return the pattern: `%`, `_` and the escape itself are escaped, then `*` becomes `%`."""
        rhs, params = super().process_rhs(qn, connection)
        if not self.rhs_is_direct_value():
            return rhs, params
        return rhs, [str(connection.ops.prep_for_like_query(self.rhs)).replace("*", "%")]


def register() -> None:
    """Make the lookup known; called when the app is ready."""
    for field in (CharField, TextField):
        field.register_lookup(Wild, "wild")


def named(field: str, text: str) -> Q:
    """Return the condition that a field is the text; with `*` in it, that it fits the pattern, whatever the case."""
    return Q(**{f"{field}__wild": text}) if "*" in text else Q(**{field: text})


def fits(text: str, wanted: str) -> bool:
    """Whether a text is what `named` would find. In one pass, whatever the pattern."""
    if "*" not in wanted:
        return text == wanted
    first, *middle, last = wanted.lower().split("*")
    told = text.lower()
    at, end = len(first), len(told) - len(last)
    if at > end or not (told.startswith(first) and told.endswith(last)):
        return False
    for part in middle:
        found = told.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
