"""Suggestions while typing: the first twenty names that fit, never a list of twenty thousand people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.models import Attribute, Group
from accounts.queries import find_users
from flows.choices import ConditionType
from flows.models import Webhook
from flows.queries import labels
from flows.reach import uuids
from integrations.models import Resource, ResourceType, Tag

SHOWN = 20
_TEXT_MAX = 200


@require_GET
def suggestions(request: HttpRequest) -> JsonResponse:
    """Answer `q` with at most twenty values of `type`: for who may write policy."""
    may = getattr(request.user, "may_somewhere", request.user.has_perm)
    if not any(may(f"flows.{verb}") for verb in ("change_accessflow", "add_accessflow", "change_bundle")):
        raise PermissionDenied
    text = request.GET.get("q", "").strip().replace("\x00", "")[:_TEXT_MAX]
    kind = request.GET.get("type", "").replace("\x00", "")[:100]
    return JsonResponse({"values": list(_found(kind, text, request))}, headers={"Cache-Control": "no-store"})


def _found(kind: str, text: str, request: HttpRequest) -> Iterator[dict[str, str]]:
    if kind in {ConditionType.USER, ConditionType.MANAGER}:
        for user in find_users(text).filter(is_active=True)[:SHOWN]:
            yield {"value": user.email, "label": user.name}
    elif kind == ConditionType.GROUP:
        yield from _plain(Group.objects.filter(name__icontains=text), "name")
    elif kind == ConditionType.WEBHOOK:
        yield from _plain(Webhook.objects.filter(name__icontains=text), "name")
    elif kind == "label":
        yield from ({"value": label} for label in labels() if text.lower() in label.lower())
    elif kind == "selector":
        yield from _selectors(text, uuids([request.GET.get("integration", "")]), request.GET.get("resource_type", ""))
    elif kind:
        yield from _plain(Attribute.objects.filter(type=kind, value__icontains=text), "value")


def _plain(rows: QuerySet[Any], field: str) -> Iterator[dict[str, str]]:
    yield from ({"value": value} for value in rows.order_by(field).values_list(field, flat=True).distinct()[:SHOWN])


def _selectors(text: str, integrations: list[Any], kind: str) -> Iterator[dict[str, str]]:
    """Yield names, or with "tag:" tags, of the resources of one type. By the beginning: an index answers that."""
    word, colon, rest = text.partition(":")
    begins, tagged = (rest.strip(), word == "tag") if colon and word in {"name", "tag"} else (text, False)
    types = ResourceType.objects.filter(integration__in=integrations, type=kind.replace("\x00", ""))
    here = Resource.objects.filter(resource_type__in=types)
    if not tagged:
        names = here.filter(name__startswith=begins).order_by("name").values_list("name", flat=True).distinct()
        yield from ({"value": f"name: {name}"} for name in names[:SHOWN])
        return
    key, equals, value = begins.partition("=")
    tags = Tag.objects.filter(resource__in=here)
    tags = tags.filter(key=key, value__startswith=value) if equals else tags.filter(key__startswith=begins)
    for key, value in tags.order_by("key", "value").values_list("key", "value").distinct()[:SHOWN]:
        yield {"value": f"tag: {key}={value}"}
