"""From an empty installation to the first grant, in three steps. What is done is read from what is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.queries.figures import anybody_was_granted
from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from config.models import SkippedStep
from flows.models import AccessFlow
from integrations.choices import ConnectorHealth, IntegrationStatus
from integrations.models import Integration
from integrations.queries import connectors

MAY = "integrations.add_integration"
CONNECTOR, INTEGRATION, FLOW = "connector", "integration", "flow"
STEPS = (CONNECTOR, INTEGRATION, FLOW)
AUDIT_ACTIONS = {
    "first_steps.skipped": "A first step was skipped",
    "first_steps.resumed": "The first steps were taken up again",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is, how it stands in words, and the address (a name) where it is taken."""

    id: str
    title: str
    words: str
    done: bool
    skipped: bool
    button: str
    address: str


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """All three, and which of them is next (None when none is left)."""

    steps: tuple[Step, ...]
    next: Step | None
    granted: bool

    @property
    def taken(self) -> int:
        """How many are done."""
        return sum(step.done for step in self.steps)

    @property
    def complete(self) -> bool:
        """Whether there is nothing more to lead anybody to: all done, and somebody has had access."""
        return self.granted and self.taken == len(self.steps)

    @property
    def shown(self) -> bool:
        """Whether the overview shows them: until somebody has had access, unless all that is left was skipped."""
        return not self.granted and (self.next is not None or self.taken == len(self.steps))

    @property
    def any_skipped(self) -> bool:
        """Whether there is something to take up again."""
        return any(step.skipped and not step.done for step in self.steps)


def look(at: datetime) -> FirstSteps:
    """Return how the first steps stand at the moment."""
    skipped = set(SkippedStep.objects.values_list("step", flat=True))
    steps = tuple(
        Step(id_, title, words, done, id_ in skipped, button, address)
        for (id_, title, words, done), button, address in (
            (_connector(at), "Look at the connectors", "admin:integrations_connector_changelist"),
            (_integration(), "Connect a system", "admin:integrations_integration_add"),
            (_flow(), "Write an access flow", "admin:flows_accessflow_add"),
        )
    )
    following = next((step for step in steps if not step.done and not step.skipped), None)
    return FirstSteps(steps, following, anybody_was_granted())


def _connector(at: datetime) -> tuple[str, str, str, bool]:
    found = connectors(at)
    alive = [one.connector.name for one in found if one.health in {ConnectorHealth.WELL, ConnectorHealth.MIXED}]
    if alive:
        return CONNECTOR, "The connector is there", f"{', '.join(alive[:3])} answers, and waits for work.", True
    silent = "None has been heard of yet: it starts with the worker." if not found else "It has gone silent."
    return CONNECTOR, "The connector is there", f"{silent} Start the worker (script/up starts one by itself).", False


def _integration() -> tuple[str, str, str, bool]:
    title, rows = "Connect a system", Integration.objects.exclude(status=IntegrationStatus.DISABLED)
    synced = rows.filter(synced_at__isnull=False).first()
    if synced is not None:
        return INTEGRATION, title, f"{synced.name} is connected and has been read.", True
    waiting = rows.first()
    if waiting is not None:
        reason = waiting.status_reason or "Its first sync is under way."
        return INTEGRATION, title, f"{waiting.name} is connected. {reason}", False
    words = "Choose it in the catalogue. The connection is tested before anything is saved."
    return INTEGRATION, title, words, False


def _flow() -> tuple[str, str, str, bool]:
    title = "Write an access flow"
    active = AccessFlow.objects.filter(active=True, current__isnull=False).first()
    if active is not None:
        return FLOW, title, f"{active.name} says who may get what.", True
    return (
        FLOW,
        title,
        "It says who may ask for what, for how long, and who approves. Without one nobody gets in.",
        False,
    )


def skip(step: str, *, actor: Actor, at: datetime | None = None) -> None:
    """Leave a step out on this installation. Raises LookupError for a step there is not."""
    require(actor, MAY)
    if step not in STEPS:
        raise LookupError(step)
    moment = at or timezone.now()
    with transaction.atomic():
        _, new = SkippedStep.objects.get_or_create(step=step, defaults={"at": moment})
        if new:
            subject = Subject("first_step", step, step)
            record("first_steps.skipped", actor=actor, subject=subject, at=moment)


def resume(*, actor: Actor, at: datetime | None = None) -> None:
    """Take up again what was skipped."""
    require(actor, MAY)
    with transaction.atomic():
        gone, _ = SkippedStep.objects.all().delete()
        if gone:
            subject = Subject("first_step", "all", "first steps")
            record("first_steps.resumed", actor=actor, subject=subject, at=at or timezone.now())
