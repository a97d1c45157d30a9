"""A change of policy before it is made: the documents of the flows that change, before and after."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from accounts.regrouping import Regrouped
from flows.choices import ConditionType, MatchOperator, TargetKind
from flows.decision.covering import Document
from flows.document import compose_bundle, compose_scope, ordered
from flows.models import AccessFlow, AccessScope, Bundle, Space

# Said of each flow that a bundle or a scope is part of: `kind` and `key` name it.
_KEYS = {TargetKind.BUNDLE.value: "bundle", TargetKind.ACCESS_SCOPE.value: "access_scope"}


@dataclass(frozen=True, slots=True)
class Change:
    """Policy before and after: the documents of the flows that would change, by the id of the flow.

    One that is missing is not there. With `regrouped` it is a group that changes, and the documents are the same.
    """

    before: Mapping[str, Document]
    after: Mapping[str, Document]
    regrouped: Regrouped | None = None

    @property
    def flows(self) -> list[str]:
        """The ids of all flows that the change is about."""
        return sorted({*self.before, *self.after})

    @property
    def saved(self) -> list[uuid.UUID]:
        """The ids of the flows that are there now."""
        return [uuid.UUID(key) for key in self.before]

    @property
    def digest(self) -> str:
        """What a confirmation names: it is of this change and of no other."""
        told = [self.before, self.after, self.regrouped.digest if self.regrouped else ""]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def now(self, flow: str) -> Document | None:
        """Return what decides now; nothing where the flow is off or not there."""
        return _active(self.before.get(flow))

    def then(self, flow: str) -> Document | None:
        """Return what would decide."""
        return _active(self.after.get(flow))


def _active(document: Document | None) -> Document | None:
    return document if document and document["active"] else None


def of_documents(pairs: Iterable[tuple[Document | None, Document | None]]) -> Change:
    """Return a change of flows, each told as (before, after). A flow that is new has no document before."""
    before, after = {}, {}
    for old, new in pairs:
        key = str((old or new or {})["id"])
        if old is not None:
            before[key] = old
        if new is not None:
            # A new flow gets another id with every draft; a change is the same whatever the id.
            fresh = f"new {new['name']}"
            after[key if old else fresh] = new if old else new | {"id": fresh}
    return Change(before, after)


def of_flow(flow: AccessFlow | None, document: Document) -> Change:
    """Return what saving this document for a flow changes; without a flow it would be a new one."""
    return of_documents([(flow.current.document if flow and flow.current else None, document)])


def of_switch(flows: Iterable[AccessFlow], active: bool) -> Change:
    """Return what switching flows on or off changes."""
    documents = [flow.current.document for flow in flows if flow.current]
    return of_documents((one, one | {"active": active}) for one in documents)


def of_end(flow: AccessFlow) -> Change:
    """Return what deleting a flow changes."""
    return of_documents([(flow.current.document if flow.current else None, None)] if flow.current else [])


def of_bundle(bundle: Bundle | None, content: dict[str, Any]) -> Change:
    """Return what giving a bundle this content (as flows.document.compose_bundle has it) changes."""
    return of_content(content) if bundle and compose_bundle(bundle) != content else Change({}, {})


def of_scope(scope: AccessScope | None, query: str, name: str = "") -> Change:
    """Return what giving an access scope this query changes."""
    if scope is None:
        return Change({}, {})
    content = compose_scope(scope)
    changed = content | {"query": query, "name": name or scope.name}
    return of_content(changed) if changed != content else Change({}, {})


def of_content(content: dict[str, Any]) -> Change:
    """Return what a new content of a bundle or a scope changes in every flow that gives it, also within a bundle."""
    documents = [flow.current.document for flow in flows_with(content).order_by("pk") if flow.current]
    return of_documents((one, carrying(one, content)) for one in documents)


def of_space(space: Space, content: dict[str, Any]) -> Change:
    """Return what giving a space this boundary (as flows.document.compose_space has it) changes in its flows."""
    flows = AccessFlow.objects.filter(space=space, current__isnull=False).select_related("current").order_by("pk")
    documents = [flow.current.document for flow in flows if flow.current]
    return of_documents((one, one | {"space": content}) for one in documents)


def carrying(document: Document, content: dict[str, Any]) -> Document:
    """Return a flow's document with this content of a bundle or scope, in its targets and in its space's boundary."""
    told = document | {"targets": replaced(document["targets"], content)}
    if document.get("space") and content["kind"] == TargetKind.ACCESS_SCOPE:
        space = document["space"]
        told["space"] = space | {"scopes": replaced(space["scopes"], content)}
    return told


def flows_with(content: dict[str, Any]) -> QuerySet[AccessFlow]:
    """Return the flows that give a bundle or a scope, each with its current version.

    Also those that give a scope within a bundle, and those whose space a scope bounds.
    """
    direct = Q(targets__bundle=content["bundle"]) if content["kind"] == TargetKind.BUNDLE else Q()
    if not direct:
        bundles = Bundle.objects.filter(targets__access_scope=content["access_scope"])
        direct = Q(targets__access_scope=content["access_scope"]) | Q(targets__bundle__in=bundles)
        direct |= Q(space__scopes=content["access_scope"])
    giving = AccessFlow.objects.filter(direct, current__isnull=False)
    return AccessFlow.objects.filter(pk__in=giving.order_by().values("pk")).select_related("current")


def replaced(targets: Iterable[dict[str, Any]], content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return targets with this content in place of what the bundle or scope was, also within a bundle."""
    key = _KEYS[content["kind"]]
    found = []
    for one in targets:
        if one["kind"] == content["kind"] and one[key] == content[key]:
            found.append(content)
        elif one["kind"] == TargetKind.BUNDLE and one.get("targets"):
            found.append(one | {"targets": replaced(one["targets"], content)})
        else:
            found.append(one)
    return ordered(found)


def of_group(regrouped: Regrouped) -> Change:
    """Return what a change of a group changes: in the flows whose requestors or grantees speak of it."""
    rows = AccessFlow.objects.filter(active=True, current__isnull=False).select_related("current")
    documents = [flow.current.document for flow in rows.order_by("pk") if flow.current]
    about = {str(one["id"]): one for one in documents if any(_speaks(each, regrouped) for each in _asked_of(one))}
    return Change(about, about, regrouped)


def _asked_of(document: Document) -> Iterable[dict[str, Any]]:
    yield from document["requestors"]["conditions"]
    yield from (document.get("request_for") or {}).get("grantees", {}).get("conditions", ())


def _speaks(condition: dict[str, Any], group: Regrouped) -> bool:
    """Whether a condition means the group, under its old name or the new one, or says that it is not meant."""
    if condition["type"] != ConditionType.GROUP:
        return False
    names = [name for name in (group.name, group.name_after) if name is not None]
    match condition["operator"]:
        case MatchOperator.IS | MatchOperator.IS_NOT:
            return any(value in (*names, group.group) for value in condition["values"])
        case MatchOperator.STARTS_WITH:
            return any(name.startswith(value) for name in names for value in condition["values"])
        case _:
            return any(value in name for name in names for value in condition["values"])
