"""Policy in full, for looking at pages: one of everything that flows, people and requests can be. By actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.test import override_settings

from access_requests.actions import automatic
from access_requests.automatic import HELD
from access_requests.models import AccessRequest
from accounts import actions as people
from accounts import factors
from accounts.choices import Role
from accounts.models import User
from audit.actor import person as by
from audit.choices import Source
from flows import actions
from flows.choices import PolicyKind
from flows.models import AccessFlow, Webhook
from integrations.models import Integration, Tag
from tests.automatic.giving import automatic_flow, named, target
from tests.cast import Cast, person
from tests.portal import making
from tests.story import SECOND, asked

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DAY = timedelta(days=1)
WHOLE, BY_ITSELF = "Customers, in full", "Archive, by itself"
# Not `env`: that one is for the tests of queries to give.
PRODUCTION = ("zone", "production")
WINDOW = {"start": "08:00", "end": "18:00", "days": ["MONDAY", "TUESDAY"], "time_zone": "Europe/Berlin"}
FIELDS = [
    {"key": "system", "label": "Which system", "kind": "choice", "required": True, "choices": ["Shop", "Warehouse"]},
    {"key": "until", "label": "Until when", "kind": "date", "required": False},
]


def only(user: User) -> dict[str, Any]:
    """Return who is meant: one person."""
    condition = {"type": "user", "operator": "is", "source": "", "values": [user.email]}
    return {"operator": "or", "conditions": [condition]}


def policy_in_full(cast: Cast, shop: Integration, hook: Webhook, now: datetime) -> None:
    """Add a scope, flows with everything in them, a proposal, and what people and requests become by them."""
    dana = person("Dana", Role.GRANTEE)
    User.objects.filter(pk=dana.pk).update(manager=cast.requester)
    _scope(cast)
    _whole_flow(cast, shop, hook)
    _emergencies(cast, shop, dana, now)
    _automatic(cast, shop, now)
    _people(cast, now)
    _proposal(cast, shop)


def also(who: str) -> list[str]:
    """Return pages of kinds that are walked already, which look otherwise: the walk opens one page of each kind."""
    broken, given = AccessRequest.objects.get(break_glass=True), AccessRequest.objects.get(automatic=True)
    requests = [f"/requests/{one.pk}/" for one in (broken, AccessRequest.objects.get(grantee__name="Dana"), given)]
    if who == "requester":
        return ["/requests/why-not/?q=customers", *requests[:2]]
    if who == "approver":
        return requests
    flows = [AccessFlow.objects.get(name=name).pk for name in (WHOLE, BY_ITSELF)]
    why = "/admin/flows/accessflow/why/?person=otto@example.com&resource=billing"
    return [*(f"/admin/flows/accessflow/{one}/change/" for one in flows), why, *requests]


def _scope(cast: Cast) -> None:
    ada = by(cast.admin, Source.ADMIN)
    scope = actions.define_scope("Reading", 'permission = "READ_ONLY"', actor=ada)
    narrower = 'permission = "READ_ONLY" and resource_name starts_with "led"'
    actions.define_scope("Reading the ledger", narrower, actor=ada, scope=scope, description="For audits.")


def _whole_flow(cast: Cast, shop: Integration, hook: Webhook) -> AccessFlow:
    """Define a flow with tiers, a window, fields, a check and break-glass, twice: two versions are to be compared."""
    columns = {
        "name": WHOLE, "description": "Everything a flow can say.", "grant_duration_minutes": 240,
        "approval_mode": "any_of", "escalation_minutes": 30, "break_glass": True, "mfa_required": True,
        "ticket_pattern": "(INC|CHG)-[0-9]{1,8}", "fields": FIELDS, "labels": ["prod", "audit"],
        "max_extensions": 2, "extension_minutes": 60, "request_for": ["self", "direct_reports"],
    }  # fmt: skip
    document = {
        "requestors": only(cast.requester),
        "targets": [
            target(shop, permissions=["ADMIN"], selectors=named("customers")),
            {"kind": "query", "query": 'resource_name = "customers" and permission = "READ_WRITE"'},
        ],
        "approval": {"groups": [asked(cast.approver.email, kind="user"), asked(cast.admin.email, kind="user", tier=1)]},
        "timeframe": WINDOW,
        "checks": [str(hook.pk)],
    }
    ada = by(cast.admin, Source.ADMIN)
    flow = actions.define(columns, document, actor=ada)
    return actions.define({"grant_duration_minutes": 120}, document, actor=ada, flow=flow)


def _emergencies(cast: Cast, shop: Integration, dana: User, now: datetime) -> None:
    """Break the glass of one flow, which owes a review, and ask by it for a direct report."""
    rita = cast.requester
    making.flow(
        shop, rita, cast.approver, name="Billing, emergencies", permissions=("ADMIN",),
        selectors=tuple(named("billing")), break_glass=True, request_for=["self", "direct_reports"],
    )  # fmt: skip
    why = "INC-4830: nobody can pay"
    broken = making.ask(rita, "billing", permission="ADMIN", why=why, at=now, break_glass=True)
    making.active(broken, at=now)
    making.ask(rita, "billing", permission="ADMIN", why="Dana is on call from tonight", at=now, grantee=dana)


def _automatic(cast: Cast, shop: Integration, now: datetime) -> None:
    """Define a flow that gives by itself, let it, and have one holder hold it."""
    archive = target(shop, selectors=named("ledger_archive"))
    automatic_flow(shop, BY_ITSELF, requestors=only(cast.approver), targets=[archive])
    automatic.sweep_runs(at=now + SECOND)
    making.active(AccessRequest.objects.get(automatic=True, state__in=HELD), at=now + SECOND)


def _people(cast: Cast, now: datetime) -> None:
    """Give Abel a second factor and a stand-in, and let the admin invite somebody from outside."""
    abel, ada = cast.approver, cast.admin
    actor = by(abel, Source.PORTAL)
    people.add_app(abel, SECRET, factors.code_of(SECRET, now), actor=actor, at=now)
    people.delegate(abel, cast.outsider, now, now + DAY, actor=actor, at=now)
    people.invite("vera@vendor.example", "Vera", now + 30 * DAY, actor=by(ada, Source.PORTAL), note="Audit", at=now)


def _proposal(cast: Cast, shop: Integration) -> None:
    """Propose what takes two: production for everyone without approval. Another admin is there to say yes."""
    person("Bea", Role.ADMIN)
    key, value = PRODUCTION
    Tag.objects.create(resource=shop.resources.get(name="billing"), type="database", key=key, value=value)
    everyone = {"type": "user", "operator": "contains", "source": "", "values": ["@"]}
    document = {
        "requestors": {"operator": "or", "conditions": [everyone]},
        "targets": [target(shop, selectors=named("billing"))],
        "approval": {"groups": []},
    }
    columns = {"name": "Billing for all", "approval_mode": "none", "grant_duration_minutes": 60}
    told = {"columns": columns, "document": document}
    with override_settings(PRODUCTION_TAGS=[PRODUCTION], FOUR_EYES=True):
        wanted = actions.Wanted("define", PolicyKind.FLOW, "Billing for all", told)
        actions.propose(wanted, actor=by(cast.admin, Source.ADMIN))
