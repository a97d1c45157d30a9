"""Named reads: the facts a decision looks at, and who could answer."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import User
from accounts.queries import PersonFacts, facts_of
from flows import document as documents
from flows import reach
from flows.choices import ConditionType, LogicalOperator, MatchOperator, ProposalState, SelectorMode, Trigger
from flows.current import Policy, policy
from flows.decision import Owner
from flows.decision.bounding import by_query, selection
from flows.decision.conditions import asked_systems, asks_owner, matches, owned_by, people_part
from flows.decision.covering import Document, FlowFacts, Reach, covers, targets_of
from flows.models import AccessFlow, AccessTarget, Bundle, Condition, FlowCheck, Proposal, Space, SpaceMember, Webhook
from flows.reach import uuids
from integrations.aql.catalogue import catalogue
from integrations.models import Integration, Resource
from integrations.queries import DEPENDANTS_NAMED, Dependant, Entitlement, Use, entitlements
from integrations.search import Place, Selection, Wanted, places

# As many labels as anybody reads.
LABELS_MAX = 200


def active_flows() -> tuple[FlowFacts, ...]:
    """Return the current version of every active self-serve flow. One query when nothing has changed."""
    return policy().flows


def flows_for(person: PersonFacts) -> tuple[FlowFacts, ...]:
    """Return the current self-serve flows whose requestors the person is one of. One query when nothing has changed."""
    return policy().of(person)


def waiting_proposals() -> int:
    """Return how many changes of policy wait for a second admin's yes."""
    return Proposal.objects.filter(state=ProposalState.WAITING).count()


def space_rows(user: User) -> QuerySet[Any, tuple[Any, ...]]:
    """Return what a person may do in spaces, by themselves or by a group, as rows of (role, id of the space)."""
    mine = Q(user=user) | Q(group__in=user.memberships.values("group"))
    return SpaceMember.objects.filter(mine).order_by().values_list("role", "space_id")


def automatic_flows() -> Policy:
    """Return the current version of every active automatic flow. One query when nothing has changed."""
    return policy(Trigger.AUTOMATIC)


def automatic_in(integration_id: str) -> list[FlowFacts]:
    """Return the active automatic flows that can give something of an integration. Two queries."""
    known, reaching = catalogue(), []
    for flow in automatic_flows().flows:
        for target in targets_of(flow.document):
            query = selection(target) if by_query(target) else None
            lies = {kind.integration_id for kind in known.residuals(query.root)} if query else set()
            if integration_id in lies or (query is None and target.get("integration") == integration_id):
                reaching.append(flow)
                break
    return reaching


def people_in(group: dict[str, Any]) -> QuerySet[User]:
    """Return the active people who fulfil a group of a flow's conditions."""
    return reach.people(group)


def who_matches(document: Document) -> QuerySet[User]:
    """Return the active people whom the flow names."""
    return reach.people(document["requestors"])


def dependants_of(integration: Integration) -> list[Dependant]:
    """Return the flows and bundles that give something of an integration, or look at what it says of people."""
    targets = list(
        AccessTarget.objects.filter(integration=integration).select_related("flow", "in_bundle")[:DEPENDANTS_NAMED]
    )
    conditions = Condition.objects.filter(source=integration).select_related("flow")[:DEPENDANTS_NAMED]
    flows = {one.flow for one in targets if one.flow} | {one.flow for one in conditions}
    bundles = {one.in_bundle for one in targets if one.in_bundle}
    return [
        *(_dependant("access flow", "accessflow", one) for one in sorted(flows, key=str)),
        *(_dependant("bundle", "bundle", one) for one in sorted(bundles, key=str)),
    ]


def use_of(resource: Resource, user: Any) -> Use | None:
    """Say how many active flows give something of a resource, to who may read of flows."""
    if not user.has_perm("flows.view_accessflow"):
        return None
    permissions = resource.resource_type.permissions.values_list("pk", flat=True)
    pairs = entitlements((resource.pk, permission) for permission in permissions)
    giving = [flow for flow in active_flows() if any(covers(flow.document, pair) for pair in pairs)]
    ids = [flow.version_id for flow in giving[:DEPENDANTS_NAMED]]
    rows = AccessFlow.objects.filter(current__in=ids).order_by("name")
    told = f"{len(giving)} active {'access flow gives' if len(giving) == 1 else 'access flows give'} something on it."
    return Use("Access flows", told, tuple(_dependant("access flow", "accessflow", one) for one in rows))


