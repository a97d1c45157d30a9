"""The story with a simulated target, in short words: what the tests of the lifecycle are written in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from access_requests import actions
from access_requests.models import AccessGroup, AccessRequest, AccessSession
from accounts.models import Group, GroupMembership, User
from audit.actor import Actor, person, system
from audit.choices import Source
from connectors.contract.orders import ResourceFact, Unit
from connectors.registry import BUILT_IN
from flows import actions as flow_actions
from flows.document import digest
from flows.models import AccessFlow, FlowVersion
from integrations import actions as integration_actions
from integrations.models import Integration, Permission, Resource
from tests.cast import Cast
from tests.simulated import TARGETS, Target

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@contextmanager
def simulated_provider() -> Iterator[None]:
    """Let the registry know the simulated provider."""
    folder = Path(__file__).resolve().parent
    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    BUILT_IN._roots, BUILT_IN._manifests = (*before[0], folder), None
    try:
        yield
    finally:
        BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


def database(name: str) -> ResourceFact:
    """Return a database as discover tells of it."""
    return ResourceFact("database", name, name, f"server/{name}", {"env": "prod" if "prod" in name else "dev"})


def unit(name: str, permission: str = "READ_ONLY") -> Unit:
    """Return a unit on a database."""
    return Unit("database", name, permission)


@dataclass
class Story:
    """One integration with a target, a cast, and the time."""

    cast: Cast
    integration: Integration
    target: Target
    now: datetime = NOON

    def by(self, user: User) -> Actor:
        """Return the person acting in the portal."""
        return person(user, Source.PORTAL)

    def work(self) -> int:
        """Run what is due at the story's time, as the timetable would: sweep, orders, news."""
        done = 0
        for _ in range(20):
            step = actions.sweep(at=self.now)
            step += integration_actions.run_until_idle(seconds=10, at=lambda: self.now)
            done += step
            if not step:
                return done
        raise AssertionError("the story does not come to rest")

    def later(self, **delta: float) -> int:
        """Let time pass, then work."""
        self.now += timedelta(**delta)
        integration_actions.expire_leases(at=self.now)
        return self.work()

    def catch_up(self) -> int:
        """Work at the real time: news from the floors below is heard at the time it is told."""
        self.now = timezone.now() + SECOND
        return self.work()

    def pair(self, name: str, permission: str = "READ_ONLY") -> tuple[int, int]:
        """Return an entitlement as the portal names it."""
        resource = Resource.objects.get(integration=self.integration, name=name)
        kind = resource.resource_type
        return resource.pk, Permission.objects.get(resource_type=kind, source_id=permission).pk

    def ask(self, *names: str, user: User | None = None, permission: str = "READ_ONLY", **more: Any) -> AccessRequest:
        """Ask for databases; one request comes of it."""
        asker = user or self.cast.requester
        more.setdefault("justification", "an incident")
        pairs = [self.pair(name, permission) for name in names]
        (request,) = actions.ask(asker, pairs, actor=self.by(asker), at=self.now, **more)
        return request

    def granted(self, *names: str, user: User | None = None, **more: Any) -> AccessRequest:
        """Ask, have it approved if that is wanted, and work until it is settled."""
        request = self.ask(*names, user=user, **more)
        if self.fresh(request).state == "pending":
            self.approve(request)
        self.work()
        return self.fresh(request)

    def approve(self, request: AccessRequest) -> None:
        """Have the approver say yes."""
        approver = self.cast.approver
        actions.approve(request, approver=approver, actor=self.by(approver), at=self.now)

    def fresh(self, request: AccessRequest) -> AccessRequest:
        """Return the request as it stands in the database."""
        return AccessRequest.objects.get(pk=request.pk)

    def group(self, request: AccessRequest) -> AccessGroup:
        """Return the request's only access group."""
        return AccessGroup.objects.get(request=request)

    def session(self, request: AccessRequest) -> AccessSession:
        """Return the request's only session."""
        return AccessSession.objects.get(group__request=request)

    def held(self, user: User | None = None) -> set[Unit]:
        """Return what the target says the person holds through us."""
        return self.target.held_by(str((user or self.cast.requester).pk))


