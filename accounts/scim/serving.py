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
    Error,
    NotFoundException,
    PreconditionFailedException,
    SCIMException,
)

from accounts import actions
from accounts.scim import groups, people
from accounts.scim.reading import Body
from accounts.scim.resources import provider
from accounts.scim.searching import KINDS, LIST, dumped, parameters, query_of, search, without
from audit.actor import Actor

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
ID_MAX = 64
# What an action refuses, as SCIM says it; the last line is all the rest.
_REFUSALS: tuple[tuple[type[actions.Refused], int, str | None], ...] = (
    (actions.AlreadyThere, 409, "uniqueness"),
    (actions.NotAllowed, 403, None),
    (actions.LastAdmin, 409, None),
    (actions.Refused, 400, "invalidValue"),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation: how, on what, with what, by whom and when. `quiet`: nobody is shown what comes of a change."""

    method: str
    parts: tuple[str, ...]
    actor: Actor
    body: Body = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    if_match: str = ""
    if_none_match: str = ""
    quiet: bool = False
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
    return told(lambda: way(ask.parts, ask.method)(ask))


def told(do: Callable[[], Reply]) -> Reply:
    """Return what `do` returns or, for all that can be wrong with what was asked, an error in SCIM's form."""
    try:
        return do()
    except SCIMException as error:
        return _error(error.status, error.scim_type, str(error))
    except ValidationError as error:
        first = Error.from_validation_errors(error)[0]
        return _error(first.status or 400, first.scim_type, first.detail or "")
    except actions.Refused as refused:
        status, scim_type = next((status, word) for kind, status, word in _REFUSALS if isinstance(refused, kind))
        return _error(status, scim_type, str(refused))
    except (RecursionError, DataError, OverflowError):
        return _error(400, "invalidValue", "A value is out of bounds.")


def _error(status: int, scim_type: str | None, detail: str) -> Reply:
    said = {"schemas": [ERROR], "status": str(status), "detail": detail[:500]}
    return Reply(status, said | ({"scimType": scim_type} if scim_type else {}))


def way(parts: tuple[str, ...], method: str) -> Callable[[Ask], Reply]:
    """Find what answers at an address. Raises NotFoundException, NotAllowedHere: before a body is even looked at."""
    head, rest = parts[0] if parts else "", parts[1:]
    if head in KINDS:
        handlers = _of_resource(rest)
    elif head in _DISCOVERY and len(rest) <= 1:
        handlers = {"GET": _discover}
    elif parts in {(), (".search",)}:
        handlers = {"POST": _search_all} if parts else {"GET": _search_all}
    else:
        raise NotFoundException(detail="There is nothing at this address.")
    if method not in handlers:
        raise NotAllowedHere()
    return handlers[method]


def _of_resource(rest: tuple[str, ...]) -> dict[str, Callable[[Ask], Reply]]:
    if not rest:
        return {"GET": _search, "POST": _create}
    if rest == (".search",):
        return {"POST": _search}
    if len(rest) > 1 or len(rest[0]) > ID_MAX or not rest[0].isprintable():
        raise NotFoundException(detail="There is nothing at this address.")
    return {"GET": _read, "PUT": _change, "PATCH": _change, "DELETE": _delete}


def _discover(ask: Ask) -> Reply:
    if ask.query.get("filter"):
        raise actions.NotAllowed("What the service says of itself cannot be filtered.")
    return _DISCOVERY[ask.parts[0]](*ask.parts[1:])


def _create(ask: Ask) -> Reply:
    endpoint = ask.parts[0]
    asked = parameters(endpoint, ask.query)
    with transaction.atomic():
        kind = KINDS[endpoint]
        row = kind.create(ask.body, actor=ask.actor, at=ask.at)
        shown = None if ask.quiet else dumped(kind.made(row, without=without(asked)), asked)
    return Reply(201, shown, {"Location": people.address_of(endpoint, row.pk), "ETag": people.version(row)})


def _read(ask: Ask) -> Reply:
    endpoint, pk = ask.parts
    asked = parameters(endpoint, ask.query)
    shown, etag = _shown(endpoint, pk, asked)
    if ask.if_none_match and _matches(ask.if_none_match, etag):
        return Reply(304, None, {"ETag": etag})
    return Reply(200, shown, {"ETag": etag})


def _change(ask: Ask) -> Reply:
    """PUT or PATCH: one transaction, in which nobody else changes it."""
    endpoint, pk = ask.parts
    kind = KINDS[endpoint]
    asked = parameters(endpoint, ask.query)
    with transaction.atomic():
        row = kind.locked(pk)
        _check_match(row, ask)
        do = kind.replace if ask.method == "PUT" else kind.patch
        do(row, ask.body, actor=ask.actor, at=ask.at)
        etag = people.version(row)
        if ask.quiet:
            return Reply(200, None, {"ETag": etag, "Location": people.address_of(endpoint, pk)})
        if ask.method == "PATCH" and kind is groups and "members" not in without(asked) and groups.is_large(pk):
            return Reply(204, None, {"ETag": etag})
        shown, _ = _shown(endpoint, pk, asked)
    return Reply(200, shown, {"ETag": etag, "Location": people.address_of(endpoint, pk)})


def _delete(ask: Ask) -> Reply:
    kind = KINDS[ask.parts[0]]
    with transaction.atomic():
        row = kind.locked(ask.parts[1])
        _check_match(row, ask)
        kind.delete(row, actor=ask.actor, at=ask.at)
    return Reply(204)


def _search(ask: Ask) -> Reply:
    """Search in one kind; by POST with what the body says, where an address would become too long."""
    return Reply(200, search((ask.parts[0],), query_of(ask.body) if ask.method == "POST" else ask.query))


def _search_all(ask: Ask) -> Reply:
    """Search in all kinds at once."""
    return Reply(200, search(tuple(KINDS), query_of(ask.body) if ask.method == "POST" else ask.query))


def _shown(endpoint: str, pk: str, asked: Any) -> tuple[dict[str, Any], str]:
    """Return what is to be seen of a resource, and the ETag of all of it."""
    resource = KINDS[endpoint].shown(pk, without=without(asked))
    return dumped(resource, asked), str(resource.meta.version)


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