def _dependant(noun: str, model: str, row: AccessFlow | Bundle) -> Dependant:
    return Dependant(f"{noun} {row}", f"flows.view_{model}", f"flows_{model}", str(row.pk))


def requestable(reach: Reach) -> list[Place]:
    """Return where in the inventory lies what these flows give, ready to be searched. One query.

    What is found there is exactly that of which the decision gives some permission; whether one can be granted now,
    and whose approval it takes, is decided when it is asked for.
    """
    named = [target for here in reach.places.values() for _, target in here]
    return places(wanted_by(target) for target in [*named, *(target for _, target in reach.queries)])


def wanted_by(target: dict[str, Any]) -> Wanted:
    """Return a target of a flow as search takes it; a query that cannot be read selects nothing."""
    if by_query(target):
        query = selection(target)
        return Wanted(query=query) if query else Wanted("", "", ())
    selectors = tuple(
        Selection(one["mode"] == SelectorMode.INCLUDE, one["type"], one.get("key", ""), tuple(one["values"]))
        for one in target["selectors"]
        # A mode that is neither is none to the decision either.
        if one["mode"] in (SelectorMode.INCLUDE, SelectorMode.EXCLUDE)
    )
    return Wanted(target["integration"], target["resource_type"], tuple(target["permissions"]), selectors)


def approvers(
    document: Document, requestor: PersonFacts, grantee: PersonFacts, *, owner: Owner | None = None, tier: int = 0
) -> dict[int, list[tuple[PersonFacts, str]]]:
    """Return who may answer and why, in words, by the index of their approver group; of one tier.

    `owner` says who owns what is asked for (Part.owner). Requestor and grantee are left out unless the flow allows
    self-approval.
    """
    own = set() if document["settings"]["self_approval"] else {requestor.id, grantee.id}
    return {
        index: [(person, why(group)) for person in could_approve(group, requestor) if person.id not in own]
        for index, group in enumerate(with_owner(document["approval"]["groups"], owner))
        if group.get("tier", 0) == tier
    }


def with_owner(groups: list[dict[str, Any]], owner: Owner | None) -> list[dict[str, Any]]:
    """Return approver groups in which "Owner" means who owns it now.

    That is who the resource's tag names; where it names nobody active, the owners of its integration.
    """
    if owner is None or not asks_owner(groups):
        return groups
    named, others = owner
    meant = [_being(*named)] if named else []
    if not meant or not reach.people({"operator": LogicalOperator.OR, "conditions": meant}).exists():
        meant = [_being(kind, value) for kind, value in others]
    return [owned_by(group, meant) for group in groups]


def owners_of(ask: Entitlement) -> list[str]:
    """Return the names of the active people who own a resource: whom its tag names, else its integration's owners."""
    if ask.owner is None and not ask.integration_owners:
        return []
    group = {"operator": "or", "conditions": [{"type": ConditionType.OWNER, "operator": "is", "values": []}]}
    (meant,) = with_owner([group], (ask.owner, ask.integration_owners))
    return list(reach.people(meant).order_by("name").values_list("name", flat=True)[:10])


def _being(kind: str, value: str) -> dict[str, Any]:
    """Return the condition that somebody is, or has, just this."""
    return documents.condition(kind, MatchOperator.IS.value, [value])


def could_approve(group: dict[str, Any], requestor: PersonFacts) -> list[PersonFacts]:
    """Return the active people who fulfil an approver group of what the requestor asks for.

    Webhooks are no people: where a group joins one with people by "and", both have to say yes.
    """
    group = people_part(group)
    found = list(User.objects.filter(_maybe(group, requestor), is_active=True, is_service=False).distinct())
    facts = facts_of(found)
    people = [facts[user.pk] for user in found]
    return [person for person in people if matches(group, person, requestor)]


def _maybe(group: dict[str, Any], requestor: PersonFacts) -> Q:
    """Return a database condition that leaves out nobody who fulfils the group; Python decides in the end."""
    parts = [_maybe_one(condition, requestor) for condition in group["conditions"]]
    if not parts:
        return Q(pk__in=[])
    joined = parts[0]
    for part in parts[1:]:
        joined = joined & part if group["operator"] == LogicalOperator.AND else joined | part
    return joined


