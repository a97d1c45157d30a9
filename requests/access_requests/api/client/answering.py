"""What is done to a request: answered, ended, extended, kept, and its second factor proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import actions
from access_requests.api.client.door import SAYS, MessageShape, Told, actor_of, done, endpoint, find, me, said
from access_requests.api.client.reading import AnswerReader, FavouriteReader, read_body
from access_requests.api.client.requests import WRITE, factor_address, shapes
from access_requests.api.client.requests_shape import RequestShape
from access_requests.api.door import end_request
from access_requests.choices import ExtensionState, RequestState
from access_requests.models import AccessRequest, Extension


class AffectedShape(TypedDict):
    """The requests that went on."""

    total: int
    access_requests_ids: list[str]


class PassedShape(TypedDict):
    """What came of it, and where to prove the factor."""

    message: str
    affected_requests: AffectedShape


@endpoint("POST", scope=WRITE, told=Told(body=AnswerReader, gives=MessageShape))
def approve(http: Request, pk: str) -> Response:
    """Say yes: to the request, or once it is active to the extension that waits."""
    return _answer(http, pk, actions.approve, actions.approve_extension, "approved")


@endpoint("POST", scope=WRITE, told=Told(body=AnswerReader, gives=MessageShape))
def reject(http: Request, pk: str) -> Response:
    """Say no: to the request, or once it is active to the extension that waits."""
    return _answer(http, pk, actions.reject, actions.reject_extension, "rejected")


def _answer(http: Request, pk: str, do: Callable[..., Any], more: Callable[..., Any], word: str) -> Response:
    access, reason = find(http, pk), read_body(http, AnswerReader)["justification"] or ""
    waits = _waiting(access)
    if waits is not None:
        done(lambda: more(waits, approver=me(http), actor=actor_of(http), reason=reason))
        return said(f"{waits} was {word}.")
    done(lambda: do(access, approver=me(http), actor=actor_of(http), reason=reason))
    return said(f"{access} was {word}.")


def _waiting(access: AccessRequest) -> Extension | None:
    if access.state != RequestState.ACTIVE:
        return None
    return access.extensions.filter(state=ExtensionState.PENDING).select_related("request").first()


@endpoint("POST", scope=WRITE, told=SAYS)
def revoke(http: Request, pk: str) -> Response:
    """End it: withdraw what is not granted yet, hand back one's own access, or take away what one may revoke."""
    access = find(http, pk)
    done(lambda: end_request(access, http))
    access.refresh_from_db()
    return said(f"{access} is {access.word.lower()}.")


@endpoint("POST", scope=WRITE, told=SAYS)
def extend(http: Request, pk: str) -> Response:
    """Ask for as much more time as the flow gives at once. The justification is the request's own."""
    access = find(http, pk)
    made: list[Extension] = []
    done(lambda: made.append(_extend(access, http)))
    if made[0].state == ExtensionState.APPROVED:
        return said(f"{access} was extended.")
    return said(f"More time was asked for. {access} stays active until its end while the approvers are asked.")


def _extend(access: AccessRequest, http: Request) -> Extension:
    current = access.flow_version.flow.current
    seconds = actions.room_of(current.document, 0).seconds if current else 0
    return actions.extend(
        access, user=me(http), actor=actor_of(http), seconds=seconds, justification=access.justification
    )


@endpoint("POST", scope=WRITE, told=Told(body=FavouriteReader, gives=RequestShape))
def favourite(http: Request, pk: str) -> Response:
    """Keep a request among one's favourites, or no more."""
    access, keep = find(http, pk), read_body(http, FavouriteReader)["favorite"]
    do = actions.keep_favourite if keep else actions.drop_favourite
    done(lambda: do(access, user=me(http), actor=actor_of(http)))
    return Response(shapes(http, [access])[0])


@endpoint("POST", scope=WRITE, told=Told(gives=PassedShape))
def pass_mfa(http: Request) -> Response:
    """Say where to prove the second factor that requests wait for.

    A token proves nothing: what was proven in a browser counts in that browser's session. So nothing goes on by this.
    """
    waiting = AccessRequest.objects.filter(requestor=me(http), state=RequestState.PENDING_MFA).order_by("pk")
    first = waiting.first()
    message = f"Prove your second factor: {factor_address(first)}" if first else "No request waits for a second factor."
    return Response({"message": message, "affected_requests": {"total": 0, "access_requests_ids": []}})
