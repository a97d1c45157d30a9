"""Why not: what is in the way of something, and what to do next, as the page of that name says it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.api.client.door import Told, asker_of, endpoint
from access_requests.api.client.inventory import READ
from access_requests.api.client.reading import TEXT_MAX, read_query
from access_requests.api.client.shapes import (
    PermissionShape,
    ResourceShape,
    permission_shape,
    resource_shape,
)
from access_requests.offering.reasons import Reasons, Way


class WhyNotReader(serializers.Serializer[Any]):
    """A part of the name of what is wanted, and whom for."""

    search = serializers.CharField(max_length=TEXT_MAX)
    grantee_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=254)


class HurdleShape(TypedDict):
    """What stands in the way in one access flow, and what can be done about it."""

    flow: str
    reason: str
    next_step: str


class WayShape(TypedDict):
    """One permission: how it is got, or what is in the way. `id` is what to ask for."""

    id: str
    permission: PermissionShape
    can_ask: bool
    flow: NotRequired[str]
    why: NotRequired[str]
    approval: NotRequired[str]
    refusal: NotRequired[str]
    hurdles: list[HurdleShape]


class ReasonsShape(TypedDict):
    """What is told of one resource; its owners are whom to ask for anything else on it."""

    resource: ResourceShape
    ways: list[WayShape]
    owners: list[str]


class WhyNotShape(TypedDict):
    """The answer. Where nothing is told by name, `admins` are whom to ask."""

    resources: list[ReasonsShape]
    has_more: bool
    admins: list[str]


@endpoint("GET", scope=READ, told=Told(query=WhyNotReader, gives=WhyNotShape))
def why_not(http: Request) -> Response:
    """Say why something cannot be had, or how it can. Of what no flow gives the asker nothing is told."""
    reader = read_query(http, WhyNotReader).validated_data
    who = asker_of(http, reader["grantee_id"])
    answer = offering.why_not(who, reader["search"], at=timezone.now(), grantee=who.grantee)
    shape: WhyNotShape = {
        "resources": [_reasons(one) for one in answer.resources],
        "has_more": answer.more,
        "admins": list(answer.admins),
    }
    return Response(shape)


def _reasons(one: Reasons) -> ReasonsShape:
    return {"resource": resource_shape(one.about), "ways": [_way(way) for way in one.ways], "owners": list(one.owners)}


def _way(way: Way) -> WayShape:
    shape: WayShape = {
        "id": way.value,
        "permission": permission_shape(way.about.permission_source_id, way.about.permission_name),
        "can_ask": bool(way.flow),
        "hurdles": [{"flow": one.name, "reason": one.plain, "next_step": one.next_step} for one in way.hurdles],
    }
    if way.flow:
        shape |= {"flow": way.flow, "why": way.why, "approval": way.approval}
    if way.refusal:
        shape["refusal"] = way.refusal
    return shape
