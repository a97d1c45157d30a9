"""A simulated server, a flow, and two admins who keep envelopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from access_requests.actions import envelopes
from access_requests.actions.standstill import sweep_envelopes
from access_requests.models import AccessRequest, Envelope
from accounts.choices import Role
from accounts.models import Group, User
from tests.cast import Cast, person
from tests.story import Story, begin, flow, simulated_provider

WHY = "Latchkey is down, and orders are lost."


@dataclass
class Safe:
    """Ada prepares, Beth says yes; the paper lies in the safe."""

    story: Story
    beth: User

    @property
    def ada(self) -> User:
        """The admin who prepares."""
        return self.story.cast.admin

    def prepare(self, name: str = "orders_prod", **more: object) -> Envelope:
        """Have Ada propose one."""
        told = {"reason": WHY, "at": self.story.now} | more
        return envelopes.prepare(self.story.pair(name), user=self.ada, actor=self.story.by(self.ada), **told)  # type: ignore[arg-type]

    def ready(self, **more: object) -> Envelope:
        """Have Beth say yes, and the account made."""
        made = self.prepare(**more)
        envelopes.confirm(made, user=self.beth, actor=self.story.by(self.beth), at=self.story.now)
        self.story.work()
        return self.fresh(made)

    def print_out(self, made: Envelope, user: User | None = None) -> dict[str, str]:
        """Have it printed, by Ada unless told otherwise."""
        who = user or self.ada
        return envelopes.print_out(made, user=who, actor=self.story.by(who), at=self.story.now)

    def sealed(self, **more: object) -> Envelope:
        """Have it printed and laid into the safe; the platform is alive."""
        made = self.ready(**more)
        self.print_out(made)
        self.sweep()
        return self.fresh(made)

    def sweep(self, **later: float) -> int:
        """Let time pass, and the sweep of envelopes come; then the others."""
        self.story.now += timedelta(**later)
        done = sweep_envelopes(at=self.story.now)
        self.story.work()
        return done

    def alive(self, minutes: int) -> None:
        """Let time pass with the platform alive."""
        for _ in range(0, minutes, 5):
            self.sweep(minutes=5)

    def fresh(self, made: Envelope) -> Envelope:
        """Return it as it stands in the database."""
        return Envelope.objects.select_related("request__grantee").get(pk=made.pk)

    def held(self, made: Envelope) -> bool:
        """Whether the target says that its account holds something."""
        return bool(self.story.held(made.request.grantee))

    def tell(self, made: Envelope, user: User | None = None, **more: object) -> None:
        """Say that Rita opened it a minute ago."""
        who = user or self.ada
        told = {"opened_by": "Rita", "opened_at": self.story.now, "why": "orders were lost", "at": self.story.now}
        envelopes.tell_opened(made, user=who, actor=self.story.by(who), **(told | more))  # type: ignore[arg-type]


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A simulated server with two databases and one flow that asks the approvers."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        yield told


@pytest.fixture
def safe(story: Story) -> Safe:
    """The two admins."""
    return Safe(story, person("Beth", Role.ADMIN))


@pytest.fixture
def on_call(safe: Safe) -> Group:
    """A group with Rita in it."""
    from tests.story import put_into

    return put_into("on-call", safe.story.cast.requester)


def over(row: AccessRequest) -> tuple[str, str, str]:
    """Return how a request ended."""
    return row.state, row.ended_how, row.end_reason
