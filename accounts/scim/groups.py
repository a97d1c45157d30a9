"""SCIM groups: rows as resources, and what is asked of them turned into actions.

A group may have every person there is in it, so what only adds or removes some members never reads the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import OrderBy
from scim2_models import Context, InvalidValueException, NotFoundException, PatchOp
from scim2_models.path import AttrPath, CompareOperator, Comparison, ValuePath

from accounts import actions
from accounts.models import GroupMembership, PushedGroup, PushedPerson
from accounts.scim import filters, sorting
from accounts.scim.people import address_of, meta
from accounts.scim.reading import Body
from accounts.scim.resources import TOLERANT, Group
from audit.actor import Actor

ENDPOINT, RESOURCE = "Groups", Group
# Above this a PATCH is answered with nothing (204) instead of the whole group.
SHOWN_AFTER_PATCH = 1000
_NAME_MAX, _EXTERNAL_MAX, _AT_ONCE = 200, 300, 500
_PATCH: Any = PatchOp[Group]


@dataclass(slots=True)
class Plan:
    """What a group is to be. With `anew`, its members are `joining` alone; otherwise those there, and these changes."""

    name: str
    external_id: str
    joining: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    anew: bool = False

    def add(self, ids: Iterable[str]) -> None:
        """Let people join."""
        self.joining.update(ids)
        self.leaving.difference_update(self.joining)

    def remove(self, ids: Iterable[str]) -> None:
        """Let people leave."""
        gone = set(ids)
        self.joining -= gone
        self.leaving |= gone

    def replace(self, ids: Iterable[str]) -> None:
        """Begin with nobody, and let people join."""
        self.joining, self.leaving, self.anew = set(ids), set(), True


def rows() -> QuerySet[PushedGroup]:
    """Return every pushed group."""
    return PushedGroup.objects.select_related("group")


def locked(pk: str) -> PushedGroup:
    """Return a group that nobody else changes until the transaction ends. Raises NotFoundException."""
    found = rows().select_for_update(of=("self", "group")).filter(pk=pk).first()
    if found is None:
        raise NotFoundException(detail=f"There is no group with the id {pk}.")
    return found


def matching(text: str) -> Q:
    """Return the condition that a filter means."""
    return filters.groups(text)


def ordered(sort_by: str, *, descending: bool) -> list[OrderBy]:
    """Return how groups are ordered."""
    return sorting.order_groups(sort_by, descending=descending)


def shown(pk: str, *, without: frozenset[str] = frozenset()) -> Any:
    """Return a group as a resource; its members are not read where nobody wants them. Raises NotFoundException."""
    found = rows().filter(pk=pk).first()
    if found is None:
        raise NotFoundException(detail=f"There is no group with the id {pk}.")
    return shown_all([found], without=without)[0]


def made(row: PushedGroup, *, without: frozenset[str] = frozenset()) -> Any:
    """Return what was just made as a resource."""
    return shown_all([row], without=without)[0]


def shown_all(some: Iterable[PushedGroup], *, without: frozenset[str] = frozenset()) -> list[Any]:
    """Return rows as resources, with one query for the members of all of them."""
    found = list(some)
    members: dict[Any, list[dict[str, str]]] = {row.group_id: [] for row in found}
    if "members" not in without:
        told = GroupMembership.objects.filter(group__in=list(members), user__pushed__isnull=False)
        for group, pk in told.order_by("user__pushed__pk").values_list("group_id", "user__pushed__pk"):
            members[group].append({"value": pk, "$ref": address_of("Users", pk), "type": "User"})
    return [resource(row, members[row.group_id]) for row in found]


def resource(row: PushedGroup, members: list[dict[str, str]]) -> Any:
    """Return a group as a resource."""
    told = {
        "schemas": [str(Group.__schema__)],
        "id": row.pk,
        "externalId": row.external_id or None,
        "displayName": row.group.name,
        "members": members or None,
        "meta": meta(row, ENDPOINT),
    }
    return Group.model_validate(told)


def create(body: Body, *, actor: Actor, at: datetime) -> PushedGroup:
    """Make a group, and return its row. Raises what the models and the actions raise."""
    told = Group.model_validate(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=TOLERANT)
    plan = _plan(told)
    return actions.push_group(plan.name, plan.external_id, _people(plan.joining), actor=actor, at=at)


def replace(row: PushedGroup, body: Body, *, actor: Actor, at: datetime) -> None:
    """Make a group what the body says, and nothing else."""
    told = Group.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=TOLERANT)
    _carry_out(row, _plan(told), actor, at)


def patch(row: PushedGroup, body: Body, *, actor: Actor, at: datetime) -> None:
    """Change of a group what the body says; only what has no simpler reading takes reading all its members."""
    change = _PATCH.model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT)
    plan = Plan(row.group.name, row.external_id)
    if not all(_apply(plan, one) for one in change.operations):
        whole = shown(row.pk)
        change.patch(whole, scim_policy=TOLERANT)
        plan = _plan(whole)
    _check(plan)
    _carry_out(row, plan, actor, at)


def delete(row: PushedGroup, *, actor: Actor, at: datetime) -> None:
    """Empty a group and forget it."""
    actions.forget_pushed_group(row, actor=actor, at=at)


def is_large(pk: str) -> bool:
    """Whether a group is not shown after each change."""
    members = GroupMembership.objects.filter(group__pushed=pk)
    return members[: SHOWN_AFTER_PATCH + 1].count() > SHOWN_AFTER_PATCH


def _plan(told: Any) -> Plan:
    plan = Plan(told.display_name or "", told.external_id or "")
    plan.replace(_ids(told.members or []))
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    """Raise InvalidValueException for what is no name: nothing is trimmed, for two groups must not become one."""
    name = plan.name
    if not name or name != name.strip() or len(name) > _NAME_MAX or not name.isprintable():
        raise InvalidValueException(
            detail=f"displayName is a name of 1 to {_NAME_MAX} characters, without space around it."
        )
    if len(plan.external_id) > _EXTERNAL_MAX or not plan.external_id.isprintable():
        raise InvalidValueException(detail=f"externalId is a text of at most {_EXTERNAL_MAX} characters.")


def _ids(members: Iterable[Any]) -> set[str]:
    """Return the ids of members. Raises InvalidValueException for one without, and for groups in groups."""
    ids = set()
    for one in members:
        if (one.type or "User").lower() != "user":
            raise InvalidValueException(detail="Groups in groups are not supported: push their members.")
        pk = one.value or str(one.ref or "").rstrip("/").rpartition("/")[2]
        if not pk:
            raise InvalidValueException(detail="A member has no value.")
        ids.add(pk)
    return ids


def _apply(plan: Plan, operation: Any) -> bool:
    """Enter one operation into the plan; False where it takes the whole group to know what it means."""
    path, value = operation.path, operation.value
    if path is None:
        return isinstance(value, dict) and all(_enter(plan, operation.op, name, each) for name, each in value.items())
    node = path.ast
    if isinstance(node, AttrPath) and node.sub_attr is None and node.uri is None:
        return _enter(plan, operation.op, node.attr, value)
    pk = _selected(node) if operation.op == "remove" else None
    if pk is None:
        return False
    plan.remove([pk])
    return True


def _selected(node: Any) -> str | None:
    """Return whom `members[value eq "id"]` names; None for every other path."""
    if not isinstance(node, ValuePath) or node.sub_attr is not None or node.attr_path != AttrPath("members"):
        return None
    inner = node.val_filter
    if not isinstance(inner, Comparison) or inner.op != CompareOperator.eq or inner.attr_path != AttrPath("value"):
        return None
    return inner.value if isinstance(inner.value, str) else None


def _enter(plan: Plan, op: str, name: str, value: Any) -> bool:
    """Enter what is to become of one attribute; False where that is for the standard's own rules to say."""
    name = name.lower()
    if name == "members":
        return _enter_members(plan, op, value)
    if op in {"add", "replace"} and isinstance(value, str):
        if name == "displayname":
            plan.name = value
            return True
        if name == "externalid":
            plan.external_id = value
            return True
    return False


