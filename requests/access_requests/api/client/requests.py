"""Requests: the lists, one of them, a new one, and what would happen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NotRequired, TypedDict

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.actions.asking import Wish
from access_requests.api.asking import Picked, again, pick, run, submit, wish_of
from access_requests.api.client.asking import DryRunShape, dry_run_shape
from access_requests.api.client.door import Told, answered, asker_of, endpoint, find, me, page_of
from access_requests.api.client.reading import (
    AgainReader,
    AskReader,
    OneRequestReader,
    RequestsReader,
    UnitsReader,
    read_body,
    read_query,
)
from access_requests.api.client.requests_shape import RequestShape, request_shape, unit_shape, units_of
from access_requests.api.client.shapes import UnitShape
from access_requests.api.ids import request_number, uuid_of
from access_requests.choices import RequestState
from access_requests.models import AccessRequest, Favourite
from access_requests.queries import visible_to
from access_requests.queries.client import complete_for_clients, favourites_among, requests_in

READ, WRITE = "end_user:access_requests:read", "end_user:access_requests:write"


class SubmittedShape(TypedDict):
    """The requests that an ask became. `message`: what is still owed."""

    request_ids: list[str]
    message: NotRequired[str]


class RequestUnitsShape(TypedDict):
    """What one request names."""

    id: str
    access_units: list[UnitShape]


class JudgedShape(TypedDict):
    """What policy says of a justification."""

    describes_task: bool
    justifies_permission_level: bool
    has_ticket_id_url: bool


LISTED = Told(query=RequestsReader, lists=RequestShape)
ASKED = Told(body=AskReader, gives=SubmittedShape)


def shapes(http: Request, rows: Iterable[AccessRequest], summary: int | None = 5) -> list[RequestShape]:
    """Return requests as their reader sees them. Nine queries, however many."""
    found, user = complete_for_clients(rows), me(http)
    kept = favourites_among(user, found)
    return [request_shape(one, user, favourite=one.pk in kept, summary=summary) for one in found]


@endpoint(
    "GET",
    "POST",
    scope={"GET": READ, "POST": WRITE},
    told={"GET": LISTED, "POST": ASKED},
)
def access_requests(http: Request) -> Response:
    """List requests; with POST ask for something."""
    return _create(http) if http.method == "POST" else _list(http)


def _list(http: Request) -> Response:
    reader = read_query(http, RequestsReader)
    rows, more = page_of(_narrowed(requests_in(reader.validated_data["scope"], me(http)), http, reader), reader.page)
    return answered(shapes(http, rows, reader.validated_data["access_units_summary_limit"]), reader.page, more)


def _narrowed(rows: QuerySet[AccessRequest], http: Request, reader: RequestsReader) -> QuerySet[AccessRequest]:
    data = reader.validated_data
    if data.get("statuses"):
        rows = rows.filter(state__in=data["statuses"])
    if data.get("grantee_ids"):
        rows = rows.filter(grantee__in=[uuid_of(text) for text in data["grantee_ids"]])
    if data.get("requestor_ids"):
        rows = rows.filter(requestor__in=[uuid_of(text) for text in data["requestor_ids"]])
    if data.get("request_ids"):
        rows = rows.filter(pk__in=[request_number(text) for text in data["request_ids"]])
    if data["favorite_only"]:
        rows = rows.filter(pk__in=Favourite.objects.filter(user=me(http)).order_by().values("request"))
    return rows if data["include_autogrant"] else rows.filter(automatic=False)


def _create(http: Request) -> Response:
    data = read_body(http, AskReader)
    who = asker_of(http, data["grantee_id"] or "")
    return _submitted(http, who, pick(who, data), wish_of(data))


def _submitted(http: Request, who: offering.Asker, picked: Picked, wish: Wish) -> Response:
    """Ask, and say what came of it. Raises CannotAsk with all that is in the way."""
    made = submit(http, who, picked, wish)
    answer: dict[str, Any] = {"request_ids": [str(one) for one in made]}
    owing = [one for one in made if one.state == RequestState.PENDING_MFA]
    if owing:
        answer["message"] = f"Prove your second factor: {factor_address(owing[0])}"
    return Response(answer)


def factor_address(access: AccessRequest) -> str:
    """Return where the requestor proves a second factor for a request."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('request_factor', args=[access.pk])}"


