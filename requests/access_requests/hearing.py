"""What this floor does at news from below. Handlers may hear news twice and late; they ask the present state."""

from __future__ import annotations

from access_requests import actions
from access_requests.actions import telling
from access_requests.choices import EXTENSION_SETTLED, REQUEST_MOVED
from accounts.choices import ChangeKind
from accounts.events import subscribe
from accounts.models import AbstractChange
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


def _request_moved(change: AbstractChange) -> None:
    telling.tell_people(change.subject_id, change.payload["state"])


def _extension_settled(change: AbstractChange) -> None:
    telling.tell_of_extension(change.subject_id)


def subscribe_all() -> None:
    """Subscribe; doing it again changes nothing."""
    subscribe("order.settled", _order_settled)
    subscribe("flow.changed", _flow_changed)
    subscribe(REQUEST_MOVED, _request_moved)
    subscribe(EXTENSION_SETTLED, _extension_settled)
    for kind in ChangeKind:
        subscribe(kind, _people_changed)
