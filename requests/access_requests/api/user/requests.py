"""Requests of the token's own person: those they made or hold, those they made for others, and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.api.asking import GONE, Picked, again, asker_of, submit, wish_of
from access_requests.api.client.reading import read_body, read_query
from access_requests.api.describing import BY_TOKEN, Told
from access_requests.api.door import MessageShape, done, end_request, me, said
from access_requests.api.ids import uuid_of
from access_requests.api.user.door import endpoint, find_own, listed
from access_requests.api.user.reading import AskedReader, DelegatedReader, OwnAgainReader, OwnAskReader, RequestsReader
from access_requests.api.user.shapes import (
    AskedShape,
    DelegatedShape,
    RequestShape,
    asked_shape,
    delegated_shape,
    request_shape,
)
from access_requests.models import AccessRequest
from access_requests.queries.programs import own_requests, units_of, with_groups
from accounts.choices import TokenScope
from accounts.rest import paging
from flows.decision import Problem

READ, WRITE = TokenScope.REQUESTS_READ, TokenScope.REQUESTS_WRITE
# Names of ours, and of the forms, in the words of this API.
FIELDS = {
    "duration": "duration_in_sec",
    "justification": "justification",
    "entitlements": "entitlements",
    "grantee": "grantee",
    "ticket": "custom_fields",
}
_SEVERAL = "Several resources have this id of their target's own. Name the resource by our id."
LISTED = Told(query=RequestsReader, lists=RequestShape, style=BY_TOKEN)
ASKED = Told(body=OwnAskReader, gives=RequestShape, many=True)


def _shapes(http: Request, rows: Sequence[AccessRequest]) -> list[RequestShape]:
    return [request_shape(one, me(http)) for one in with_groups(rows)]


@endpoint("GET", "POST", scope={"GET": READ, "POST": WRITE}, told={"GET": LISTED, "POST": ASKED})
def access_requests(http: Request) -> Response:
    """List the requests that the caller made or holds, the latest first; with POST ask for something."""
    if http.method == "POST":
        return _create(http)
    paging.take_up_filters(http)
    data = read_query(http, RequestsReader).validated_data
    rows = _by_person(_in_states(own_requests(me(http)), data), "requestor", data["requestor"])
    return listed(paging.by_token(http, rows, order=("-id",)), lambda found: _shapes(http, found))


def _in_states(rows: QuerySet[AccessRequest], data: dict[str, Any]) -> QuerySet[AccessRequest]:
    return rows.filter(state__in=data["statuses"]) if data.get("statuses") else rows


def _by_person(rows: QuerySet[AccessRequest], part: str, text: str) -> QuerySet[AccessRequest]:
    """Keep what is somebody's, who is named by id or address."""
    if not text:
        return rows
    return rows.filter(**{f"{part}__email": text.strip().lower()} if "@" in text else {part: uuid_of(text)})


def _create(http: Request) -> Response:
    data = read_body(http, OwnAskReader)
    who = asker_of(http, data["grantee"] or "")
    return Response(_shapes(http, submit(http, who, _pick(who, data), wish_of(data), FIELDS)))


def _pick(who: offering.Asker, data: dict[str, Any]) -> Picked:
    """Return what a new request names. Its entitlements take a fixed number of queries, however many."""
    if data["bundle_reference"]:
        return _bundle(who, data["bundle_reference"])
    wanted = [(one["resource_id"], one["permission_id"]) for one in data["entitlements"]]
    resources = tuple(dict.fromkeys(resource for resource, _ in wanted))
    ids = offering.named(resources, offering.places_in(who, offering.Narrow()))
    by_name: dict[tuple[str, str], dict[tuple[int, int], None]] = {}
    for given in who.given_on(ids).values():
        for one in given:
            pair = one.resource_id, one.permission_id
            for resource in (str(one.resource_id), one.resource_source_id):
                for permission in (str(one.permission_id), one.permission_source_id, one.permission_name):
                    by_name.setdefault((resource, permission), {})[pair] = None
    found = [by_name.get(one, {}) for one in wanted]
    problems = {GONE if not pairs else _SEVERAL for pairs in found if len(pairs) != 1}
    pairs = dict.fromkeys(pair for pairs in found for pair in pairs)
    return Picked(tuple(pairs), tuple(Problem("NO_FLOW", words, field="entitlements") for words in sorted(problems)))


