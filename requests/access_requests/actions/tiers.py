"""Who is asked, and who is asked next: the tiers of approvers, of requests and of extensions alike.

The first tier is asked at once; where it could not say yes by itself, the first later tier in which somebody could
answer is asked with it. Each further one is asked when nobody has settled it for as long as the flow says. Earlier
tiers may still answer. What is due stands in `escalates_at`, which the sweep finds by an index, and is written with
the approvals it asks for: a process that is killed has asked a tier or has not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from access_requests.actions.questions import ask_group
from access_requests.actions.rules import each
from access_requests.actions.standing_in import ask_stand_ins, ask_stand_ins_again
from access_requests.choices import ExtensionState, RequestState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest, AccessUnit, Approval, Extension, ExtensionApproval
from accounts.queries import PersonFacts, facts_of
from audit.actions import record
from audit.actor import system
from flows import queries as flow_queries
from flows.choices import ApprovalMode
from flows.decision import Document, Owner
from flows.decision.conditions import asks_owner, group_says_yes, webhooks_of
from integrations.queries import entitlements

BATCH = 1000
# By the index of the approver group in the flow's document: who is asked, and why them.
Groups = Mapping[int, Sequence[tuple[PersonFacts, str]]]
NOBODY: Owner = (None, ())


def later_tiers(document: Document, after: int) -> list[int]:
    """Return the tiers that come after one, in order."""
    return sorted({tier for group in document["approval"]["groups"] if (tier := group.get("tier", 0)) > after})


def could_settle(document: Document, groups: Groups, said: Collection[str] | None = None) -> bool:
    """Whether those asked could say yes: one of each group of the first tier where the flow wants that, or anybody.

    `said` are the webhooks whose yes stands already, where none is asked any more; otherwise all may still say yes.
    """
    stored = document["approval"]["groups"]
    able = {
        index
        for index, people in groups.items()
        if group_says_yes(
            stored[index], person=bool(people), webhooks=webhooks_of(stored[index]) if said is None else said
        )
    }
    first = {index for index in groups if stored[index].get("tier", 0) == 0}
    if document["approval"]["mode"] == ApprovalMode.ALL_OF and not able - first:
        return bool(first) and first <= able
    return bool(able)


def asked_first(
    document: Document, requestor: PersonFacts, grantee: PersonFacts, *, owner: Owner | None = None
) -> tuple[int, Groups]:
    """Return who is asked at once, and the highest tier among them."""
    first: Groups = flow_queries.approvers(document, requestor, grantee, owner=owner)
    if could_settle(document, first):
        return 0, first
    tier, later = asked_next(document, 0, requestor, grantee, owner=owner)
    return tier, {**first, **later}


def asked_next(
    document: Document, after: int, requestor: PersonFacts, grantee: PersonFacts, *, owner: Owner | None = None
) -> tuple[int, Groups]:
    """Return the next tier in which somebody could answer, and who that is; `after` itself and nobody without one."""
    for tier in later_tiers(document, after):
        groups = flow_queries.approvers(document, requestor, grantee, owner=owner, tier=tier)
        if could_settle(document, groups):
            return tier, groups
    return after, {}


def everybody(
    document: Document, requestor: PersonFacts, grantee: PersonFacts, *, owner: Owner | None = None
) -> Groups:
    """Return the approvers of all tiers."""
    found: dict[int, Sequence[tuple[PersonFacts, str]]] = {}
    for tier in later_tiers(document, -1):
        found |= flow_queries.approvers(document, requestor, grantee, owner=owner, tier=tier)
    return found


def owner_of(request: AccessRequest, document: Document) -> Owner | None:
    """Return who owns now what is asked for, where the flow asks owners. Owners of different parts: nobody owns all."""
    if not asks_owner(document["approval"]["groups"]):
        return None
    pairs = AccessUnit.objects.filter(group__request=request).values_list("resource_id", "permission_id")
    owners = {(one.owner, one.integration_owners) for one in entitlements(pairs)}
    return owners.pop() if len(owners) == 1 else NOBODY


def escalates_at(document: Document, asked: int, at: datetime) -> datetime | None:
    """Return when the tier after `asked` is asked; None when there is none."""
    seconds = document["approval"].get("escalation_seconds")
    return at + timedelta(seconds=seconds) if seconds and later_tiers(document, asked) else None


def make_approvals(
    row: AccessRequest | Extension, document: Document, groups: Groups, *, at: datetime, webhooks: bool = True
) -> None:
    """Write the rows of those who are asked. The one place where they are made: of any tier, of requests or extensions.

    Without `webhooks`, other systems are left alone: they were asked before. In the caller's transaction, which holds
    the row's lock or has just made it.
    """
    stored = document["approval"]["groups"]
    asked = [(index, person, why) for index, group in groups.items() for person, why in group]
    told = [
        {"approver_id": person.id, "group_index": index, "tier": stored[index].get("tier", 0), "why": why}
        for index, person, why in asked
    ]
    if isinstance(row, AccessRequest):
        Approval.objects.bulk_create(Approval(request=row, asked_at=at, **one) for one in told)
        for index in groups:
            # Those of the first tier are asked with the checks, when the request begins.
            if webhooks and stored[index].get("tier", 0):
                ask_group(row, index, stored[index], at=at)
        ask_stand_ins(row, at=at)
    else:
        ExtensionApproval.objects.bulk_create(ExtensionApproval(extension=row, asked_at=at, **one) for one in told)
        ask_stand_ins_again(row, at=at)


def sweep_escalations(*, at: datetime | None = None) -> int:
    """Ask the next tier about everything that nobody has settled in time. Return how much there was."""
    moment = at or timezone.now()
    requests = AccessRequest.objects.filter(state=RequestState.PENDING, escalates_at__lte=moment)
    extensions = Extension.objects.filter(state=ExtensionState.PENDING, escalates_at__lte=moment)
    done = each(requests.order_by("escalates_at")[:BATCH], lambda row: escalate(row, at=moment), sweep="escalations")
    return done + each(
        extensions.order_by("escalates_at")[:BATCH], lambda row: escalate_extension(row, at=moment), sweep="escalations"
    )


def escalate(request: AccessRequest, *, at: datetime) -> bool:
    """Ask the next tier about a request. False when it was settled, asked already, or there is nobody left to ask."""
    with transaction.atomic():
        rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True).select_related("flow_version")
        row = rows.get(pk=request.pk)
        if row.state != RequestState.PENDING or not _due(row, at):
            return False
        return ask_next(row, row, at)


def escalate_extension(extension: Extension, *, at: datetime) -> bool:
    """Ask the next tier about an ask for more time, as `escalate` does."""
    with transaction.atomic():
        rows = Extension.objects.select_for_update(of=("self",), no_key=True).select_related("flow_version", "request")
        row = rows.get(pk=extension.pk)
        if row.state != ExtensionState.PENDING or not _due(row, at):
            return False
        return ask_next(row, row.request, at)


def _due(row: AccessRequest | Extension, at: datetime) -> bool:
    return row.escalates_at is not None and row.escalates_at <= at


def ask_next(row: AccessRequest | Extension, request: AccessRequest, at: datetime) -> bool:
    """Ask the next tier in which somebody could answer; tiers in which nobody could are not waited for."""
    document, before = row.flow_version.document, row.asked_tier
    facts = facts_of([request.requestor_id, request.grantee_id])
    people = facts[request.requestor_id], facts[request.grantee_id]
    tier, groups = asked_next(document, before, *people, owner=owner_of(request, document))
    row.asked_tier, row.escalates_at = tier, escalates_at(document, tier, at) if tier > before else None
    row.save(update_fields=["asked_tier", "escalates_at"])
    if tier == before:
        return False
    make_approvals(row, document, groups, at=at)
    asked = sorted({person.email for group in groups.values() for person, _ in group})
    more = {"extension": row.number} if isinstance(row, Extension) else {}
    details = {"tier": tier, "asked": asked, **more}
    record("request.escalated", actor=system(), subject=subject_of(request), details=details, at=at)
    moved(request.pk)
    return True
