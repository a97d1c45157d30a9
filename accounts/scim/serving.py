"""What SCIM is asked and what it answers, apart from HTTP: an operation of a bulk is answered by the same functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DataError, transaction
from django.utils import timezone
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
)

from accounts import actions
from accounts.scim import groups, people
from accounts.scim.reading import Body, whole_number
from accounts.scim.resources import PAGE, PAGE_MAX, TOLERANT, Group, Person, provider
from audit.actor import Actor

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
ID_MAX, NAMES_MAX = 64, 4000
KINDS: dict[str, Any] = {"Users": people, "Groups": groups}
_PARAMETERS: dict[str, Any] = {"Users": ResponseParameters[Person], "Groups": ResponseParameters[Group]}  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation: how, on what, with what, by whom and when."""

    method: str
    parts: tuple[str, ...]
    actor: Actor
    body: Body = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    if_match: str = ""
    if_none_match: str = ""
    at: datetime = field(default_factory=timezone.now)


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes of it."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NotAllowedHere(SCIMException):
    """The address exists, but nothing can be done with it in this way."""

    status = 405
    _default_detail = "This cannot be done with this address."


def answer(ask: Ask) -> Reply:
    """Answer one operation; whatever is wrong with it becomes an answer too."""
    return told(lambda: _route(ask))


def told(do: Callable[[], Reply]) -> Reply:
    """Return what `do` returns or, for all that can be wrong with what was asked, an error in SCIM's form."""
    try:
        return do()
    except SCIMException as error:
        return _error(error.status, error.scim_type, str(error))
    except ValidationError as error:
        first = Error.from_validation_errors(error)[0]
        return _error(first.status or 400, first.scim_type, first.detail or "")
    except actions.AlreadyThere as refused:
        return _error(409, "uniqueness", str(refused))
    except actions.NotAllowed as refused:
        return _error(403, None, str(refused))
    except (actions.LastAdmin, actions.InUse, actions.KeptElsewhere) as refused:
        return _error(409, None, str(refused))
    except actions.Refused as refused:
        return _error(400, "invalidValue", str(refused))
    except RecursionError:
        return _error(400, "invalidSyntax", "It is nested too deeply.")
    except (DataError, OverflowError):
        return _error(400, "invalidValue", "A value is out of bounds.")


def _error(status: int, scim_type: str | None, detail: str) -> Reply:
    told = {"schemas": [ERROR], "status": str(status), "detail": detail[:500]}
    return Reply(status, told | ({"scimType": scim_type} if scim_type else {}))


def _route(ask: Ask) -> Reply:
    """Find what the address means. Raises NotFoundException, NotAllowedHere."""
    head, rest = ask.parts[0] if ask.parts else "", ask.parts[1:]
    if head in KINDS:
        return _resources(head, rest, ask)
    if head in _DISCOVERY and len(rest) <= 1:
        if ask.method != "GET":
            raise NotAllowedHere()
        if ask.query.get("filter"):
            raise actions.NotAllowed("What the service says of itself cannot be filtered.")
        return _DISCOVERY[head](*rest)
    raise NotFoundException(detail="There is nothing at this address.")


def _resources(endpoint: str, rest: tuple[str, ...], ask: Ask) -> Reply:
    if not rest:
        handler = {"GET": _search, "POST": _create}.get(ask.method)
    elif rest == (".search",):
        handler = {"POST": _search_by_post}.get(ask.method)
    elif len(rest) == 1:
        handler = {"GET": _read, "PUT": _change, "PATCH": _change, "DELETE": _delete}.get(ask.method)
        if len(rest[0]) > ID_MAX or not rest[0].isprintable():
            raise NotFoundException(detail="There is no such resource.")
    else:
        raise NotFoundException(detail="There is nothing at this address.")
    if handler is None:
        raise NotAllowedHere()
    return handler(endpoint, ask)


def _create(endpoint: str, ask: Ask) -> Reply:
    parameters = _parameters(endpoint, ask.query)
    with transaction.atomic():
        pk = KINDS[endpoint].create(ask.body, actor=ask.actor, at=ask.at)
        shown = _shown(endpoint, pk, parameters)
    location = people.address_of(endpoint, pk)
    return Reply(201, shown, {"Location": location, "ETag": _etag(shown)})


def _read(endpoint: str, ask: Ask) -> Reply:
    pk = ask.parts[1]
    parameters = _parameters(endpoint, ask.query)
    shown = _shown(endpoint, pk, parameters)
    if ask.if_none_match and _matches(ask.if_none_match, _etag(shown)):
        return Reply(304, None, {"ETag": _etag(shown)})
    return Reply(200, shown, {"ETag": _etag(shown)})


def _change(endpoint: str, ask: Ask) -> Reply:
    """PUT or PATCH: one transaction, in which nobody else changes it."""
    kind, pk = KINDS[endpoint], ask.parts[1]
    parameters = _parameters(endpoint, ask.query)
    with transaction.atomic():
        row = kind.locked(pk)
        _check_match(row, ask)
        do = kind.replace if ask.method == "PUT" else kind.patch
        do(row, ask.body, actor=ask.actor, at=ask.at)
        etag = people.version(row)
        if ask.method == "PATCH" and kind is groups and "members" not in _without(parameters) and groups.is_large(pk):
            return Reply(204, None, {"ETag": etag})
        shown = _shown(endpoint, pk, parameters)
    return Reply(200, shown, {"ETag": etag, "Location": people.address_of(endpoint, pk)})


def _delete(endpoint: str, ask: Ask) -> Reply:
    with transaction.atomic():
        row = KINDS[endpoint].locked(ask.parts[1])
        _check_match(row, ask)
        KINDS[endpoint].delete(row, actor=ask.actor, at=ask.at)
    return Reply(204)