def _bundle(who: offering.Asker, reference: str) -> Picked:
    """Return what a bundle comes to, named by id or name."""
    bundles = who.reach.bundles()
    named = [pk for pk, one in bundles.items() if reference in {pk, one.get("name")}]
    if len(named) != 1:
        words = GONE if not named else "Several bundles have this name. Name the bundle by its id."
        return Picked((), (Problem("NO_FLOW", words, field="bundle_reference"),))
    basket = offering.fill(who, offering.Picks((f"bundle:{named[0]}",)))
    return Picked(basket.pairs, basket.problems)


@endpoint("GET", scope=READ, told=Told(gives=RequestShape))
def access_request(http: Request, pk: str) -> Response:
    """Show one request that the caller made or holds."""
    return Response(_shapes(http, [find_own(http, pk)])[0])


@endpoint("GET", scope=READ, told=Told(query=AskedReader, lists=AskedShape, style=BY_TOKEN))
def request_entitlements(http: Request, pk: str) -> Response:
    """List what a request names, with how each fares."""
    paging.take_up_filters(http)
    access, data = find_own(http, pk), read_query(http, AskedReader).validated_data
    rows = units_of(access)
    if data.get("integration_ids"):
        rows = rows.filter(group__integration__in=[uuid_of(text) for text in data["integration_ids"]])
    if data.get("resource_types"):
        rows = rows.filter(resource_type__in=data["resource_types"])
    if data.get("statuses"):
        rows = rows.filter(state__in=data["statuses"])
    return listed(paging.by_token(http, rows, order=("id",)), lambda found: [asked_shape(one) for one in found])


@endpoint("POST", scope=WRITE, told=Told(body=OwnAgainReader, gives=RequestShape, many=True))
def request_again(http: Request, pk: str) -> Response:
    """Ask for the same once more."""
    access, data = find_own(http, pk), read_body(http, OwnAgainReader)
    return Response(_shapes(http, submit(http, *again(http, access, data), FIELDS)))


@endpoint("POST", scope=WRITE, told=Told(gives=MessageShape))
def revoke(http: Request, pk: str) -> Response:
    """Withdraw a request that is not granted yet, or hand the access back."""
    access = find_own(http, pk)
    done(lambda: end_request(access, http))
    access.refresh_from_db()
    return said(f"{access} is {access.word.lower()}.")


@endpoint("GET", scope=READ, told=Told(query=DelegatedReader, lists=DelegatedShape, style=BY_TOKEN))
def delegated_requests(http: Request) -> Response:
    """List the requests that the caller made for others, the latest first."""
    paging.take_up_filters(http)
    data = read_query(http, DelegatedReader).validated_data
    rows = _by_person(_in_states(_delegated(http), data), "grantee", data["grantee"])
    page = paging.by_token(http, rows, order=("-id",))
    return listed(page, lambda found: [delegated_shape(one, me(http)) for one in with_groups(found)])


@endpoint("GET", scope=READ, told=Told(gives=DelegatedShape))
def delegated_request(http: Request, pk: str) -> Response:
    """Show one request that the caller made for somebody else."""
    access = find_own(http, pk)
    if access.requestor_id != me(http).pk or access.grantee_id == me(http).pk:
        raise NotFound
    return Response(delegated_shape(with_groups([access])[0], me(http)))


def _delegated(http: Request) -> QuerySet[AccessRequest]:
    return own_requests(me(http)).filter(requestor=me(http)).exclude(grantee=me(http))