def document(integration: Integration, mode: str = "any_of", **change: Any) -> dict[str, Any]:
    """Return a flow document: engineers may read databases, one of the approvers says yes."""
    groups = [{"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": ["approvers"]}]}]
    base: dict[str, Any] = {
        "requestors": {"conditions": [{"type": "group", "operator": "is", "values": ["engineers"]}]},
        "targets": [
            {
                "integration": str(integration.pk),
                "resource_type": "database",
                "permissions": ["READ_ONLY"],
                "selectors": [],
            }
        ],
        "approval": {"groups": [] if mode == "none" else groups},
    }
    return base | change


def flow(integration: Integration, name: str = "Databases", mode: str = "any_of", **change: Any) -> AccessFlow:
    """Define a flow over the simulated databases."""
    columns = {"name": name, "approval_mode": mode, "grant_duration_minutes": 60} | change.pop("columns", {})
    return flow_actions.define(columns, document(integration, mode, **change), actor=system())


def allow_extensions(flow: AccessFlow, times: int, seconds: int) -> None:
    """Let the flow's current version give extensions."""
    version = FlowVersion.objects.get(pk=AccessFlow.objects.get(pk=flow.pk).current_id)
    version.document["settings"] |= {"max_extensions": times, "extension_seconds": seconds}
    version.save(update_fields=["document"])


def take_factor(flow: AccessFlow) -> None:
    """Let the flow's current version take a second factor of whoever asks."""
    version = FlowVersion.objects.get(pk=AccessFlow.objects.get(pk=flow.pk).current_id)
    version.document["settings"] |= {"mfa_required": True}
    version.save(update_fields=["document"])


def amend(flow: AccessFlow, **change: Any) -> None:
    """Let the flow's current version say something else: parts of its document; settings are added to those there are.

    As rows, for what decides is the version: whoever writes flows is tested elsewhere.
    """
    version = FlowVersion.objects.get(pk=AccessFlow.objects.get(pk=flow.pk).current_id)
    settings = version.document["settings"] | change.pop("settings", {})
    version.document = version.document | change | {"settings": settings}
    version.digest = digest(version.document)
    version.save(update_fields=["document", "digest"])


def asked(*names: str, tier: int = 0, kind: str = "group", operator: str = "or") -> dict[str, Any]:
    """Return an approver group as a version keeps it: the people in one of the groups, or of another kind."""
    conditions = [{"type": kind, "operator": "is", "source": "", "values": [name]} for name in names]
    if not names:
        conditions = [{"type": kind, "operator": "is", "source": "", "values": []}]
    return {"tier": tier, "operator": operator, "conditions": conditions}


def approval(*groups: dict[str, Any], mode: str = "any_of", after: int | None = None) -> dict[str, Any]:
    """Return whose approval a flow takes, as a version keeps it."""
    return {"mode": mode, "groups": list(groups), "escalation_seconds": after}


def put_into(name: str, *users: User) -> Group:
    """Put people into a group, by rows."""
    group, _ = Group.objects.get_or_create(name=name)
    members = [GroupMembership(group=group, user=user) for user in users]
    GroupMembership.objects.bulk_create(members, ignore_conflicts=True)
    return group


def begin(cast: Cast, *names: str) -> Story:
    """Connect a simulated server with some databases, synced, and people in their groups."""
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    integration = integration_actions.connect(
        "Simulated server",
        "simulated",
        config={"hostname": "sim"},
        secrets={"password": "the-connectors-own-password"},
        actor=system(),
        at=NOON,
    )
    target = TARGETS[str(integration.pk)]
    target.databases = [database(name) for name in names or ("orders_prod", "orders_dev")]
    story = Story(cast, integration, target)
    story.work()
    return story
