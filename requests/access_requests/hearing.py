"""What this floor does at news from below. Handlers may hear news twice and late; they ask the present state."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from access_requests import actions, foretelling
from access_requests.actions import automatic, glass, letters, routing
from access_requests.automatic import held_through
from access_requests.choices import (
    EXTENSION_SETTLED,
    GLASS_BROKEN,
    ICONS,
    OPEN,
    REQUEST_MOVED,
    REVIEWED,
    RequestState,
)
from access_requests.models import AccessRequest
from access_requests.queries.concerned import concerned
from accounts.choices import ChangeKind
from accounts.events import subscribe
from accounts.models import AbstractChange, User
from flows import events as flow_events
from flows.choices import RUN_ASKED
from integrations.models import Order


def _order_settled(change: AbstractChange) -> None:
    order = Order.objects.filter(pk=change.subject_id).select_related("integration").first()
    if order is not None:
        actions.absorb(order)


def _people_changed(change: AbstractChange) -> None:
    users = change.payload.get("users", ())
    if change.kind == ChangeKind.PERSON_DISABLED:
        for person in User.objects.filter(pk__in=users):
            actions.off_board(person)
    # Most news is of people with nothing open, and one piece may name a thousand. What a new person asked for since
    # was decided by what they are.
    some = [] if change.payload.get("new") else concerned(users)
    for user_id in some:
        actions.recheck_person(user_id)
    if some:
        routing.route_about(some)
    automatic.people_changed(users)


def _flow_changed(change: AbstractChange) -> None:
    actions.recheck_flow(change.subject_id)
    automatic.flow_changed(change.subject_id)


def _run_asked(change: AbstractChange) -> None:
    automatic.flow_changed(change.subject_id)


def _inventory_changed(change: AbstractChange) -> None:
    actions.recheck_integration(change.subject_id)
    automatic.inventory_changed(change.subject_id)


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


def _badge(row: AccessRequest) -> flow_events.Badge:
    return flow_events.Badge(row.tone, ICONS[RequestState(row.state)], row.word)


def _holders(flow: uuid.UUID, at_most: int) -> flow_events.Holders:
    """Return who holds through an automatic flow, the first by name."""
    rows = held_through(flow)
    people = rows.aggregate(people=Count("grantee", distinct=True))["people"]
    first = User.objects.filter(pk__in=rows.values("grantee")).order_by("name", "pk")[:at_most] if at_most else ()
    held = rows.filter(grantee__in=[user.pk for user in first]).order_by("-pk") if first else ()
    oldest = {row.grantee_id: row for row in held}
    named = [
        flow_events.Holder(user.name, user.email, row.requested_at, _badge(row), row.pk)
        for user in first
        if (row := oldest.get(user.pk))
    ]
    return flow_events.Holders(people, tuple(named))


def subscribe_all() -> None:
    """Subscribe; doing it again changes nothing."""
    flow_events.find_holders_with(_holders)
    flow_events.count_with(live=_live, recent=_recent)
    flow_events.foretell_with(ending=foretelling.ending, asked=foretelling.asked, links=foretelling.links)
    subscribe("order.settled", _order_settled)
    subscribe("flow.changed", _flow_changed)
    subscribe(RUN_ASKED, _run_asked)
    subscribe("inventory.changed", _inventory_changed)
    subscribe(GLASS_BROKEN, _glass_broken)
    subscribe(REVIEWED, _reviewed)
    subscribe(REQUEST_MOVED, _request_moved)
    subscribe(EXTENSION_SETTLED, _extension_settled)
    for kind in ChangeKind:
        subscribe(kind, _people_changed)