def _enter_members(plan: Plan, op: str, value: Any) -> bool:
    entries = [value] if isinstance(value, dict) else value
    if op == "remove" and entries is None:
        plan.replace([])
        return True
    if not isinstance(entries, list) or not all(_plain(one) for one in entries):
        return False
    ids = {str(one["value"]) for one in entries}
    if op == "remove" and not ids:
        return False
    {"add": plan.add, "remove": plan.remove, "replace": plan.replace}[op](ids)
    return True


def _plain(entry: Any) -> bool:
    """Whether an entry says whom it means, and nothing that has to be looked at."""
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str) or not entry["value"]:
        return False
    return set(entry) <= {"value", "$ref", "display", "type"} and entry.get("type") in {None, "User"}


def _people(ids: Iterable[str]) -> frozenset[uuid.UUID]:
    """Return who is meant. Raises InvalidValueException for an id that means nobody."""
    wanted = set(ids)
    found = _found(wanted)
    for pk in sorted(wanted - found.keys()):
        raise InvalidValueException(detail=f"There is no user with the id {pk[:100]}, so they cannot be a member.")
    return frozenset(found.values())


def _found(ids: Iterable[str]) -> dict[str, uuid.UUID]:
    known: dict[str, uuid.UUID] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = PushedPerson.objects.filter(pk__in=wanted[start : start + _AT_ONCE])
        known.update(some.values_list("pk", "user_id"))
    return known


def _carry_out(row: PushedGroup, plan: Plan, actor: Actor, at: datetime) -> None:
    joining = _people(plan.joining)
    if plan.anew:
        there = GroupMembership.objects.filter(group=row.group_id).values_list("user_id", flat=True)
        leaving = frozenset(there) - joining
    else:
        leaving = frozenset(_found(plan.leaving).values())
    actions.change_pushed_group(
        row,
        actor=actor,
        name=plan.name,
        external_id=plan.external_id,
        joining=joining,
        leaving=leaving,
        at=at,
    )