def _search_by_post(endpoint: str, ask: Ask) -> Reply:
    """Search with what the body says, where an address would become too long."""
    names = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")
    spelled = {name.lower(): name for name in names}
    query = {spelled[name.lower()]: value for name, value in ask.body.items() if name.lower() in spelled}
    for name, value in query.items():
        if isinstance(value, list) and name in {"attributes", "excludedAttributes"}:
            query[name] = ",".join(map(str, value))
        elif not isinstance(value, str) and name not in {"startIndex", "count"}:
            raise InvalidValueException(detail=f"{name} is a text.")
    return _search(endpoint, Ask(ask.method, ask.parts, ask.actor, query=query, at=ask.at))


def _search(endpoint: str, ask: Ask) -> Reply:
    """Return a page of what a filter gives: one query for how many, one for the page."""
    kind, query = KINDS[endpoint], ask.query
    parameters = _parameters(endpoint, query)
    start = max(1, whole_number(query.get("startIndex"), "startIndex", 1))
    count = min(PAGE_MAX, max(0, whole_number(query.get("count"), "count", PAGE)))
    found = kind.rows()
    if query.get("filter"):
        found = found.filter(kind.matching(str(query["filter"])))
    order = query.get("sortOrder") or "ascending"
    if order not in {"ascending", "descending"}:
        raise InvalidValueException(detail="sortOrder is ascending or descending.")
    by = query.get("sortBy")
    found = found.order_by(*(kind.ordered(str(by), descending=order == "descending") if by else ["pk"]))
    total = found.count()
    rows = found[start - 1 : start - 1 + count] if count and start <= total else []
    shown = [_dumped(one, parameters) for one in kind.shown_all(rows, without=_without(parameters))]
    told = {"schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": len(shown)}
    return Reply(200, told | ({"Resources": shown} if count else {}))


def _parameters(endpoint: str, query: Mapping[str, Any]) -> Any:
    """Return which attributes are asked for. Raises ValidationError, InvalidValueException."""
    told = {name: query[name] for name in ("attributes", "excludedAttributes") if query.get(name)}
    if any(len(str(value)) > NAMES_MAX for value in told.values()):
        raise InvalidValueException(detail="Too many attributes are named.")
    return _PARAMETERS[endpoint].model_validate(told, scim_policy=TOLERANT)


def _without(parameters: Any) -> frozenset[str]:
    """Return what need not be read: `members`, unless they are asked for."""
    excluded = {str(name).lower().rpartition(":")[2] for name in parameters.excluded_attributes or ()}
    wanted = {str(name).lower().rpartition(":")[2].partition(".")[0] for name in parameters.attributes or ()}
    unwanted = "members" in excluded or (bool(wanted) and "members" not in wanted)
    return frozenset({"members"}) if unwanted else frozenset()


def _shown(endpoint: str, pk: str, parameters: Any) -> dict[str, Any]:
    return _dumped(KINDS[endpoint].shown(pk, without=_without(parameters)), parameters)


def _dumped(resource: Any, parameters: Any) -> dict[str, Any]:
    shown: dict[str, Any] = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE,
        response_parameters=parameters,
    )
    # Kept beside what was asked for: the ETag is of the resource, whatever part of it is shown.
    shown.setdefault("meta", {"version": resource.meta.version})
    return shown


def _etag(shown: Mapping[str, Any]) -> str:
    return str(shown["meta"].get("version", ""))


def _check_match(row: Any, ask: Ask) -> None:
    """Raise PreconditionFailedException when the client has seen another version than there is."""
    if ask.if_match and not _matches(ask.if_match, people.version(row)):
        raise PreconditionFailedException(detail="It was changed by somebody else: read it again.")


def _matches(wanted: str, version: str) -> bool:
    """Whether one of the versions named is this one; strong and weak count as the same, and * as any."""
    bare = version.removeprefix("W/")
    return any(one.strip() == "*" or one.strip().removeprefix("W/") == bare for one in wanted[:2000].split(","))


@cache
def _discovered() -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Return schemas, resource types and configuration, with their addresses."""
    service = provider()
    assert service.config is not None
    schemas = [_placed(one.model_dump(), "Schemas", str(one.id)) for one in service.schemas]
    types = [_placed(one.model_dump(), "ResourceTypes", str(one.name)) for one in service.resource_types]
    return schemas, types, _placed(service.config.model_dump(), "ServiceProviderConfig", "")


def _placed(told: dict[str, Any], endpoint: str, pk: str) -> dict[str, Any]:
    location = people.address_of(endpoint, pk).rstrip("/")
    kind = endpoint if endpoint == "ServiceProviderConfig" else endpoint.removesuffix("s")
    return told | {"meta": {"resourceType": kind, "location": location}}


def _listed(some: list[dict[str, Any]]) -> Reply:
    told = {"schemas": [LIST], "totalResults": len(some), "startIndex": 1, "itemsPerPage": len(some)}
    return Reply(200, told | {"Resources": some})


def _one_of(some: list[dict[str, Any]], pk: str) -> Reply:
    for one in some:
        if one["id"] == pk:
            return Reply(200, one)
    raise NotFoundException(detail="There is nothing of this name.")


def _schemas(pk: str = "") -> Reply:
    return _one_of(_discovered()[0], pk) if pk else _listed(_discovered()[0])


def _types(pk: str = "") -> Reply:
    return _one_of(_discovered()[1], pk) if pk else _listed(_discovered()[1])


def _config(pk: str = "") -> Reply:
    if pk:
        raise NotFoundException(detail="There is nothing at this address.")
    return Reply(200, _discovered()[2])


_DISCOVERY: dict[str, Callable[..., Reply]] = {
    "Schemas": _schemas,
    "ResourceTypes": _types,
    "ServiceProviderConfig": _config,
}
