"""Who fulfils the conditions of a policy: pure functions of plain data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from accounts.queries import PersonFacts
from flows.choices import ConditionType, LogicalOperator, MatchOperator

Condition = dict[str, Any]
Group = dict[str, Any]
# What says of a person who they are, not what they are not: an outside person has to be named so.
_NAMING = (ConditionType.USER, ConditionType.GROUP)


def matches(group: Group, person: PersonFacts, requestor: PersonFacts | None = None) -> bool:
    """Whether the person fulfils a group of conditions. No conditions: nobody does.

    With `requestor` the group is one of approvers, and the requestor's manager is meant by "manager"; without, it is
    about whoever asks or gets access, and their own manager is meant. An outside person also has to be named.
    """
    answers = [fulfils(condition, person, requestor) for condition in group["conditions"]]
    if not answers or (person.outside and not names(group, person)):
        return False
    return all(answers) if group["operator"] == LogicalOperator.AND else any(answers)


def names(group: Group, person: PersonFacts) -> bool:
    """Whether a condition that the person fulfils names them, or a group they are in: "is", of user or group."""
    return any(
        one["type"] in _NAMING and one["operator"] == MatchOperator.IS and fulfils(one, person)
        for one in group["conditions"]
    )


def fulfils(condition: Condition, person: PersonFacts, requestor: PersonFacts | None = None) -> bool:
    """Whether the person fulfils one condition; `requestor` as in `matches`.

    A negative operator holds when none of the person's values is the one meant: absent equals nothing.
    """
    kind, operator, values = condition["type"], condition["operator"], condition["values"]
    if kind == ConditionType.MANAGER:
        return _manages(operator, person, requestor, values) if requestor else _is_managed(operator, person, values)
    if kind == ConditionType.OWNER:
        # Who owns it is known only with the resource: see `owned_by`. Until then nobody does.
        return any(fulfils(one, person, requestor) for one in condition.get("owners", ()))
    if kind == ConditionType.WEBHOOK:
        return False  # no person
    return _holds(operator, _held(kind, operator, person), values)


def _manages(operator: str, person: PersonFacts, requestor: PersonFacts, values: list[str]) -> bool:
    if requestor.manager_id != person.id:
        return False
    return not values or _holds(operator, _held(ConditionType.USER, operator, person), values)


def _is_managed(operator: str, person: PersonFacts, values: list[str]) -> bool:
    """Whether the person's own manager is one of those meant; without values, whether they have one."""
    whole = operator in {MatchOperator.IS, MatchOperator.IS_NOT}
    held = [one for one in (person.manager_email, person.manager_id if whole else None) if one]
    return _holds(operator, held, values) if values else bool(held)


def _held(kind: str, operator: str, person: PersonFacts) -> list[str]:
    """Return the person's values of a condition type; a user is known by id and e-mail, a group by id and name.

    Ids count only where the whole is compared: that an id begins with "a" says nothing of anybody.
    """
    whole = operator in {MatchOperator.IS, MatchOperator.IS_NOT}
    if kind == ConditionType.USER:
        return [person.id, person.email] if whole else [person.email]
    if kind == ConditionType.GROUP:
        return [*person.group_ids, *person.group_names] if whole else [*person.group_names]
    return [value for type_, value in person.attributes if type_ == kind]


def _holds(operator: str, held: Iterable[str], values: list[str]) -> bool:
    pairs = [(mine, value) for mine in held for value in values]
    match operator:
        case MatchOperator.IS:
            return any(mine == value for mine, value in pairs)
        case MatchOperator.IS_NOT:
            return all(mine != value for mine, value in pairs)
        case MatchOperator.CONTAINS:
            return any(value in mine for mine, value in pairs)
        case MatchOperator.DOES_NOT_CONTAIN:
            return all(value not in mine for mine, value in pairs)
        case MatchOperator.STARTS_WITH:
            return any(mine.startswith(value) for mine, value in pairs)
        case _:
            return False


def asks_owner(groups: Iterable[Group]) -> bool:
    """Whether an owner is among those who are asked."""
    return any(one["type"] == ConditionType.OWNER for group in groups for one in group["conditions"])


def owned_by(group: Group, owners: Iterable[Condition]) -> Group:
    """Return an approver group in which "Owner" means those who fulfil one of these conditions."""
    known = list(owners)
    conditions = [one | {"owners": known} if one["type"] == ConditionType.OWNER else one for one in group["conditions"]]
    return {**group, "conditions": conditions}


def setting(document: Mapping[str, Any], name: str) -> Any:
    """Return a setting of a flow's document; nothing where the version is older than the setting."""
    return document["settings"].get(name)


def people_part(group: dict[str, Any]) -> dict[str, Any]:
    """Return an approver group without its webhooks: what a person has to fulfil to answer for it."""
    return group | {"conditions": [one for one in group["conditions"] if one["type"] != ConditionType.WEBHOOK]}


def webhooks_of(group: dict[str, Any]) -> tuple[str, ...]:
    """Return the ids of the webhooks that are asked for an approver group."""
    named = [one["values"] for one in group["conditions"] if one["type"] == ConditionType.WEBHOOK]
    return tuple(dict.fromkeys(value for values in named for value in values))


def group_says_yes(group: dict[str, Any], *, person: bool, webhooks: Collection[str]) -> bool:
    """Whether an approver group has said yes; `person` is whether somebody of it has, `webhooks` those that have.

    Joined by "or", one yes is enough, whoever says it. Joined by "and", every webhook has to say yes, and, where the
    group has conditions on people, somebody who fulfils all of those as well.
    """
    asked = webhooks_of(group)
    said = [one in webhooks for one in asked]
    if group.get("operator") == LogicalOperator.AND:
        return all(said) and (person or (bool(asked) and not people_part(group)["conditions"]))
    return person or any(said)


def could_say_yes(group: dict[str, Any], people: bool) -> bool:
    """Whether an approver group could ever say yes; `people` is whether anybody fulfils its conditions on people."""
    return group_says_yes(group, person=people, webhooks=webhooks_of(group))


def asked_systems(document: Mapping[str, Any]) -> set[str]:
    """Return the ids of all webhooks that a document names: as checks and as approvers."""
    groups = document.get("approval", {}).get("groups", ())
    return {*document.get("checks", ()), *(one for group in groups for one in webhooks_of(group))}
