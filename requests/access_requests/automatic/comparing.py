"""Who holds through an automatic flow what, and who holds other than they should: asked of the database."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from access_requests.choices import RequestState, UnitState
from access_requests.models import AccessRequest, AccessUnit
from accounts.models import User
from integrations.queries import Entitlement

# What holds access or is on its way to it. What ends is not held any more: overlap is safe.
HELD = (RequestState.INITIALIZING, RequestState.APPROVED, RequestState.GRANTING, RequestState.ACTIVE)
Pair = tuple[int, int]
# Of each person: how many of the wanted entitlements they hold, and how many others.
_COUNTS = """
WITH wanted(number, resource, permission) AS (VALUES {wanted})
SELECT request.grantee_id, count(DISTINCT wanted.number), count(*) - count(wanted.number)
FROM requests_accessrequest request
JOIN requests_accessgroup part ON part.request_id = request.id
JOIN requests_accessunit unit ON unit.group_id = part.id AND unit.state <> %s
LEFT JOIN wanted ON wanted.resource = unit.resource_id AND wanted.permission = unit.permission_id
WHERE request.automatic AND request.state IN ({held})
  AND request.flow_version_id IN (SELECT id FROM flows_flowversion WHERE flow_id = %s)
  AND request.grantee_id >= %s AND request.grantee_id <= %s
GROUP BY request.grantee_id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some people in the order of their ids, and those of them whom the flow names. `last`: nobody comes after."""

    people: tuple[uuid.UUID, ...]
    matching: frozenset[uuid.UUID]
    last: bool


def held_through(flow_id: uuid.UUID) -> QuerySet[AccessRequest]:
    """Return what the flow gave by itself and has not ended."""
    rows = AccessRequest.objects.filter(automatic=True, state__in=HELD, flow_version__flow=flow_id)
    return rows.order_by()


def count_people(flow_id: uuid.UUID, matching: QuerySet[User]) -> int:
    """Return how many people a run looks at: those whom the flow names, and those who hold through it."""
    holding = held_through(flow_id).values("grantee")
    return User.objects.filter(Q(pk__in=matching.order_by().values("pk")) | Q(pk__in=holding)).count()


def batch(flow_id: uuid.UUID, matching: QuerySet[User], after: uuid.UUID | None, size: int) -> Batch:
    """Return the next people behind a person, at most `size`. Two queries, each by an index."""
    holding = held_through(flow_id)
    if after is not None:
        matching, holding = matching.filter(pk__gt=after), holding.filter(grantee__gt=after)
    named = list(matching.order_by("pk").values_list("pk", flat=True)[: size + 1])
    held = list(holding.order_by("grantee").values_list("grantee", flat=True).distinct()[: size + 1])
    everybody = sorted({*named, *held})
    people = tuple(everybody[:size])
    return Batch(people, frozenset(named).intersection(people), len(everybody) <= size)


def differing(flow_id: uuid.UUID, asks: Sequence[Entitlement], these: Batch) -> list[uuid.UUID]:
    """Return who of a batch does not hold exactly `asks`, or holds something and should not; in order. One query."""
    if not these.people:
        return []
    counts = _counts(flow_id, asks, these.people[0], these.people[-1])
    right = (len(asks), 0)
    return [one for one in these.people if counts.get(one, (0, 0)) != (right if one in these.matching else (0, 0))]


def _counts(
    flow_id: uuid.UUID, asks: Sequence[Entitlement], first: uuid.UUID, last: uuid.UUID
) -> dict[uuid.UUID, tuple[int, int]]:
    """Return, by person, how many of the asks are held, and how many other entitlements."""
    wanted = [(number, one.resource_id, one.permission_id) for number, one in enumerate(asks)] or [(-1, -1, -1)]
    # Numbers of ours, written as such: types of bound values would have to be told one by one.
    rows = ", ".join(f"({number:d}, {resource:d}, {permission:d})" for number, resource, permission in wanted)
    sql = _COUNTS.format(wanted=rows, held=", ".join(["%s"] * len(HELD)))
    states = [state.value for state in HELD]
    with connection.cursor() as cursor:
        cursor.execute(sql, [UnitState.ENDED.value, *states, *map(_stored, (flow_id, first, last))])
        return {uuid.UUID(str(person)): (mine, other) for person, mine, other in cursor.fetchall()}


def _stored(value: uuid.UUID) -> Any:
    """Return an id as the database keeps it."""
    return User._meta.pk.get_db_prep_value(value, connection)


def held_by(flow_id: uuid.UUID, people: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[int, set[Pair]]]:
    """Return what people hold through a flow: the (resource, permission) pairs of each request. Two queries."""
    rows = held_through(flow_id).filter(grantee__in=people)
    found: dict[uuid.UUID, dict[int, set[Pair]]] = defaultdict(dict)
    for person, request in rows.values_list("grantee", "pk"):
        found[person][request] = set()
    units = AccessUnit.objects.filter(group__request__in=rows.values("pk")).exclude(state=UnitState.ENDED)
    told: Iterable[Any] = units.order_by().values_list(
        "group__request__grantee", "group__request", "resource", "permission"
    )
    for person, request, resource, permission in told:
        # A request that came between the two is not planned with.
        if request in found.get(person, {}):
            found[person][request].add((resource, permission))
    return found
