"""Sorting, compiled to an order of one query: by keys, and so by code points, on both databases alike."""

from __future__ import annotations

from typing import Any

from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf
from scim2_models import InvalidPathException, Path, SCIMException

from accounts.models import PushedValue
from accounts.scim.filters import TIMES, by_code_points, path_of
from accounts.scim.resources import Group, Person


def order_people(sort_by: str, *, descending: bool) -> list[OrderBy]:
    """Return how people are ordered by an attribute; who has none comes last, or first if descending.

    Raises InvalidPathException.
    """
    path = _sortable(Path[Person], sort_by)
    if path == "id":
        return _ordered(by_code_points("pk"), descending)
    if path in TIMES:
        return _ordered(F(TIMES[path]), descending)
    if path == "active":
        return _ordered(F("user__is_active"), descending)
    if path.partition(".")[0] in {"meta", "schemas", "groups"} or path.startswith("enterprise.manager"):
        raise InvalidPathException(path=sort_by, detail=f"People cannot be sorted by {sort_by[:100]}.")
    rows = PushedValue.objects.filter(person=OuterRef("pk"), path=path).order_by("item")
    return _ordered(by_code_points(Subquery(rows.values("key")[:1])), descending)


def order_groups(sort_by: str, *, descending: bool) -> list[OrderBy]:
    """Return how groups are ordered by an attribute. Raises InvalidPathException."""
    path = _sortable(Path[Group], sort_by)
    if path in TIMES:
        return _ordered(F(TIMES[path]), descending)
    column = {"id": "pk", "externalid": "external_id", "displayname": "name_key"}.get(path)
    if column is None:
        raise InvalidPathException(path=sort_by, detail=f"Groups cannot be sorted by {sort_by[:100]}.")
    return _ordered(by_code_points(NullIf(F(column), Value(""))), descending)


def _sortable(bound: Any, sort_by: str) -> str:
    """Return the path of one attribute that has an order; a list of complex values stands for its `value`."""
    if len(sort_by) > 200:
        raise InvalidPathException(path=sort_by[:50], detail="sortBy names one attribute.")
    try:
        binding = bound(sort_by).resolve()
    except (SCIMException, ValueError, RecursionError):
        binding = None
    if binding is None:
        raise InvalidPathException(path=sort_by, detail="sortBy names no attribute.")
    path = path_of(binding)
    kind = binding.target_type
    if isinstance(kind, type) and hasattr(kind, "model_fields"):
        if "value" not in kind.model_fields or not binding.is_multivalued:
            raise InvalidPathException(path=sort_by, detail="sortBy names a complex attribute: name a part of it.")
        path = f"{path}.value"
    return path


def _ordered(expression: Any, descending: bool) -> list[OrderBy]:
    first = expression.desc(nulls_first=True) if descending else expression.asc(nulls_last=True)
    return [first, F("pk").desc() if descending else F("pk").asc()]
