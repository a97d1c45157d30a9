"""A flow's version carries what its bundles and scopes held: when they change, it gets another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from audit.actor import Actor
from flows import document as documents
from flows.actions.rules import add_versions
from flows.choices import TargetKind
from flows.models import AccessFlow, AccessTarget

# The key that says which thing a target of a kind is.
_KEYS = {TargetKind.BUNDLE: "bundle", TargetKind.ACCESS_SCOPE: "access_scope"}


def carry(content: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Give every flow that uses the bundle or scope, also a scope within a bundle, a version with its new content."""
    key = _KEYS[TargetKind(content["kind"])]
    noun = "bundle" if key == "bundle" else "access scope"
    using = AccessTarget.objects.filter(_uses(key, content[key]), flow__isnull=False).values("flow")
    flows = AccessFlow.objects.filter(pk__in=using).select_related("current").order_by("pk")
    changed = [
        (flow, flow.current.document | {"targets": _with(content, key, flow.current.document["targets"])})
        for flow in flows.select_for_update(of=("self",))
        if flow.current is not None
    ]
    add_versions(changed, actor=actor, at=at, reason=f"The {noun} {content['name']} changed.")


def _uses(key: str, pk: str) -> Q:
    within = AccessTarget.objects.filter(access_scope__pk=pk, in_bundle__isnull=False).values("in_bundle")
    return Q(bundle=pk) if key == "bundle" else Q(access_scope=pk) | Q(bundle__in=within)


def _with(content: dict[str, Any], key: str, targets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return targets with the new content in place of what it was, at any depth."""
    return documents.ordered(_replaced(content, key, one) for one in targets)


def _replaced(content: dict[str, Any], key: str, target: dict[str, Any]) -> dict[str, Any]:
    if target["kind"] == content["kind"] and target[key] == content[key]:
        return content
    if target["kind"] == TargetKind.BUNDLE:
        return target | {"targets": _with(content, key, target["targets"])}
    return target
