"""Names in conditions: those that nobody has are refused, with what is like them."""

from __future__ import annotations

import difflib
from typing import Any

from django.db.models import QuerySet

from accounts.models import Group, User
from flows.choices import ConditionType, MatchOperator
from flows.models import Webhook
from flows.reach import uuids

_WHOLE = {MatchOperator.IS, MatchOperator.IS_NOT}
# Names that are searched for something like them, per list; the others are only said to be unknown.
_LIKENED = 5
_LIKELY_MAX = 2000
_FIELDS = {ConditionType.USER: "email", ConditionType.GROUP: "name", ConditionType.WEBHOOK: "name"}
_NOBODY = {
    ConditionType.USER: "There is nobody with the address",
    ConditionType.GROUP: "There is no group",
    ConditionType.WEBHOOK: "There is no webhook",
}


def refuse_unknown(rows: list[Any], known: set[tuple[str, str]]) -> None:
    """Mark names of people, groups and webhooks that nobody has. What was `known` before may stay.

    Two queries for each kind, and one or two for each of the first few unknown names.
    """
    likened = 0
    for kind in _FIELDS:
        mine = [row for row in rows if row.cleaned_data["type"] == kind and _whole(kind, row.cleaned_data["operator"])]
        there = _there(kind, {value for row in mine for value in row.cleaned_data["values"]})
        for row in mine:
            for value in row.cleaned_data.get("values", []):
                if value not in there and (kind.value, value) not in known:
                    like = nearest(kind, value) if likened < _LIKENED else []
                    likened += 1
                    row.add_error("values", _unknown(kind, value, like))


def _whole(kind: ConditionType, operator: str) -> bool:
    """Whether whole names are compared."""
    return kind == ConditionType.WEBHOOK or operator in _WHOLE


def _there(kind: ConditionType, values: set[str]) -> set[str]:
    """Return the values that are names or ids of somebody, or of a group or a webhook."""
    if not values:
        return set()
    field = _FIELDS[kind]
    found = set(_names(kind).filter(**{f"{field}__in": values}).values_list(field, flat=True))
    ids = uuids(values)
    return found | ({str(pk) for pk in _names(kind).filter(pk__in=ids).values_list("pk", flat=True)} if ids else set())


def _unknown(kind: ConditionType, value: str, like: list[str]) -> str:
    meant = f" Did you mean {' or '.join(f'“{one}”' for one in like)}?" if like else ""
    return f"{_NOBODY[kind]} “{value}”.{meant}"


def nearest(kind: ConditionType, text: str) -> list[str]:
    """Return up to three names that contain the text or look like it."""
    field = _FIELDS[kind]
    names = _names(kind).order_by(field).values_list(field, flat=True)
    holding = list(names.filter(**{f"{field}__icontains": text})[:3])
    likely = [] if holding else list(names.filter(**{f"{field}__istartswith": text[:1]})[:_LIKELY_MAX])
    return holding or difflib.get_close_matches(text, likely, n=3, cutoff=0.6)


def _names(kind: ConditionType) -> QuerySet[Any]:
    if kind == ConditionType.USER:
        return User.objects.filter(is_active=True)
    return Group.objects.all() if kind == ConditionType.GROUP else Webhook.objects.all()
