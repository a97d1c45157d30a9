"""Is the person still eligible? Asked again before access opens and whenever people or policy change."""

from __future__ import annotations

from dataclasses import replace

from access_requests.models import AccessRequest, AccessUnit
from accounts.queries import facts_of
from flows.conditions import matches
from flows.covering import covers
from flows.decision import for_whom
from flows.models import AccessFlow
from integrations.choices import ResourceStatus
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
    if not matches(flow.current.document["requestors"], requestor):
        return f"The access flow {flow.name} no longer names {requestor.name}."
    if not for_whom(flow.current.document, requestor, facts[request.grantee_id]):
        return f"The access flow {flow.name} no longer lets {requestor.name} ask for this person."
    pairs = AccessUnit.objects.filter(group__request=request).values_list("resource_id", "permission_id")
    asks = entitlements(pairs)
    if not also_grantable:
        # A query on the status would leave out what the sync merely lost sight of.
        asks = [replace(ask, resource_status=ResourceStatus.ACTIVE.value) for ask in asks]
    if len(asks) < len(pairs) or not all(covers(flow.current.document, ask) for ask in asks):
        return f"The access flow {flow.name} no longer gives all of this."
    refused = [ask.refusal for ask in asks if ask.refusal] if also_grantable else []
    return refused[0] if refused else ""
