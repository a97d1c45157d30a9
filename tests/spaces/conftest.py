"""A space that covers the databases of development, somebody who manages it, and a server with more than that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.choices import Role, SpaceRole
from accounts.models import User
from audit.actor import Actor, system
from flows.actions import add_member, define_scope, define_space
from flows.models import AccessFlow, AccessScope, Space
from integrations.models import Resource, Tag
from tests.cast import Cast, person
from tests.simulated import TARGETS
from tests.story import Story, begin, document, simulated_provider
from tests.story import flow as account_flow

__all__ = ["Realm", "account_flow"]


@dataclass
class Realm:
    """The space "Payments" with an owner and a manager, and "Other" with a manager of its own."""

    story: Story
    dev: AccessScope
    space: Space
    other: Space
    owner: User
    manager: User
    stranger: User

    def by(self, user: User) -> Actor:
        return self.story.by(user)

    def columns(self, name: str = "Mine", space: Space | None = None, **more: Any) -> dict[str, Any]:
        told = {"name": name, "approval_mode": "any_of", "grant_duration_minutes": 60}
        return told | {"space": str((space or self.space).pk)} | more

    def document(self, **change: Any) -> dict[str, Any]:
        """A flow that asks for every database of the server, whatever the space covers."""
        return document(self.story.integration, **change)

    def flow(self, name: str = "Mine", actor: Actor | None = None, **change: Any) -> AccessFlow:
        from flows.actions import define

        columns = self.columns(name, **change.pop("columns", {}))
        return define(columns, self.document(**change), actor=actor or self.by(self.manager))

    def beyond(self) -> dict[str, Any]:
        """A target that lies beyond the space."""
        return {"kind": "query", "query": 'resource_tag["env"] = "prod"'}


@pytest.fixture
def realm(db: None, cast: Cast) -> Iterator[Realm]:
    TARGETS.clear()
    with simulated_provider():
        story = begin(cast)
        for resource in Resource.objects.filter(integration=story.integration):
            env = "prod" if "prod" in resource.name else "dev"
            Tag.objects.get_or_create(resource=resource, key="env", defaults={"value": env})
        dev = define_scope("Development", 'resource_tag["env"] = "dev"', actor=system())
        space, other = define_space("Payments", [dev], actor=system()), define_space("Other", [dev], actor=system())
        people = [person(name, Role.GRANTEE) for name in ("Olga", "Mona", "Sven")]
        roles = ((space, SpaceRole.OWNER), (space, SpaceRole.MANAGER), (other, SpaceRole.MANAGER))
        for (where, role), one in zip(roles, people, strict=True):
            add_member(where, one, role, actor=system())
        yield Realm(story, dev, space, other, *people)
    TARGETS.clear()
