"""What roles a person holds, also in spaces. The floor that knows spaces says where they are held: `read_also`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, UUIDField, Value

from accounts.choices import Role, SpaceRole

if TYPE_CHECKING:
    from accounts.models import User

Rows = QuerySet[Any, tuple[Any, ...]]
_others: dict[str, Callable[[User], Rows]] = {}


def read_also(name: str, rows: Callable[[User], Rows]) -> None:
    """Read roles in spaces too, as rows of (role, id of the space); called from an app's ready()."""
    _others[name] = rows


def held(user: User) -> tuple[frozenset[Role], dict[str, frozenset[SpaceRole]]]:
    """Return a person's roles, and those in each space by its id. One query."""
    own = user.roles.values_list("role", Value(None, output_field=UUIDField()))
    found = own.union(*(rows(user) for rows in _others.values())) if _others else own
    roles, there = set(), defaultdict(set)
    for role, space in found:
        if space is None:
            roles.add(Role(role))
        else:
            there[str(space)].add(SpaceRole(role))
    return frozenset(roles), {space: frozenset(mine) for space, mine in there.items()}
