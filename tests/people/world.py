"""A directory connected to Latchkey, in short words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from integrations import actions
from integrations.models import Directory, Integration, Order, SyncRun
from tests.cast import Cast

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Connected:
    """A directory, the cast, and the time."""

    cast: Cast
    integration: Integration
    now: datetime = NOON

    @property
    def admin(self) -> Actor:
        """Return the admin at the admin site."""
        return person(self.cast.admin, Source.ADMIN)

    @property
    def settings(self) -> Directory:
        """Return the settings as stored."""
        return Directory.objects.get(integration=self.integration)

    def read(self) -> SyncRun:
        """Read what the directory tells, and take nothing over yet."""
        actions.sync(self.integration, actor=self.admin, at=self.now)
        actions.run_until_idle(seconds=10, at=lambda: self.now)
        return self.run()

    def sync(self) -> SyncRun:
        """Read and take over."""
        self.read()
        actions.sweep_people(at=lambda: self.now)
        return self.run()

    def run(self) -> SyncRun:
        """Return the latest run as stored."""
        return SyncRun.objects.filter(integration=self.integration).latest("pk")

    def order(self) -> Order:
        """Return the order of the latest run."""
        return self.run().order

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


def connected(cast: Cast, type_: str, config: dict[str, Any], secrets: dict[str, str], name: str) -> Connected:
    """Connect a directory; nothing has run yet."""
    actor = person(cast.admin, Source.ADMIN)
    integration = actions.connect(name, type_, config=config, secrets=secrets, actor=actor, at=NOON)
    return Connected(cast, integration)


def user(name: str) -> User:
    """Return somebody as stored."""
    return User.objects.get(email=f"{name}@example.com")


def groups_of(name: str) -> set[str]:
    """Return the names of somebody's groups."""
    return set(user(name).groups.values_list("name", flat=True))


def attributes_of(name: str) -> set[tuple[str, str]]:
    """Return what is known of somebody."""
    return set(user(name).attributes.values_list("type", "value"))


def everybody() -> Iterator[str]:
    """Yield the addresses of who may sign in."""
    yield from User.objects.filter(is_active=True).order_by("email").values_list("email", flat=True)
