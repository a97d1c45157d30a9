"""What a space lets its policy give: pure functions of the boundary that a flow's version carries.

A version in a space says so: {"space": {"id", "name", "scopes": [scope as a target, …]}}. One of the whole account, and
every one from before there were spaces, has no such key, and no boundary.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from flows.choices import SelectorMode, SelectorType, TargetKind
from integrations.aql import BadQuery, Query, Term, parse
from integrations.aql.tree import Node, all_of, any_of, negated
from integrations.queries import Entitlement

Target = dict[str, Any]
QUERIES = (TargetKind.QUERY, TargetKind.ACCESS_SCOPE)
# Said of each target that `targets_of` returns for a flow of a space: the queries of the boundary, one of which has to
# hold as well.
WITHIN = "within"


@lru_cache(maxsize=5000)
def query_of(text: str) -> Query | None:
    """Return a query; None, which selects nothing, for one that cannot be read (any more)."""
    try:
        return parse(text)
    except BadQuery:
        return None


def boundary_of(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the queries of a flow's space, one of which has to hold; None where the flow is of the whole account."""
    space = document.get("space")
    return tuple(sorted(one["query"] for one in space["scopes"])) if space else None


def bounded(target: Target, boundary: tuple[str, ...] | None) -> Target:
    """Return the target with the boundary that holds it."""
    return target if boundary is None else target | {WITHIN: list(boundary)}


def lies_within(target: Target, ask: Entitlement) -> bool:
    """Whether an entitlement lies within the boundary of a target; a space without scopes covers nothing."""
    if WITHIN not in target:
        return True
    return any(query is not None and query.holds(ask) for query in map(query_of, target[WITHIN]))


def by_query(target: Target) -> bool:
    """Whether what a target gives is asked of the inventory as a query: `selection` returns it."""
    return target.get("kind") in QUERIES or WITHIN in target


def selection(target: Target) -> Query | None:
    """Return the query that selects what a target gives within its boundary; None, where that is nothing.

    Of targets for which `by_query` holds.
    """
    if WITHIN not in target:
        return query_of(target.get("query", ""))
    return _joined(json.dumps(target, sort_keys=True))


@lru_cache(maxsize=5000)
def _joined(told: str) -> Query | None:
    target = json.loads(told)
    around = [query.root for query in map(query_of, target[WITHIN]) if query is not None]
    inner = _root(target)
    return Query(all_of([inner, any_of(around)])) if inner is not None and around else None


def _root(target: Target) -> Node | None:
    """Return what a target selects as it stands; of an integration target, exactly what `target_covers` says."""
    if target["kind"] in QUERIES:
        query = query_of(target.get("query", ""))
        return query.root if query else None
    chosen = [(one["mode"], _selects(one)) for one in target["selectors"]]
    included = [node for mode, node in chosen if mode == SelectorMode.INCLUDE]
    return all_of(
        [
            Term("integration_id", "=", (target["integration"],)),
            Term("resource_type", "=", (target["resource_type"],)),
            Term("permission_source_id", "in", tuple(target["permissions"])),
            *([any_of(included)] if included else []),
            *(negated(node) for mode, node in chosen if mode == SelectorMode.EXCLUDE),
        ]
    )


def _selects(selector: dict[str, Any]) -> Node:
    values = tuple(selector["values"])
    match selector["type"]:
        case SelectorType.NAME:
            return Term("resource_name", "in", values)
        case SelectorType.ID:
            return any_of([Term("resource_source_id", "in", values), Term("resource", "in", values)])
        case SelectorType.TAG:
            return Term("resource_tag", "in", values, selector["key"])
        case _:
            return Term("resource_name", "in", ())


def scopes_of(document: Mapping[str, Any]) -> Iterator[Target]:
    """Return the scopes of a flow's space, as its version keeps them."""
    yield from (document.get("space") or {}).get("scopes", ())