def _maybe_one(condition: dict[str, Any], requestor: PersonFacts) -> Q:
    kind, values, nobody = condition["type"], condition["values"], Q(pk__in=[])
    if kind == ConditionType.WEBHOOK:
        return nobody
    if kind == ConditionType.OWNER:
        return reduce(or_, (_maybe_one(one, requestor) for one in condition.get("owners", ())), nobody)
    if kind == ConditionType.MANAGER:
        return Q(pk=requestor.manager_id) if requestor.manager_id else nobody
    if condition["operator"] != MatchOperator.IS:
        return Q(pk__isnull=False)
    return _has(kind, values)


def _has(kind: str, values: list[str]) -> Q:
    """Return the condition on people who are, or have, one of the values."""
    if kind == ConditionType.USER:
        return Q(email__in=values) | Q(pk__in=uuids(values))
    if kind == ConditionType.GROUP:
        return Q(memberships__group__name__in=values) | Q(memberships__group__in=uuids(values))
    return Q(attributes__type=kind, attributes__value__in=values)


def why(group: dict[str, Any]) -> str:
    """Return why members of an approver group are asked, in words."""
    parts = []
    for condition in people_part(group)["conditions"]:
        values = ", ".join(condition["values"])
        match condition["type"]:
            case ConditionType.MANAGER:
                parts.append("you are the requestor’s manager")
            case ConditionType.OWNER:
                parts.append("you own what is asked for")
            case ConditionType.WEBHOOK:
                continue
            case ConditionType.USER if condition["operator"] == MatchOperator.IS:
                parts.append("the access flow names you")
            case ConditionType.GROUP if condition["operator"] == MatchOperator.IS:
                parts.append(f"you are in the group {values}")
            case other:
                parts.append(f"your {other} {MatchOperator(condition['operator']).label} {values}")
    joined = f" {group['operator']} ".join(dict.fromkeys(parts))
    return joined[:1].upper() + joined[1:]


def webhooks(among: Iterable[str] | None = None) -> QuerySet[Webhook]:
    """Return the webhooks that a flow may name, as a check or in a condition of type webhook (by id), by name.

    With `among`, those of these ids.
    """
    rows = Webhook.objects.order_by("name")
    return rows if among is None else rows.filter(pk__in=uuids(among))


def system_names(document: Document) -> dict[str, str]:
    """Return the names of the webhooks that a document names, by id. One query, none where it names none."""
    asked = asked_systems(document)
    if not asked:
        return {}
    return {str(pk): name for pk, name in Webhook.objects.filter(pk__in=uuids(asked)).values_list("pk", "name")}


def webhook_uses() -> dict[str, int]:
    """Return how many access flows ask each webhook, by its id; those that none asks are left out. Two queries."""
    using: dict[str, set[Any]] = defaultdict(set)
    for flow, values in Condition.objects.filter(type=ConditionType.WEBHOOK).values_list("flow", "values"):
        for value in values:
            using[value].add(flow)
    for flow, webhook in FlowCheck.objects.values_list("flow", "webhook"):
        using[str(webhook)].add(flow)
    return {webhook: len(flows) for webhook, flows in using.items()}


def labels() -> list[str]:
    """Return the labels of flows, sorted. One query; each database keeps lists its own way, so they are read here."""
    told = AccessFlow.objects.exclude(labels=[]).order_by().values_list("labels", flat=True)
    return sorted({label for one in told for label in one}, key=str.lower)[:LABELS_MAX]


def with_label(label: str) -> list[uuid.UUID]:
    """Return the ids of the flows that bear a label. One query."""
    told = AccessFlow.objects.exclude(labels=[]).order_by().values_list("pk", "labels")
    return [pk for pk, labels in told if label in labels]


def space_members(most: int) -> list[tuple[Space, list[SpaceMember]]]:
    """Return each space with the first of those who belong to it, by name. Two queries, however many spaces."""
    rows = SpaceMember.objects.select_related("user", "group").order_by("role", "id")
    spaces = Space.objects.prefetch_related(Prefetch("members", rows))
    return [(space, list(space.members.all())[:most]) for space in spaces]
