"""What every room of endpoints shares: whose token it is, what is theirs, what they do, and what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from access_requests import actions
from access_requests.api.asking import CannotAsk
from access_requests.api.describing import Told
from access_requests.api.ids import request_number, uuid_of
from access_requests.choices import RequestState
from access_requests.lifecycle import MOVES
from access_requests.models import AccessRequest, AccessSession
from access_requests.queries import visible_to
from access_requests.queries.client import sessions_of
from accounts.models import User
from accounts.rest.authentication import actor_of, user_of
from accounts.rest.errors import Conflict, problem
from accounts.rest.views import Endpoint

Handler = Callable[..., Response]
Scope = str | tuple[str, ...]
# What is written where somebody takes access away: a client sends no reason.
BY_API = "Revoked through the API."


class MessageShape(TypedDict):
    """One sentence."""

    message: str


SAYS = Told(gives=MessageShape)


class AskingEndpoint(Endpoint):
    """One address at which requests are made and looked at."""

    def handle_exception(self, exc: Exception) -> Response:
        """Say all that is in the way of a new request; anything else is said as everywhere."""
        if isinstance(exc, CannotAsk):
            set_rollback()
            return problem(exc.status_code, exc.default_code, str(exc.detail), more={"errors": exc.problems})
        return super().handle_exception(exc)


def endpoint(
    *methods: str,
    scope: Scope | Mapping[str, Scope] = "",
    secret: bool = False,
    told: Told | Mapping[str, Told],
    named: bool = True,
    base: type[AskingEndpoint] = AskingEndpoint,
    room: str = "client",
) -> Callable[[Handler], Any]:
    """Make an endpoint of a function of the request: these methods only, with a token that has the scope.

    Of several scopes one is enough; without a scope any token will do. `secret`: the answer may hold credentials, so
    that nothing keeps it, and no HEAD uses it up. `told`: what our own document says of it; not `named` where several
    addresses share it, so that its address names it there. `room` begins the name.
    """
    each = {method: scope[method] if isinstance(scope, Mapping) else scope for method in methods}
    names = [method.lower() for method in (*methods, *(() if secret or "GET" not in methods else ("HEAD",)), "OPTIONS")]

    def decorate(handler: Handler) -> Any:
        body: dict[str, Any] = {
            method.lower(): _method(handler, method, told, room if named else "") for method in methods
        }
        body |= {"scopes": {method: _several(one) for method, one in each.items()}, "secret": secret}
        body |= {"http_method_names": names, "__doc__": handler.__doc__, "__module__": handler.__module__}
        made: type[AskingEndpoint] = type(handler.__name__, (base,), body)
        return made.as_view()

    return decorate


def _several(scope: Scope) -> tuple[str, ...]:
    return scope if isinstance(scope, tuple) else (scope,) if scope else ()


def _method(handler: Handler, method: str, told: Told | Mapping[str, Told], room: str) -> Callable[..., Response]:
    def handle(_: AskingEndpoint, request: Request, **kwargs: str) -> Response:
        return handler(request, **kwargs)

    handle.__doc__ = handler.__doc__
    own = told if isinstance(told, Told) else told[method]
    name = f"{room}_{handler.__module__.rsplit('.', 1)[1]}_{handler.__name__}_{method.lower()}"
    return own.write_on(handle, name if room else None)


def me(http: Request) -> User:
    """Return whose token it is."""
    return user_of(http)


def find(http: Request, text: str) -> AccessRequest:
    """Return a request. Raises NotFound alike for one that does not exist and one that is not theirs to see."""
    found = visible_to(me(http)).filter(pk=request_number(text)).first()
    if found is None:
        raise NotFound
    return found


def find_session(http: Request, text: str) -> AccessSession:
    """Return a session of the asker's own that is open. Raises NotFound for all others."""
    found = sessions_of(me(http)).filter(pk=uuid_of(text)).first()
    if found is None:
        raise NotFound
    return found


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


def end_request(access: AccessRequest, http: Request) -> None:
    """Withdraw what is not granted yet, hand back one's own access, or take away what one may revoke.

    Raises NotYours, NotPossible as the actions do.
    """
    user, before = me(http), RequestState.CANCELLED in MOVES[RequestState(access.state)]
    if before and user.pk in {access.requestor_id, access.grantee_id}:
        actions.cancel(access, user=user, actor=actor_of(http))
    elif user.pk == access.grantee_id:
        actions.hand_back(access, user=user, actor=actor_of(http))
    else:
        actions.revoke(access, user=user, actor=actor_of(http), reason=BY_API)
