"""Searching: a filter, an order, a page of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scim2_models import (
    Context,
    InvalidFilterException,
    InvalidPathException,
    InvalidValueException,
    ResponseParameters,
)

from accounts.scim import groups, people
from accounts.scim.reading import Body, whole_number
from accounts.scim.resources import PAGE, PAGE_MAX, TOLERANT, Group, Person

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
NAMES_MAX = 4000
KINDS: dict[str, Any] = {"Users": people, "Groups": groups}
_NAMES = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")
_PARAMETERS: dict[str, Any] = {"Users": ResponseParameters[Person], "Groups": ResponseParameters[Group]}


def query_of(body: Body) -> dict[str, Any]:
    """Return what the body of a search says, as a query would. Raises InvalidValueException."""
    spelled = {name.lower(): name for name in _NAMES}
    query = {spelled[name.lower()]: value for name, value in body.items() if name.lower() in spelled}
    for name, value in query.items():
        if isinstance(value, list) and name in {"attributes", "excludedAttributes"}:
            query[name] = ",".join(map(str, value))
        elif not isinstance(value, str) and value is not None and name not in {"startIndex", "count"}:
            raise InvalidValueException(detail=f"{name} is a text.")
    return query


def search(endpoints: tuple[str, ...], query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of what a filter gives: per kind of resource one query for how many, and one for the page.

    Raises InvalidFilterException, InvalidPathException, InvalidValueException, ValidationError.
    """
    start = max(1, whole_number(query.get("startIndex"), "startIndex", 1))
    count = min(PAGE_MAX, max(0, whole_number(query.get("count"), "count", PAGE)))
    shown: list[dict[str, Any]] = []
    total, skip = 0, start - 1
    for endpoint, found in _found(endpoints, query):
        there = found.count()
        total += there
        wanted = count - len(shown)
        if wanted and skip < there:
            asked = parameters(endpoint, query)
            rows = found[skip : skip + wanted]
            shown += [dumped(one, asked) for one in KINDS[endpoint].shown_all(rows, without=without(asked))]
        skip = max(0, skip - there)
    told = {"schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": len(shown)}
    return told | ({"Resources": shown} if count else {})


def _found(endpoints: tuple[str, ...], query: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the rows of each kind, filtered and ordered; a kind that a filter means nothing to has none."""
    order = query.get("sortOrder") or "ascending"
    if str(order).lower() not in {"ascending", "descending"}:
        raise InvalidValueException(detail="sortOrder is ascending or descending.")
    by, text = query.get("sortBy"), query.get("filter")
    if by and len(endpoints) > 1:
        raise InvalidPathException(detail="What is of several kinds has no order: sort Users or Groups.")
    found, wrong = [], []
    for endpoint in endpoints:
        kind = KINDS[endpoint]
        parameters(endpoint, query)
        rows = kind.rows().order_by(
            *(kind.ordered(str(by), descending=str(order).lower() == "descending") if by else ["pk"])
        )
        try:
            found.append((endpoint, rows.filter(kind.matching(str(text))) if text else rows))
        except InvalidFilterException as error:
            wrong.append(error)
    if not found:
        raise wrong[0]
    return found


def parameters(endpoint: str, query: Mapping[str, Any]) -> Any:
    """Return which attributes are asked for. Raises ValidationError, InvalidValueException."""
    told = {name: query[name] for name in ("attributes", "excludedAttributes") if query.get(name)}
    if any(len(str(value)) > NAMES_MAX for value in told.values()):
        raise InvalidValueException(detail="Too many attributes are named.")
    return _PARAMETERS[endpoint].model_validate(told, scim_policy=TOLERANT)


def without(asked: Any) -> frozenset[str]:
    """Return what need not be read: `members`, unless they are asked for."""
    excluded = {str(name).lower().rpartition(":")[2] for name in asked.excluded_attributes or ()}
    wanted = {str(name).lower().rpartition(":")[2].partition(".")[0] for name in asked.attributes or ()}
    unwanted = "members" in excluded or (bool(wanted) and "members" not in wanted)
    return frozenset({"members"}) if unwanted else frozenset()


def dumped(resource: Any, asked: Any) -> dict[str, Any]:
    """Return what is to be seen of a resource."""
    shown: dict[str, Any] = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked)
    return shown
