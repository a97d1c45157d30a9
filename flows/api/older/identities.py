"""People, groups and attributes by ids, as the first version of flows names them, and as conditions do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import ValidationError

from accounts.models import Group, User
from accounts.rest.older import attribute_of, identity_of
from flows.api.parts import Part
from flows.choices import ConditionType, LogicalOperator, MatchOperator
from flows.reach import uuids

CONTEXT = "context_attribute"
_NOT_TOLD = (ConditionType.OWNER, ConditionType.WEBHOOK)


@dataclass
class Identities:
    """Who some ids, addresses and names are: addresses by id, and of groups the ids of each name."""

    people: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def conditions(self, told: Sequence[Part], path: str) -> list[Part]:
        """Return the conditions that identities stand for: one for each type. Raises ValidationError."""
        found: dict[str, list[str]] = {}
        for place, one in enumerate(told):
            kind, value = self._meant(one, {each["id"] for each in told}, f"{path}.{place}.id")
            values = found.setdefault(kind, [])
            if value and value not in values:
                values.append(value)
        return [_condition(kind, values) for kind, values in found.items()]

    def _meant(self, one: Part, told: set[str], path: str) -> tuple[str, str]:
        kind, pk = one["type"], one["id"]
        if kind == CONTEXT:
            kind, value = attribute_of(pk)
            if kind == ConditionType.MANAGER or value:
                return kind, value
        elif kind == ConditionType.USER and pk in self.people:
            return kind, self.people[pk]
        elif kind == ConditionType.GROUP and (name := next((one for one in self.groups if pk in self.groups[one]), "")):
            # By its name where all groups of the name are meant: so people read it on the page.
            return ConditionType.GROUP.value, name if told.issuperset(self.groups[name]) else pk
        raise ValidationError({path: [f"There is no {one['type']} “{pk}” in the list of identities."]})

    def shown(self, conditions: Iterable[Part]) -> list[Part] | None:
        """Return the identities that conditions stand for, any of which will do; None where they say more."""
        found: list[Part] = []
        for one in conditions:
            if one["operator"] != MatchOperator.IS or one.get("source") or one["type"] in _NOT_TOLD:
                return None
            found += [{"id": pk, "type": kind} for kind, pk in self._ids(one)]
        return found

    def _ids(self, one: Part) -> Iterable[tuple[str, str]]:
        kind, values = one["type"], one["values"]
        if kind == ConditionType.USER:
            yield from ((kind, pk) for value in values for pk, email in self.people.items() if value in (pk, email))
        elif kind == ConditionType.GROUP:
            each = [(name, pk) for name, ids in self.groups.items() for pk in ids]
            yield from ((kind, pk) for value in values for name, pk in each if value in (name, pk))
        else:
            yield from ((CONTEXT, identity_of(kind, value)) for value in values or [""])


def _condition(kind: str, values: list[str]) -> Part:
    return {"type": kind, "operator": MatchOperator.IS.value, "source": "", "values": values}


def any_of(group: Part) -> bool:
    """Whether who fulfils one condition of a group fulfils it."""
    return group["operator"] == LogicalOperator.OR or len(group["conditions"]) == 1


def known(told: Iterable[Part], conditions: Iterable[Part] = ()) -> Identities:
    """Return who identities and conditions may mean. Two queries at most."""
    wanted: dict[str, set[str]] = {ConditionType.USER: set(), ConditionType.GROUP: set()}
    for one in told:
        wanted.get(one["type"], set()).add(one["id"])
    for one in conditions:
        wanted.get(one["type"], set()).update(one["values"])
    return Identities(_people(wanted[ConditionType.USER]), _groups(wanted[ConditionType.GROUP]))


def _people(wanted: set[str]) -> dict[str, str]:
    if not wanted:
        return {}
    rows = User.objects.filter(Q(pk__in=uuids(wanted)) | Q(email__in=wanted))
    return {str(pk): email for pk, email in rows.values_list("pk", "email")}


def _groups(wanted: set[str]) -> dict[str, list[str]]:
    if not wanted:
        return {}
    meant = Group.objects.filter(Q(pk__in=uuids(wanted)) | Q(name__in=wanted)).values("name")
    found: dict[str, list[str]] = {}
    rows: Any = Group.objects.filter(name__in=meant).order_by("name", "pk").values_list("name", "pk")
    for name, pk in rows:
        found.setdefault(name, []).append(str(pk))
    return found
