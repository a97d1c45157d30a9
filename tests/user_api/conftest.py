"""A story with a simulated target, told through people's programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from access_requests import actions as requests
from accounts import actions
from accounts.choices import Role
from audit.actor import person
from audit.choices import Source
from flows.models import AccessFlow
from integrations.models import Order
from tests.api.conftest import counted_afresh
from tests.cast import Cast
from tests.story import Story, begin, flow, simulated_provider
from tests.user_api.calling import Caller

__all__ = ["counted_afresh"]


@dataclass
class Desk:
    """The story, and the program of each of its people."""

    story: Story
    flow: AccessFlow
    rita: Caller
    abel: Caller
    otto: Caller
    ada: Caller

    def wanted(self, name: str = "orders_prod", **change: Any) -> dict[str, Any]:
        """Return a new request for a database, by our ids."""
        resource, permission = self.story.pair(name)
        one = {"resource_id": str(resource), "permission_id": str(permission)}
        return {"entitlements": [one], "justification": "an incident", "custom_fields": {}} | change

    def settle(self) -> None:
        """Let orders run, and take in what they report, as happens after each commit."""
        self.story.catch_up()
        for order in Order.objects.filter(absorbed_at__isnull=True):
            requests.absorb(order)

    def older(self, *names: str, **change: Any) -> dict[str, Any]:
        """Return a new request of Rita's as older programs send it, by the target's own words."""
        return {
            "user_id": str(self.story.cast.requester.pk),
            "integration_id": str(self.story.integration.pk),
            "resource_ids": list(names or ("orders_prod",)),
            "permissions": ["READ_ONLY"],
            "justification": "an incident",
        } | change


@pytest.fixture
def desk(db: None, cast: Cast) -> Iterator[Desk]:
    """Rita may ask for databases of a simulated server, Abel approves, Ada is admin, Otto has no part in it."""
    with simulated_provider():
        story = begin(cast)
        made = flow(story.integration)
        # Programs ask at the real time.
        story.now = timezone.now()
        callers = (Caller(one) for one in (cast.requester, cast.approver, cast.outsider, cast.admin))
        yield Desk(story, made, *callers)


def service(cast: Cast, *roles: Role, scopes: list[str] | None = None) -> Caller:
    """Return a service's program."""
    made = actions.create_service("Watcher", roles=roles, actor=person(cast.admin, Source.PORTAL))
    return Caller(made, scopes, by=cast.admin)
