"""The main job on any provider: connect, sync, ask, approve, use, lose access, and the target as it was.

Knows nothing of the target but what `connectors.vet.live.Live` tells, and nothing of who runs the orders but how to let
them work.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access_requests import actions
from access_requests.choices import CredentialsStatus
from access_requests.models import AccessGroup, AccessRequest, AccessSession, Proof
from accounts.choices import Role
from accounts.models import Attribute, RoleAssignment, User
from audit.actor import Actor, person, system
from audit.choices import Source
from connectors.contract.orders import Unit
from connectors.registry import BUILT_IN
from connectors.vet.live import Live
from flows import actions as flow_actions
from integrations import actions as integration_actions
from integrations.models import Connector, Integration, Permission, Resource
from tests.cast import Cast
from tests.story import document, put_into

Shown = tuple[dict[str, Any], dict[str, str]]


@dataclass
class MainJob:
    """One provider's target, one person, and the time.

    `work` lets everything that is due be done, at the time it is given; it returns when nothing is left to do.
    """

    provider: str
    live: Live
    cast: Cast
    work: Callable[[datetime], object]
    connector: Connector | None = None
    # Starts one more worker, where workers run the orders.
    again: Callable[[], object] = bool
    # At the real time nothing can be made to pass: others do the work, by their own clocks.
    real_time: bool = False
    told: datetime = field(default_factory=timezone.now)

    @property
    def now(self) -> datetime:
        """Return the time of the story."""
        return timezone.now() if self.real_time else self.told

    def connect(self) -> Integration:
        """Connect the target, let its inventory be read, and write a flow over what the target offers."""
        self.user = self._person()
        self.integration = integration_actions.connect(
            f"The {self.provider} {uuid.uuid4().hex[:8]}",
            self.provider,
            config=self.live.config,
            secrets=self.live.secrets,
            connector=self.connector,
            settings={"enabled_types": self._types(), "cleanup_days": 0},
            actor=system(),
            at=self.now,
        )
        self.work(self.now)
        self.integration.refresh_from_db()
        assert self.integration.status in {"active", "warning"}, self.integration.status_reason
        self._write_flow()
        return self.integration

    def _types(self) -> list[str]:
        """Return the types to find, where they are known beforehand: the defaults, and those that are asked for."""
        wanted = {unit.resource_type for unit in self.live.units}
        kinds = BUILT_IN.manifest(self.provider).resource_types
        return [kind.id for kind in kinds if not kind.optional or kind.id in wanted]

    def _person(self) -> User:
        """Make the person whom the target may know."""
        put_into("approvers", self.cast.approver)
        told = self.live.person
        User.objects.filter(email__in=told.aliases).update(email=f"earlier-{uuid.uuid4()}@example.com", is_active=True)
        email = next(alias for alias in told.aliases if "@" in alias)
        user = User.objects.create(email=email, name=told.name)
        RoleAssignment.objects.create(user=user, role=Role.GRANTEE)
        for kind, values in told.attributes.items():
            Attribute.objects.bulk_create(Attribute(user=user, type=kind, value=value) for value in values)
        put_into("engineers", user)
        return user

    def _write_flow(self) -> None:
        targets = [
            {
                "integration": str(self.integration.pk),
                "resource_type": unit.resource_type,
                "permissions": [unit.permission],
                "selectors": [],
            }
            for unit in dict.fromkeys(Unit(unit.resource_type, "", unit.permission) for unit in self.live.units)
        ]
        columns = {"name": f"Flow of {self.integration.name}", "approval_mode": "any_of", "grant_duration_minutes": 60}
        flow_actions.define(columns, document(self.integration, targets=targets), actor=system())

    def by(self, user: User) -> Actor:
        """Return somebody acting in the portal."""
        return person(user, Source.PORTAL)

    def ask(self) -> AccessRequest:
        """Ask for every unit of the target, have it approved, and let it be granted."""
        pairs = [self._pair(unit) for unit in self.live.units]
        (request,) = actions.ask(self.user, pairs, actor=self.by(self.user), justification="an incident", at=self.now)
        approver = self.cast.approver
        actions.approve(request, approver=approver, actor=self.by(approver), at=self.now)
        self.work(self.now)
        return AccessRequest.objects.get(pk=request.pk)

    def _pair(self, unit: Unit) -> tuple[int, int]:
        resource = Resource.objects.get(
            integration=self.integration, resource_type__type=unit.resource_type, source_id=unit.resource
        )
        return resource.pk, Permission.objects.get(resource_type=resource.resource_type, source_id=unit.permission).pk

    def shown(self, request: AccessRequest) -> Shown:
        """Return what the grantee is shown: the details, and the credentials, once."""
        session = AccessSession.objects.get(group__request=request)
        if session.credentials_status != CredentialsStatus.AVAILABLE:
            return session.details, {}
        return session.details, actions.take_credentials(session, user=self.user, actor=self.by(self.user), at=self.now)

    def reaches(self, shown: Shown) -> set[Unit]:
        """Return what the grantee can use at the target."""
        return {unit for unit in self.live.units if self.live.reaches(unit, *shown)}

    def hand_back(self, request: AccessRequest) -> AccessRequest:
        """Say "I'm done" and let it be taken away."""
        actions.hand_back(request, user=self.user, actor=self.by(self.user), at=self.now)
        self.work(self.now)
        return AccessRequest.objects.get(pk=request.pk)

    def expire(self, request: AccessRequest) -> AccessRequest:
        """Let the time pass until it is over, and a little more."""
        self.later(hours=1, seconds=1)
        return AccessRequest.objects.get(pk=request.pk)

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.told += timedelta(**delta)
        self.work(self.now)

    def clean_up(self) -> None:
        """Let what was left behind be removed."""
        self.told += timedelta(seconds=1)
        actions.sweep_cleanups(at=self.now)
        self.work(self.now)

    def proven(self, request: AccessRequest) -> bool:
        """Say whether the record holds the proof of every end."""
        groups = AccessGroup.objects.filter(request=request)
        return (
            request.state == "revoked"
            and request.ended_how == "proven"
            and all(Proof.objects.filter(group=group, found=[]).exists() for group in groups)
        )
