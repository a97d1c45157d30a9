"""Whom and what a policy reaches, asked of the database: as exact as the decision, and never in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import Exact, GreaterThan

from accounts.models import Attribute, GroupMembership, User
from accounts.regrouping import Regrouped
from flows.choices import ConditionType, LogicalOperator, MatchOperator, SelectorMode, SelectorType
from flows.decision.bounding import by_query, selection
from flows.decision.conditions import people_part
from integrations.aql import selected
from integrations.choices import IntegrationStatus, ResourceStatus
from integrations.models import Resource, Tag

# A count stops here: "more than 10,000" says enough, and costs no more.
COUNT_MAX = 10_000
_COMPLEMENT = {
    MatchOperator.IS_NOT: MatchOperator.IS,
    MatchOperator.DOES_NOT_CONTAIN: MatchOperator.CONTAINS,
}


def people(group: dict[str, Any], *, approving: bool = False, regrouped: Regrouped | None = None) -> QuerySet[User]:
    """Return the active people, not services, who fulfil a group of conditions; nobody does where there are none.

    As flows.decision.matches; of approvers, "manager" is fulfilled by whoever is an active person's manager. Webhooks
    are left out: they are no people. With `regrouped`, who would fulfil it after that change of a group.
    """
    group = people_part(group)
    parts = [fulfilling(one, approving=approving, regrouped=regrouped) for one in group["conditions"]]
    if not parts:
        return User.objects.none()
    joined = parts[0]
    for part in parts[1:]:
        joined = joined & part if group["operator"] == LogicalOperator.AND else joined | part
    return User.objects.filter(
        joined, Q(is_outside=False) | _naming(group, regrouped), is_active=True, is_service=False
    )


def _naming(group: dict[str, Any], regrouped: Regrouped | None) -> Q:
    """Return the condition that one of the group's conditions names the person: an outside person has to be named."""
    naming = (ConditionType.USER, ConditionType.GROUP)
    parts = [one for one in group["conditions"] if one["type"] in naming and one["operator"] == MatchOperator.IS]
    return reduce(or_, (fulfilling(one, regrouped=regrouped) for one in parts), Q(pk__in=[]))


def fulfilling(condition: dict[str, Any], *, approving: bool = False, regrouped: Regrouped | None = None) -> Q:
    """Return the database condition on people that says what a policy's condition says; `regrouped` as in `people`."""
    kind, operator, values = condition["type"], MatchOperator(condition["operator"]), condition["values"]
    if kind == ConditionType.WEBHOOK:
        return Q(pk__in=[])
    if kind == ConditionType.OWNER:
        return reduce(or_, (fulfilling(one) for one in condition.get("owners", ())), Q(pk__in=[]))
    if kind == ConditionType.MANAGER:
        return _managing(condition) if approving else _managed(operator, values)
    positive = _COMPLEMENT.get(operator)
    found = _has(kind, positive or operator, values, regrouped)
    return ~found if positive else found


def _managing(condition: dict[str, Any]) -> Q:
    managers = User.objects.filter(is_active=True, manager__isnull=False).values("manager")
    named = fulfilling(condition | {"type": ConditionType.USER.value}) if condition["values"] else Q()
    return Q(pk__in=managers) & named


def _managed(operator: MatchOperator, values: list[str]) -> Q:
    """Return the condition on people whose own manager is one of those meant; without values, who have one."""
    if not values:
        return Q(manager__isnull=False)
    positive = _COMPLEMENT.get(operator)
    ids = uuids(values) if operator in {MatchOperator.IS, MatchOperator.IS_NOT} else []
    bosses = User.objects.filter(_compare("email", positive or operator, values) | Q(pk__in=ids)).values("pk")
    found = Q(manager__in=bosses, manager__isnull=False)
    return ~found if positive else found


