"""Is the person still eligible? Asked again before access opens and whenever people or policy change."""

from __future__ import annotations

from access_requests.models import AccessRequest, AccessUnit
from accounts.queries import PersonFacts, facts_of
from flows.decision import Document, covers, for_whom, matches
from flows.giving import gives_by_itself
from flows.models import AccessFlow
from integrations.queries import entitlements


def why_not_eligible(request: AccessRequest, *, also_grantable: bool = True) -> str:
    """Return why the flow, as it is now, would not give this request, in words; nothing when it would.

    With `also_grantable` false, what the inventory says of the resources is left out: access that is open is not ended
    because a sync lost sight of its target.
    """
    flow = AccessFlow.objects.select_related("current").get(pk=request.flow_version.flow_id)
    facts = facts_of([request.requestor_id, request.grantee_id])
    requestor = facts[request.requestor_id]
    if not facts[request.grantee_id].active or not requestor.active:
        return "The account is disabled."
    if not flow.active or flow.current is None:
        return f"The access flow {flow.name} is switched off."
    why = _why_not_they(request, flow.current.document, requestor, facts[request.grantee_id])
    if why:
        return f"The access flow {flow.name} {why}"
    pairs = AccessUnit.objects.filter(group__request=request).values_list("resource_id", "permission_id")
    asks = entitlements(pairs)
    if len(asks) < len(pairs) or not all(covers(flow.current.document, ask) for ask in asks):
        return f"The access flow {flow.name} no longer gives all of this."
    refused = [ask.refusal for ask in asks if ask.refusal] if also_grantable else []
    return refused[0] if refused else ""


def _why_not_they(request: AccessRequest, document: Document, requestor: PersonFacts, grantee: PersonFacts) -> str:
    """Return what the flow does not do for these people any more, in words; nothing when it does."""
    if request.automatic and not gives_by_itself(document):
        return "gives nothing by itself any more."
    if not matches(document["requestors"], requestor):
        return f"no longer names {requestor.name}."
    if not request.automatic and not for_whom(document, requestor, grantee):
        return f"no longer lets {requestor.name} ask for this person."
    return ""
