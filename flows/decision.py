"""The decision: a pure function of plain data. No database, no clock, no order of rows changes the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from accounts.queries import PersonFacts
from flows.choices import (
    ApprovalMode,
    ConditionType,
    LogicalOperator,
    MatchOperator,
    SelectorMode,
    SelectorType,
    TargetKind,
    Trigger,
)
from integrations.queries import Entitlement

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """A flow version as it decides: its id, and its document (FlowVersion.document)."""

    version_id: int
    document: Document


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision looks at. `duration_seconds` None means: as long as the flow allows."""

    requestor: PersonFacts
    grantee: PersonFacts
    asks: tuple[Entitlement, ...]
    flows: tuple[FlowFacts, ...]
    duration_seconds: int | None = None
    justification: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way. `field` names the form's field, `path` the entitlement, if it is about one."""

    code: str
    message: str
    field: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of an ask that one flow decides; it becomes one request. `duration_seconds` None: without an end."""

    flow: FlowFacts
    asks: tuple[Entitlement, ...]
    duration_seconds: int | None
    max_duration_seconds: int | None

    @property
    def needs_approval(self) -> bool:
        """Whether a person has to say yes."""
        return bool(self.flow.document["approval"]["mode"] != ApprovalMode.NONE)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says to an ask. Anything in `problems` means: not as it stands."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]

    @property
    def allowed(self) -> bool:
        """Whether the ask may be submitted."""
        return bool(self.parts) and not self.problems


def decide(facts: Facts) -> Decision:
    """Return which flow decides which part of the ask, or why not. Fails closed: no flow, no access."""
    problems = list(_about_people(facts))
    chosen: dict[int, list[Entitlement]] = defaultdict(list)
    flows = {flow.version_id: flow for flow in facts.flows}
    reach = Reach(flow for flow in facts.flows if _usable(flow.document, facts.requestor))
    for ask in facts.asks:
        if ask.refusal:
            problems.append(Problem("NOT_GRANTABLE", ask.refusal, path=_name(ask)))
            continue
        covering = reach.covering(ask)
        if not covering:
            problems.append(_no_flow(ask))
            continue
        chosen[min(covering, key=lambda flow: _preference(flow, facts.duration_seconds)).version_id].append(ask)
    parts = tuple(_part(flows[version], asks, facts.duration_seconds) for version, asks in sorted(chosen.items()))
    for part in parts:
        problems.extend(_about_part(part, facts))
    if not facts.asks:
        problems.append(Problem("FIELD_MISSING", "Choose what you need.", field="entitlements"))
    return Decision(parts=parts, problems=tuple(problems))


def _about_people(facts: Facts) -> Iterable[Problem]:
    if not facts.requestor.active:
        yield Problem("DISABLED", "This account is disabled.")
    if facts.grantee.id != facts.requestor.id:
        yield Problem("NOT_FOR_OTHERS", "You can ask for yourself only.", field="grantee")


def _no_flow(ask: Entitlement) -> Problem:
    return Problem("NO_FLOW", "No access flow gives you this. Ask an admin to add you to one.", path=_name(ask))


def _name(ask: Entitlement) -> str:
    return f"{ask.permission_name} on {ask.resource_path}"


def _preference(flow: FlowFacts, asked: int | None) -> tuple[bool, bool, float, str]:
    """Order flows that cover the same: long enough first, then without approval, then longer, then by id."""
    longest = flow.document["duration_seconds"]
    limit = float("inf") if longest is None else float(longest)
    return (asked is not None and asked > limit, _asks_people(flow), -limit, flow.document["id"])


def _asks_people(flow: FlowFacts) -> bool:
    return bool(flow.document["approval"]["mode"] != ApprovalMode.NONE)


def _part(flow: FlowFacts, asks: list[Entitlement], asked: int | None) -> Part:
    longest = flow.document["duration_seconds"]
    return Part(flow, tuple(asks), longest if asked is None else asked, longest)


def _about_part(part: Part, facts: Facts) -> Iterable[Problem]:
    name, longest = part.flow.document["name"], part.max_duration_seconds
    if part.duration_seconds is not None and part.duration_seconds <= 0:
        yield Problem("INVALID_DURATION", "The duration must be longer than nothing.", field="duration")
    elif longest is not None and (part.duration_seconds or 0) > longest:
        message = f"At most {words_for(longest)} with the access flow {name}."
        yield Problem("INVALID_DURATION", message, field="duration")
    if part.flow.document["settings"]["justification_required"] and not facts.justification.strip():
        yield Problem("FIELD_MISSING", f"The access flow {name} wants a justification.", field="justification")


def words_for(seconds: int) -> str:
    """Return a duration as people say it: 90 minutes is "1 h 30 min"."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _usable(document: Document, requestor: PersonFacts) -> bool:
    return (
        bool(document["active"])
        and document["trigger"] == Trigger.SELF_SERVE
        and matches(document["requestors"], requestor, requestor)
    )