def _has(kind: str, operator: MatchOperator, values: list[str], regrouped: Regrouped | None = None) -> Q:
    """Return the condition on people who have one of the values."""
    ids = uuids(values) if operator == MatchOperator.IS else []
    if kind == ConditionType.USER:
        return _compare("email", operator, values) | Q(pk__in=ids)
    if kind == ConditionType.GROUP:
        members = GroupMembership.objects.filter(_compare("group__name", operator, values) | Q(group__in=ids))
        return _regrouped(members, operator, values, regrouped) if regrouped else Q(pk__in=members.values("user"))
    holders = Attribute.objects.filter(_compare("value", operator, values), type=kind)
    return Q(pk__in=holders.values("user"))


def _regrouped(members: QuerySet[GroupMembership], operator: MatchOperator, values: list[str], change: Regrouped) -> Q:
    """Return the condition on people who would be in one of the groups meant, after the change of one."""
    group, leaving = uuid.UUID(change.group), uuids(change.leaving)
    others = Q(pk__in=members.exclude(group=group).values("user"))
    if change.name_after is None or not _means(change, operator, values):
        return others
    staying = GroupMembership.objects.filter(group=group).exclude(user__in=leaving)
    return others | Q(pk__in=staying.values("user")) | Q(pk__in=uuids(change.joining))


def _means(change: Regrouped, operator: MatchOperator, values: list[str]) -> bool:
    """Whether a condition on groups means the group under its new name."""
    name = change.name_after or ""
    if operator == MatchOperator.IS:
        return name in values or change.group in values
    return any(value in name if operator == MatchOperator.CONTAINS else name.startswith(value) for value in values)


def _compare(path: str, operator: MatchOperator, values: list[str]) -> Q:
    """Compare exactly and case-sensitively on both databases (SQLite's LIKE would not)."""
    if operator == MatchOperator.IS:
        return Q(**{f"{path}__in": values})
    found = Q(pk__in=[])
    for value in values:
        place = StrIndex(F(path), Value(value))
        found |= Q(GreaterThan(place, 0)) if operator == MatchOperator.CONTAINS else Q(Exact(place, 1))
    return found


def uuids(values: Iterable[str]) -> list[uuid.UUID]:
    """Return the values that are ids."""
    found = []
    for value in values:
        if len(value) == 36:
            try:
                found.append(uuid.UUID(value))
            except ValueError:
                continue
    return found


def resources(target: dict[str, Any]) -> QuerySet[Resource]:
    """Return what an integration target selects and can be granted now, whatever the boundary of a space."""
    found = Resource.objects.filter(
        integration=target["integration"],
        resource_type__type=target["resource_type"],
        status=ResourceStatus.ACTIVE,
    ).exclude(integration__status=IntegrationStatus.DISABLED)
    included, excluded = Q(), Q()
    for one in target["selectors"]:
        if one["mode"] == SelectorMode.INCLUDE:
            included |= _selects(one)
        else:
            excluded |= _selects(one)
    found = found.filter(included) if included else found
    return found.exclude(excluded) if excluded else found


def _selects(selector: dict[str, Any]) -> Q:
    values = selector["values"]
    if selector["type"] == SelectorType.NAME:
        return Q(name__in=values)
    if selector["type"] == SelectorType.TAG:
        return Q(pk__in=Tag.objects.filter(key=selector["key"], value__in=values).values("resource"))
    # Our own ids are numbers of at most 19 digits; a longer one is none, and SQLite would stumble over it.
    own = [int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 19]
    return Q(source_id__in=values) | Q(pk__in=own)


def counted(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, or COUNT_MAX + 1 when there are more than COUNT_MAX."""
    return rows.order_by()[: COUNT_MAX + 1].count()


def selects_anything(target: dict[str, Any]) -> bool:
    """Whether a target selects something now that can be granted."""
    if by_query(target):
        return entitlements_of(target) > 0
    return resources(target).exists()


def entitlements_of(target: dict[str, Any]) -> int:
    """Return how many entitlements a target selects now: each resource with each permission."""
    if by_query(target):
        query = selection(target)
        return selected(query, grantable=True).count(COUNT_MAX) if query else 0
    return counted(resources(target)) * len(target["permissions"])


def in_words(number: int, one: str, many: str) -> str:
    """Return a count as people say it."""
    if number > COUNT_MAX:
        return f"more than {COUNT_MAX:,} {many}"
    return f"{number:,} {one if number == 1 else many}"
