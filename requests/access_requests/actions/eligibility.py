"""Is the person still eligible? Asked again before access opens and whenever people or policy change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from access_requests.models import AccessRequest, AccessUnit
from accounts.queries import PersonFacts, facts_of
from flows.decision import Document, covers, for_whom, matches
from flows.giving import gives_by_itself
from flows.models import AccessFlow
from integrations.choices import ResourceStatus
from integrations.queries import Entitlement, entitlements


def why_not_given(
    document: Document | None,
    requestor: PersonFacts,
    grantee: PersonFacts,
    asks: Sequence[Entitlement],
    wanted: int | None = None,
    *,
    automatic: bool = False,
) -> str:
    """Return why a flow's document would not give this, in words; nothing when it would. No document: it is off.

    `wanted` is how many entitlements there were to be; fewer `asks` means that some are not known any more. `automatic`
    is what nobody asked for: the flow has to give it by itself.
    """
    if not grantee.active or not requestor.active:
        return "The account is disabled."
    if document is None or not document["active"]:
        return "The access flow is switched off."
    why = _why_not_they(document, requestor, grantee, automatic)
    if not why and (len(asks) < (wanted or 0) or not all(covers(document, ask) for ask in asks)):
        why = "no longer gives all of this."
    return f"The access flow {document['name']} {why}" if why else ""


def _why_not_they(document: Document, requestor: PersonFacts, grantee: PersonFacts, automatic: bool) -> str:
    """Return what the flow does not do for these people any more; nothing when it does."""
    if automatic and not gives_by_itself(document):
        return "gives nothing by itself any more."
    if not matches(document["requestors"], requestor):
        return f"no longer names {requestor.name}."
    if not automatic and not for_whom(document, requestor, grantee):
        return f"no longer lets {requestor.name} ask for this person."
    return ""


def outlasts(request: AccessRequest) -> bool:
    """Whether the flow, as it is now, lets open access stay though the person or the policy does not match any more.

    Never for who is disabled, nor where the flow is switched off.
    """
    flow = AccessFlow.objects.select_related("current").get(pk=request.flow_version.flow_id)
    if not flow.active or flow.current is None or request.automatic:
        return False
    facts = facts_of([request.requestor_id, request.grantee_id])
    active = facts[request.grantee_id].active and facts[request.requestor_id].active
    return active and not flow.current.document["settings"].get("only_while_eligible", True)


def why_not_eligible(request: AccessRequest, *, also_grantable: bool = True) -> str:
    """Return why the flow, as it is now, would not give this request, in words; nothing when it would.

    With `also_grantable` false, what the inventory says of the resources is left out: access that is open is not ended
    because a sync lost sight of its target.
    """
    return why_none_eligible([request], also_grantable=also_grantable).get(request.pk, "")


def why_none_eligible(requests: Sequence[AccessRequest], *, also_grantable: bool = True) -> dict[int, str]:
    """Return why flows, as they are now, would not give these, by request; who is eligible is not in it.

    Ten queries, whatever the number. `also_grantable` as in `why_not_eligible`.
    """
    flows = AccessFlow.objects.select_related("current").in_bulk({one.flow_version.flow_id for one in requests})
    facts = facts_of({pk for one in requests for pk in (one.requestor_id, one.grantee_id)})
    pairs: dict[int, list[tuple[int, int]]] = {one.pk: [] for one in requests}
    for key, *pair in AccessUnit.objects.filter(group__request__in=pairs).values_list(
        "group__request", "resource_id", "permission_id"
    ):
        pairs[key].append((pair[0], pair[1]))
    known = {(one.resource_id, one.permission_id): one for one in entitlements(chain.from_iterable(pairs.values()))}
    if not also_grantable:
        # A query on the status would leave out what the sync merely lost sight of.
        known = {pair: replace(ask, resource_status=ResourceStatus.ACTIVE.value) for pair, ask in known.items()}
    found = {}
    for one in requests:
        asks = [known[pair] for pair in dict.fromkeys(pairs[one.pk]) if pair in known]
        why = _why_not(one, flows[one.flow_version.flow_id], facts, asks, len(pairs[one.pk]))
        refused = [ask.refusal for ask in asks if ask.refusal] if also_grantable else []
        if why or refused:
            found[one.pk] = why or refused[0]
    return found


def _why_not(
    request: AccessRequest,
    flow: AccessFlow,
    facts: Mapping[uuid.UUID, PersonFacts],
    asks: Sequence[Entitlement],
    wanted: int,
) -> str:
    requestor, grantee = facts[request.requestor_id], facts[request.grantee_id]
    if not grantee.active or not requestor.active:
        return "The account is disabled."
    if not flow.active or flow.current is None:
        return f"The access flow {flow.name} is switched off."
    return why_not_given(flow.current.document, requestor, grantee, asks, wanted, automatic=request.automatic)
