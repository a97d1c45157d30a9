"""What every endpoint shares: whose token it is, what is theirs, one page of a list, and what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from access_requests import actions, offering
from access_requests.api.client.asking import ErrorShape
from access_requests.api.client.describing import Told
from access_requests.api.client.ids import request_number, uuid_of
from access_requests.api.client.reading import PageQuery
from access_requests.models import AccessGroup, AccessRequest, AccessSession
from access_requests.queries import visible_to
from access_requests.queries.client import groups_in_full, sessions_of
from accounts.models import User
from accounts.rest.authentication import actor_of, user_of
from accounts.rest.errors import Conflict, problem
from accounts.rest.views import Endpoint

__all__ = [
    "SAYS",
    "CannotAsk",
    "Conflict",
    "MessageShape",
    "Told",
    "actor_of",
    "answered",
    "asker_of",
    "cut",
    "done",
    "endpoint",
    "find",
    "find_group",
    "find_session",
    "me",
    "page_of",
    "said",
]
Row = TypeVar("Row", bound=Model)
Shape = TypeVar("Shape")
Handler = Callable[..., Response]


class MessageShape(TypedDict):
    """One sentence."""

    message: str


SAYS = Told(gives=MessageShape)


class Pagination(TypedDict):
    """Where a page lies. `limit` is what was kept to: clients take a page of fewer for the last."""

    limit: int
    offset: int
    has_more: bool


class CannotAsk(APIException):
    """A new request that cannot be submitted as it stands; `problems` say what is in the way, in the client's words."""

    status_code = 422
    default_code = "cannot_ask"

    def __init__(self, problems: Sequence[ErrorShape]) -> None:
        """Keep the problems beside one sentence of them all."""
        self.problems = list(problems)
        super().__init__(" ".join(dict.fromkeys(one["message"] for one in problems)))


class ClientEndpoint(Endpoint):
    """One address of the client API."""

    def handle_exception(self, exc: Exception) -> Response:
        """Say all that is in the way of a new request; anything else is said as everywhere."""
        if isinstance(exc, CannotAsk):
            set_rollback()
            return problem(exc.status_code, exc.default_code, str(exc.detail), more={"errors": exc.problems})
        return super().handle_exception(exc)


def endpoint(
    *methods: str,
    scope: str | Mapping[str, str] = "",
    secret: bool = False,
    told: Told | Mapping[str, Told],
    named: bool = True,
) -> Callable[[Handler], Any]:
    """Make an endpoint of a function of the request: these methods only, with a token that has the scope.

    Without a scope any token will do. `secret`: the answer may hold credentials, so that nothing keeps it, and no HEAD
    uses it up. `told`: what our own document says of it; not `named` where several addresses share it.
    """
    each = {method: scope if isinstance(scope, str) else scope[method] for method in methods}
    names = [method.lower() for method in (*methods, *(() if secret or "GET" not in methods else ("HEAD",)), "OPTIONS")]

    def decorate(handler: Handler) -> Any:
        body: dict[str, Any] = {method.lower(): _method(handler, method, told, named) for method in methods}
        body |= {"scopes": {method: (one,) if one else () for method, one in each.items()}, "secret": secret}
        body |= {"http_method_names": names, "__doc__": handler.__doc__, "__module__": handler.__module__}
        made: type[ClientEndpoint] = type(handler.__name__, (ClientEndpoint,), body)
        return made.as_view()

    return decorate


def _method(handler: Handler, method: str, told: Told | Mapping[str, Told], named: bool) -> Callable[..., Response]:
    def handle(_: ClientEndpoint, request: Request, **kwargs: str) -> Response:
        return handler(request, **kwargs)

    handle.__doc__ = handler.__doc__
    own = told if isinstance(told, Told) else told[method]
    name = f"client_{handler.__module__.rsplit('.', 1)[1]}_{handler.__name__}_{method.lower()}"
    return own.write_on(handle, name if named else None)


def me(http: Request) -> User:
    """Return whose token it is."""
    return user_of(http)


def find(http: Request, text: str) -> AccessRequest:
    """Return a request. Raises NotFound alike for one that does not exist and one that is not theirs to see."""
    found = visible_to(me(http)).filter(pk=request_number(text)).first()
    if found is None:
        raise NotFound
    return found


def find_group(http: Request, text: str) -> AccessGroup:
    """Return a part of a request, with all that is in it. Raises NotFound as `find` does."""
    rows = AccessGroup.objects.filter(pk=uuid_of(text), request__in=visible_to(me(http)))
    found = groups_in_full(rows).first()
    if found is None:
        raise NotFound
    return found


def find_session(http: Request, text: str) -> AccessSession:
    """Return a session of the asker's own that is open. Raises NotFound for all others."""
    found = sessions_of(me(http)).filter(pk=uuid_of(text)).first()
    if found is None:
        raise NotFound
    return found


def asker_of(http: Request, grantee: str = "") -> offering.Asker:
    """Return who asks, and for whom. Raises NotFound for a grantee they may not ask for."""
    who = offering.asker(me(http))
    if not grantee or grantee in {str(who.user.pk), who.user.email}:
        return who
    found = offering.named_one(who.user, who.flows, grantee)
    if found is None:
        raise NotFound("You can ask for nobody with this id or address.")
    return offering.on_behalf(who, found)


def answered(data: Sequence[Any], query: PageQuery, more: bool) -> Response:
    """Return one page of a list."""
    where: Pagination = {"limit": query.limit, "offset": query.skip, "has_more": more}
    return Response({"data": list(data), "pagination": where})


def page_of(rows: QuerySet[Row], query: PageQuery) -> tuple[list[Row], bool]:
    """Return one page of rows, and whether there are more. One query."""
    found = list(rows[query.skip : query.skip + query.limit + 1])
    return found[: query.limit], len(found) > query.limit


def cut(rows: Sequence[Shape], query: PageQuery) -> tuple[Sequence[Shape], bool]:
    """Return one page of what is there as a whole, and whether there are more."""
    return rows[query.skip : query.skip + query.limit], len(rows) > query.skip + query.limit


def said(message: str) -> Response:
    """Return one sentence."""
    return Response({"message": message})


def done(act: Callable[[], Any]) -> None:
    """Act. Raises PermissionDenied for what is not theirs to do, Conflict for what is not possible now.

    Who sees a request and may not do this is told so; who does not see it was answered before that it is not there.
    """
    try:
        act()
    except actions.NotYours as refused:
        raise PermissionDenied(str(refused)) from refused
    except actions.NotPossible as refused:
        raise Conflict(str(refused)) from refused