def matches(group: dict[str, Any], person: PersonFacts, requestor: PersonFacts) -> bool:
    """Whether the person fulfils a group of conditions. No conditions: nobody does."""
    answers = [fulfils(condition, person, requestor) for condition in group["conditions"]]
    if not answers:
        return False
    return all(answers) if group["operator"] == LogicalOperator.AND else any(answers)


def fulfils(condition: dict[str, Any], person: PersonFacts, requestor: PersonFacts) -> bool:
    """Whether the person fulfils one condition; `requestor` matters to who counts as the manager.

    A negative operator holds when none of the person's values is the one meant: absent equals nothing.
    """
    values, operator = condition["values"], condition["operator"]
    if condition["type"] == ConditionType.MANAGER:
        held = [person.id] if requestor.manager_id == person.id else []
        return bool(held) if not values else _holds(operator, _held("user", operator, person), values) and bool(held)
    return _holds(operator, _held(condition["type"], operator, person), values)


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


def _holds(operator: str, held: list[str], values: list[str]) -> bool:
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


def targets_of(document: Document) -> Iterator[dict[str, Any]]:
    """Return what a flow gives as integration targets; a bundle is the snapshot of its targets that the version has."""
    for target in document["targets"]:
        within = target.get("targets", ()) if target["kind"] == TargetKind.BUNDLE else (target,)
        yield from (one for one in within if one["kind"] == TargetKind.INTEGRATION)


class Reach:
    """What some flows give, by where it lies: an ask is held against the few targets of its place, not against all."""

    def __init__(self, flows: Iterable[FlowFacts]) -> None:
        """Sort the targets by (integration, resource type)."""
        self.flows = tuple(flows)
        self.places: dict[tuple[str, str], list[tuple[FlowFacts, dict[str, Any]]]] = defaultdict(list)
        for flow in self.flows:
            for target in targets_of(flow.document):
                self.places[target["integration"], target["resource_type"]].append((flow, target))

    def bundles(self) -> dict[str, dict[str, Any]]:
        """Return the bundles that the flows give, by id; each as the latest of their versions has it."""
        found = {}
        for flow in sorted(self.flows, key=lambda flow: flow.version_id):
            for target in flow.document["targets"]:
                if target["kind"] == TargetKind.BUNDLE and target.get("targets"):
                    found[target["bundle"]] = target
        return found

    def covering(self, ask: Entitlement) -> list[FlowFacts]:
        """Return the flows that give the entitlement, each once."""
        here = self.places.get((ask.integration_id, ask.resource_type), ())
        found = {flow.version_id: flow for flow, target in here if target_covers(target, ask)}
        return list(found.values())

    def gives(self, ask: Entitlement) -> bool:
        """Whether one of the flows gives the entitlement."""
        here = self.places.get((ask.integration_id, ask.resource_type), ())
        return any(target_covers(target, ask) for _, target in here)


def covers(document: Document, ask: Entitlement) -> bool:
    """Whether one of the flow's targets gives the entitlement."""
    return any(target_covers(target, ask) for target in targets_of(document))


def target_covers(target: dict[str, Any], ask: Entitlement) -> bool:
    """Whether an integration target gives the entitlement."""
    if (target["integration"], target["resource_type"]) != (ask.integration_id, ask.resource_type):
        return False
    if ask.permission_source_id not in target["permissions"]:
        return False
    included = [one for one in target["selectors"] if one["mode"] == SelectorMode.INCLUDE]
    excluded = [one for one in target["selectors"] if one["mode"] == SelectorMode.EXCLUDE]
    return (not included or any(_selects(one, ask) for one in included)) and not any(
        _selects(one, ask) for one in excluded
    )


def _selects(selector: dict[str, Any], ask: Entitlement) -> bool:
    values = selector["values"]
    match selector["type"]:
        case SelectorType.NAME:
            return ask.resource_name in values
        case SelectorType.ID:
            return ask.resource_source_id in values or str(ask.resource_id) in values
        case SelectorType.TAG:
            return any(key == selector["key"] and value in values for key, value in ask.tags)
        case _:
            return False


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


def asked_systems(document: Document) -> set[str]:
    """Return the ids of all webhooks that a document names: as checks and as approvers."""
    groups = document.get("approval", {}).get("groups", ())
    return {*document.get("checks", ()), *(one for group in groups for one in webhooks_of(group))}
