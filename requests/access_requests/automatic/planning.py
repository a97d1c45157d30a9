"""What to give and to take: a pure function of what should be held and what is.

A request names what it names for ever. So what is added becomes a further request; and where some of a request is not
given any more, the whole request ends and what stays is given by another, which is ordered together with the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrations.queries import Entitlement

# How many entitlements one request names; they all lie in one integration.
REQUEST_MAX = 500
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """A request for each of `give`, and of `replacing`, which give what an ending one gave. `end`: the ids of those."""

    give: tuple[tuple[Entitlement, ...], ...] = ()
    replacing: tuple[tuple[Entitlement, ...], ...] = ()
    end: tuple[int, ...] = ()


def plan(given: Sequence[Entitlement], held: Mapping[int, Collection[Pair]], lost: Collection[Pair]) -> Plan:
    """Return what makes what is held agree with what is given.

    `held` are the pairs of each request; `lost` those that the flow would not give even if they could be granted.
    """
    end = tuple(sorted(pk for pk, pairs in held.items() if any(pair in lost for pair in pairs)))
    ending = {pair for pk in end for pair in held[pk]}
    kept = {pair for pk, pairs in held.items() if pk not in end for pair in pairs}
    missing = [one for one in given if _pair(one) not in kept]
    parts = list(_in_parts(missing))
    again = tuple(part for part in parts if any(_pair(one) in ending for one in part))
    return Plan(tuple(part for part in parts if part not in again), again, end)


def _pair(one: Entitlement) -> Pair:
    return one.resource_id, one.permission_id


def _in_parts(asks: Sequence[Entitlement]) -> Iterator[tuple[Entitlement, ...]]:
    """Divide by integration, and each into parts that one request may name."""
    by_integration: dict[str, list[Entitlement]] = defaultdict(list)
    for one in asks:
        by_integration[one.integration_id].append(one)
    for _, here in sorted(by_integration.items()):
        for start in range(0, len(here), REQUEST_MAX):
            yield tuple(here[start : start + REQUEST_MAX])
