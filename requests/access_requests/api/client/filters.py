"""Values that the lists of requests can be narrowed by: only those that occur in the reader's own lists."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.client.door import Told, answered, cut, endpoint, me, page_of
from access_requests.api.client.reading import OptionsReader, ScopeReader, read_query
from access_requests.api.client.requests import READ
from access_requests.api.client.shapes import IntegrationShape, OptionShape, integration_shape, option_shape
from access_requests.api.states import WORDS
from access_requests.models import AccessRequest
from access_requests.queries.client import requests_in
from accounts.models import User
from integrations.models import Integration

Rows = QuerySet[AccessRequest]


@endpoint("GET", scope=READ, told=Told(query=ScopeReader, lists=IntegrationShape))
def integrations(http: Request) -> Response:
    """List the systems that the requests of a scope are about."""
    reader = read_query(http, ScopeReader)
    rows = _systems(requests_in(reader.validated_data["scope"], me(http)))
    found, more = page_of(rows, reader.page)
    return answered([integration_shape(str(one.pk), one.name, one.type) for one in found], reader.page, more)


def _systems(rows: Rows) -> QuerySet[Integration]:
    here = rows.order_by().values("access_groups__integration")
    return Integration.objects.filter(pk__in=here).order_by("name", "pk")


def _people(rows: Rows, part: str) -> list[OptionShape]:
    found = User.objects.filter(pk__in=rows.order_by().values(part)).order_by("name", "email")
    return [option_shape(str(one.pk), "user", one.name, one.email) for one in found]


def _requestors(rows: Rows) -> list[OptionShape]:
    return _people(rows, "requestor")


def _grantees(rows: Rows) -> list[OptionShape]:
    return _people(rows, "grantee")


def _integrations(rows: Rows) -> list[OptionShape]:
    return [option_shape(str(one.pk), one.type, one.name) for one in _systems(rows)]


def _statuses(rows: Rows) -> list[OptionShape]:
    return [option_shape(word, "status", word) for word in WORDS]


KEYS: dict[str, Callable[[Rows], list[OptionShape]]] = {
    "requestor_ids": _requestors,
    "grantee_ids": _grantees,
    "integration_ids": _integrations,
    "statuses": _statuses,
}
# The same in the words of other lists.
SAME = {"requestor": "requestor_ids", "grantee": "grantee_ids", "integration": "integration_ids", "status": "statuses"}


@endpoint("GET", scope=READ, told=Told(query=OptionsReader, lists=OptionShape))
def options(http: Request) -> Response:
    """List the values of one thing that the lists of requests can be narrowed by."""
    reader = read_query(http, OptionsReader)
    key = reader.validated_data["key"].lower().replace("-", "_")
    key = SAME.get(key.removesuffix("_id").removesuffix("_ids"), key)
    if key not in KEYS:
        raise ValidationError({"key": [f"There is no such filter; there are {', '.join(KEYS)}."]})
    text = reader.validated_data["search"].strip().lower()
    every = KEYS[key](requests_in(reader.validated_data["scope"], me(http)))
    found, more = cut([one for one in every if text in one["display_name"].lower()], reader.page)
    return answered(found, reader.page, more)