@endpoint("POST", scope=WRITE, told=Told(body=AskReader, gives=DryRunShape))
def dry_run(http: Request) -> Response:
    """Say what would happen to a new request, and what is missing."""
    data, type_only = read_body(http, AskReader), http.query_params.get("resource_type_only_mode", "").lower() == "true"
    who = asker_of(http, data["grantee_id"] or "")
    found, problems = run(who, pick(who, data, type_only=type_only), wish_of(data))
    return Response(dry_run_shape(found, problems, type_only=type_only))


@endpoint("GET", scope=READ, told=Told(query=OneRequestReader, gives=RequestShape))
def access_request(http: Request, pk: str) -> Response:
    """Show one request to who may see it."""
    reader = read_query(http, OneRequestReader)
    return Response(shapes(http, [find(http, pk)], reader.validated_data["access_units_summary_limit"])[0])


@endpoint("GET", scope=READ, told=Told(query=UnitsReader, gives=RequestUnitsShape, many=True))
def access_units(http: Request) -> Response:
    """Show what some requests name. Those that are not there, or not theirs to see, are left out."""
    wanted = [request_number(text) for text in read_query(http, UnitsReader).validated_data.get("request_id", ())]
    rows = complete_for_clients(visible_to(me(http)).filter(pk__in=wanted).order_by("pk"))
    return Response([{"id": str(one), "access_units": _units(one)} for one in rows])


def _units(access: AccessRequest) -> list[Any]:
    return [unit_shape(unit, group) for group, unit in units_of(list(access.access_groups.all()))]


@endpoint("POST", scope=WRITE, told=Told(body=AgainReader, gives=SubmittedShape))
def request_again(http: Request, pk: str) -> Response:
    """Ask for the same once more."""
    access, data = find(http, pk), read_body(http, AgainReader)
    return _submitted(http, *again(http, access, data))


@endpoint("POST", scope=WRITE, told=Told(gives=DryRunShape))
def dry_run_again(http: Request, pk: str) -> Response:
    """Say what would happen if the same were asked for once more."""
    access = find(http, pk)
    who, picked, wish = again(http, access, {"justification": access.justification})
    return Response(dry_run_shape(*run(who, picked, wish)))


@endpoint("POST", scope=READ, told=Told(body=AskReader, gives=JudgedShape))
def justification_validation(http: Request) -> Response:
    """Say what policy itself checks of a justification: nobody judges here whether a text is true or good enough.

    Both judgements are the dry run's: whether the flow that decides is content with what was written.
    """
    data = read_body(http, AskReader)
    who = asker_of(http, data["grantee_id"] or "")
    _, problems = run(who, pick(who, data), wish_of(data))
    about = {one.field for one in problems}
    wish = wish_of(data)
    content = bool(wish.justification.strip()) and "justification" not in about
    return Response(
        {
            "describes_task": content,
            "justifies_permission_level": content and "ticket" not in about,
            "has_ticket_id_url": has_ticket(wish.justification)
            or (bool(wish.ticket.strip()) and "ticket" not in about),
        }
    )


def has_ticket(text: str) -> bool:
    """Whether a text names a ticket: an address, or letters, a dash and a number."""
    words = text.split()
    return any(word.startswith(("https://", "http://")) for word in words) or any(map(_is_number, words))


def _is_number(word: str) -> bool:
    letters, dash, number = word.strip(".,;:()[]").partition("-")
    return bool(dash) and letters.isascii() and letters.isalpha() and letters.isupper() and number.isdigit()
