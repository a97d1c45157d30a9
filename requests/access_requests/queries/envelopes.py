"""Break-glass envelopes: which there are, who sees them, what is owed, and what may be put into one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from access_requests.choices import FINAL, RequestState
from access_requests.models import Envelope
from access_requests.models.envelopes import OWED
from accounts.models import User
from flows import queries as flow_queries
from flows.decision import FlowFacts, Reach
from integrations.models import Integration, Resource
from integrations.queries import Entitlement, entitlements, entitlements_on, has_logins

SEE, KEEP = "requests.view_envelope", "requests.keep_envelope"
# How many resources a search for what to put into an envelope shows.
FOUND_MAX = 30


def envelopes_for(user: User) -> QuerySet[Envelope]:
    """Return the envelopes somebody may see: all, or those whose keepers they are one of."""
    rows = Envelope.objects.select_related(
        "request__flow_version", "request__grantee", "prepared_by", "confirmed_by", "printed_by", "keepers"
    ).prefetch_related("request__access_groups__integration", "request__access_groups__units", "successors")
    if user.has_perm(SEE):
        return rows
    return rows.filter(keepers__memberships__user=user).distinct() if user.is_active else rows.none()


def may_tell(user: User, envelope: Envelope) -> bool:
    """Whether somebody may say that an envelope was opened: an admin, or one of its keepers."""
    if not user.is_active:
        return False
    keeper = envelope.keepers is not None and envelope.keepers.memberships.filter(user=user).exists()
    return user.has_perm(KEEP) or keeper


def is_over() -> Q:
    """Return the condition that an envelope's access is over, or never came to be."""
    return Q(request__state__in=FINAL)


def sealed() -> QuerySet[Envelope]:
    """Return the envelopes that lie in a safe: printed, with access behind them."""
    rows = Envelope.objects.filter(printed_at__isnull=False, request__state=RequestState.ACTIVE)
    return rows.select_related("request__grantee", "request__flow_version").order_by("number")


def owed() -> list[Envelope]:
    """Return the envelopes of which an admin owes an account, the newest first. One query."""
    return list(Envelope.objects.filter(OWED).select_related("request")[:20])


def places() -> list[Integration]:
    """Return the integrations in which an envelope can be made: each grant there gets a login of its own."""
    return [one for one in Integration.objects.order_by("name") if has_logins(one)]


def giving(ask: Entitlement) -> FlowFacts | None:
    """Return the flow in force that gives an entitlement, to whomever it may be; None when none does."""
    flows = (*flow_queries.active_flows(), *flow_queries.automatic_flows().flows)
    found = Reach(flows).covering(ask)
    return min(found, key=lambda one: (one.document["name"], one.version_id), default=None)


def entitlement(pair: tuple[int, int]) -> Entitlement | None:
    """Return the entitlement of a (resource id, permission id), if there is one."""
    return next(iter(entitlements([pair])), None)


def what_fits(integration: Integration, text: str) -> list[Entitlement]:
    """Return what some flow gives in an integration, on resources whose path or name contains `text`."""
    rows: Any = Resource.objects.filter(integration=integration)
    for word in text.split():
        rows = rows.filter(Q(path__icontains=word) | Q(name__icontains=word))
    flows = (*flow_queries.active_flows(), *flow_queries.automatic_flows().flows)
    reach = Reach(flows)
    asks: Iterable[Entitlement] = entitlements_on(rows.order_by("path", "pk").values_list("pk", flat=True)[:FOUND_MAX])
    return [one for one in asks if not one.refusal and reach.gives(one)]
