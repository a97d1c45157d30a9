"""A small organisation with requests in every state, for looking at pages. Made by rows and actions, not by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from access_requests import actions
from access_requests.choices import UnitState
from access_requests.models import AccessRequest, DriftFinding, Look, ReconcileRun
from audit.actor import person
from audit.choices import Source
from flows.actions import define_webhook
from flows.models import AccessFlow
from integrations.models import Integration
from tests.browser.furniture import policy_in_full
from tests.cast import Cast
from tests.portal import making

HOUR = timedelta(hours=1)
NAMES = ("orders", "ledger", "ledger_archive", "billing", "customers")


@dataclass(frozen=True)
class World:
    """What is there to look at: requests by what is to be seen in them."""

    cast: Cast
    integration: Integration
    flow: AccessFlow
    active: AccessRequest
    waiting: AccessRequest
    overdue: AccessRequest
    proven: AccessRequest
    rejected: AccessRequest


def furnish(cast: Cast) -> World:
    """Make an integration, flows with all they can be, and requests of Rita's and Abel's."""
    now = datetime.now(UTC)
    shop = making.integration("payments-prod", NAMES)
    flow = making.flow(shop, cast.requester, cast.approver, selectors=_only("orders", "ledger", "billing"))
    making.flow(
        shop, cast.requester, name="Archive, read", permissions=("READ_ONLY",), selectors=_only("ledger_archive")
    )
    making.flow(shop, cast.approver, cast.requester, name="Customers", selectors=_only("customers"))
    rita, abel = cast.requester, cast.approver

    def asked(*names: str, hours_ago: float = 0, **rest: object) -> AccessRequest:
        return making.ask(rita, *names, at=now - hours_ago * HOUR, **rest)

    def held(*names: str, hours_ago: float = 0, **rest: object) -> AccessRequest:
        access = making.approved(asked(*names, hours_ago=hours_ago, **rest), abel, "looks right")
        return making.active(access, at=now - hours_ago * HOUR)

    proven = making.ended(held("billing", hours_ago=30), due_at=now - 29 * HOUR)
    overdue = making.ending(held("billing", hours_ago=3), due_at=now - 2 * HOUR, overdue=True)
    active = held("orders", "ledger", hours_ago=0.3)
    waiting = asked("ledger", permission="READ_WRITE", why="INC-4822: postings of 21 Nov are missing")
    rejected = asked("orders", permission="READ_WRITE", hours_ago=5)
    actions.reject(
        rejected, approver=abel, actor=person(abel, Source.PORTAL), reason="use the archive", at=now - 4 * HOUR
    )
    making.ask(abel, "customers", why="a customer called")
    failed = held("orders", hours_ago=50)
    failed.access_groups.get().units.update(state=UnitState.FAILED, message="The database does not exist any more.")
    making.ended(failed, due_at=now - 49 * HOUR)
    hook = {"name": "Change ticket", "url": "https://tickets.example.com/ask", "body": {"id": "{{ request.id }}"}}
    webhook = define_webhook(hook, secrets={"header:X-Key": "a key"}, actor=person(cast.admin, Source.ADMIN))
    policy_in_full(cast, shop, webhook, now)
    _drift(cast, active, now)
    return World(
        cast,
        shop,
        flow,
        *(AccessRequest.objects.get(pk=one.pk) for one in (active, waiting, overdue, proven, rejected)),
    )


def _drift(cast: Cast, active: AccessRequest, now: datetime) -> None:
    """Some of Rita's access has vanished, some of hers came from elsewhere; a run goes on."""
    group = active.access_groups.get()
    missing = group.units.order_by("pk").first()
    assert missing is not None
    common = {"integration": group.integration, "before_at": now - 7 * HOUR, "first_seen_at": now - HOUR}
    named = {
        "resource_type": missing.resource_type,
        "resource": missing.resource_source_id,
        "permission": missing.permission_source_id,
        "resource_name": missing.resource_path,
        "permission_name": missing.permission_name,
    }
    said = {"message": "The target does not have it.", "login": "lk_rita_9f1c4e2b77aa"}
    DriftFinding.objects.create(kind="vanished", person=cast.requester, unit=missing, **common, **named, **said)
    DriftFinding.objects.create(kind="foreign", person=cast.requester, login="rita", **common, **named)
    Look.objects.create(integration=group.integration, person=cast.requester, first_at=now, last_at=now - HOUR)
    finished = {"looked": 2, "total": 3, "failed": 1, "started_at": now - HOUR, "finished_at": now - HOUR}
    ReconcileRun.objects.create(integration=group.integration, why="the clock", vanished=1, foreign=1, **finished)
    ReconcileRun.objects.create(integration=group.integration, why="Ada asked for it", total=4, looked=1)


def _only(*names: str) -> tuple[dict[str, object], ...]:
    return ({"mode": "include_resources", "type": "name", "values": list(names)},)
