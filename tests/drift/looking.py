"""Words for stories about drift."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from access_requests import actions
from access_requests.actions import reconciling
from access_requests.drift import FindingState
from access_requests.models import AccessRequest, DriftFinding, ReconcileRun
from accounts.models import User
from audit.actor import system
from connectors.contract.orders import ResourceFact, Unit
from integrations import actions as integration_actions
from integrations.models import Order
from tests.cast import Cast
from tests.simulated import Target
from tests.simulated_accounts import ACCOUNTS, Accounts
from tests.story import NOON, Story, begin, flow, put_into


@dataclass
class Looking(Story):
    """A story in which somebody looks for drift."""

    accounts: Accounts = field(default_factory=Accounts)

    def work(self) -> int:
        """Run what is due, and take reports in as the news of them would."""
        done = 0
        for _ in range(40):
            step = actions.sweep(at=self.now) + integration_actions.run_until_idle(seconds=10, at=lambda: self.now)
            waiting = Order.objects.filter(state="done", absorbed_at__isnull=True, person__isnull=False)
            step += sum(actions.absorb(order) for order in waiting)
            done += step
            if not step:
                return done
        raise AssertionError("the story does not come to rest")

    def ask(self, *names: str, **more: Any) -> AccessRequest:
        """Ask for databases, or for membership in groups."""
        if self.integration.type == "simulated_accounts":
            more.setdefault("permission", "MEMBER")
        return super().ask(*names, **more)

    def look(self, **delta: float) -> ReconcileRun:
        """Let time pass, then look at everybody, to the end."""
        self.later(**(delta or {"minutes": 1}))
        run = reconciling.start(self.integration, "the test", at=self.now)
        self.go_on()
        run.refresh_from_db()
        assert run.finished_at is not None
        return run

    def go_on(self) -> None:
        """Go on with the run until it is done."""
        for _ in range(20):
            reconciling.sweep_drift(at=self.now)
            self.work()
            if not ReconcileRun.objects.filter(finished_at__isnull=True).exists():
                return
        raise AssertionError("the run does not end")

    def findings(self, **narrowed: Any) -> list[DriftFinding]:
        """Return what was found, the first first."""
        return list(DriftFinding.objects.filter(**narrowed).order_by("pk"))

    def finding(self, **narrowed: Any) -> DriftFinding:
        """Return the only thing that was found."""
        (one,) = self.findings(**narrowed)
        return one

    def open(self) -> list[str]:
        """Return what waits for a decision, in words."""
        return [f"{one.kind}: {one}" for one in self.findings(state=FindingState.OPEN)]

    def groups_of(self, user: User | None = None) -> set[str]:
        """Return which groups a person's account is in."""
        return {unit.resource for unit in self.accounts.members[str((user or self.cast.requester).pk)]}

    def put(self, group: str, user: User | None = None) -> None:
        """Put a person's account into a group, by hand."""
        self.accounts.members[str((user or self.cast.requester).pk)].add(member(group))

    def take(self, group: str, user: User | None = None) -> None:
        """Take a person's account out of a group, by hand."""
        self.accounts.members[str((user or self.cast.requester).pk)].discard(member(group))


def member(group: str) -> Unit:
    """Return membership in a group as a unit."""
    return Unit("group", group, "MEMBER")


def begin_logins(cast: Cast) -> Looking:
    """Connect the simulated server."""
    told = begin(cast)
    flow(told.integration)
    return Looking(cast, told.integration, told.target, told.now)


def begin_accounts(cast: Cast) -> Looking:
    """Connect the simulated directory."""
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    integration = integration_actions.connect(
        "Directory",
        "simulated_accounts",
        config={"hostname": "sim"},
        secrets={"password": "the-connectors-own-password"},
        actor=system(),
        at=NOON,
    )
    target = ACCOUNTS[str(integration.pk)]
    target.groups = [ResourceFact("group", name, name, f"directory/{name}") for name in ("admins", "readers", "ghosts")]
    told = Looking(cast, integration, Target(), NOON, target)
    told.work()
    here = {"integration": str(integration.pk), "resource_type": "group", "permissions": ["MEMBER"], "selectors": []}
    flow(integration, name="Groups", targets=[here])
    return told
