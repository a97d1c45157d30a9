"""What this floor does at news from below. Handlers may hear news twice and late; they ask the present state."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from access_requests import actions
from access_requests.actions import glass, letters
from access_requests.choices import EXTENSION_SETTLED, GLASS_BROKEN, OPEN, REQUEST_MOVED, REVIEWED, RequestState
from access_requests.models import AccessRequest
from accounts.choices import ChangeKind
from accounts.events import subscribe
from accounts.models import AbstractChange
from flows import events as flow_events
from integrations.models import Order


def _order_settled(change: AbstractChange) -> None:
    order = Order.objects.filter(pk=change.subject_id).select_related("integration").first()
    if order is not None:
        actions.absorb(order)


def _people_changed(change: AbstractChange) -> None:
    for user_id in change.payload.get("users", ()):
        actions.recheck_person(user_id)


def _flow_changed(change: AbstractChange) -> None:
    actions.recheck_flow(change.subject_id)


def _inventory_changed(change: AbstractChange) -> None:
    actions.recheck_integration(change.subject_id)


def _request_moved(change: AbstractChange) -> None:
    letters.tell_people(change.subject_id, change.payload["state"])


def _extension_settled(change: AbstractChange) -> None:
    letters.tell_of_extension(change.subject_id)


def _glass_broken(change: AbstractChange) -> None:
    glass.tell_of_glass(change.subject_id)


def _reviewed(change: AbstractChange) -> None:
    glass.tell_of_review(change.subject_id)


def _live(flows: flow_events.Ids) -> dict[uuid.UUID, int]:
    """Count what would end with each flow: requests on their way to access, or holding it."""
    return _by_flow(flows, state__in=set(OPEN) - {RequestState.REVOKING})


def _recent(flows: flow_events.Ids) -> dict[uuid.UUID, int]:
    """Count the requests of the last 90 days."""
    return _by_flow(flows, requested_at__gte=timezone.now() - timedelta(days=90))


def _by_flow(flows: flow_events.Ids, **narrowed: object) -> dict[uuid.UUID, int]:
    rows = AccessRequest.objects.filter(flow_version__flow__in=list(flows), **narrowed).order_by()
    return dict(rows.values_list("flow_version__flow").annotate(number=Count("pk")))


def subscribe_all() -> None:
    """Subscribe; doing it again changes nothing."""
    flow_events.count_with(live=_live, recent=_recent)
    subscribe("order.settled", _order_settled)
    subscribe("flow.changed", _flow_changed)
    subscribe("inventory.changed", _inventory_changed)
    subscribe(GLASS_BROKEN, _glass_broken)
    subscribe(REVIEWED, _reviewed)
    subscribe(REQUEST_MOVED, _request_moved)
    subscribe(EXTENSION_SETTLED, _extension_settled)
    for kind in ChangeKind:
        subscribe(kind, _people_changed)
