"""What admins do while things break: revoke all of something, freeze and thaw, declare by two, move people, see drift.

Hands at the target are part of it: access is taken there, and given there, outside the platform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from access_requests import actions
from access_requests.actions import declaring, drifting, emergencies, reconciling
from access_requests.choices import RevocationKind
from access_requests.drift import FindingKind, FindingState
from access_requests.models import AccessGroup, AccessRequest, Declaration, DriftFinding, Freeze
from accounts.actions import groups
from accounts.models import Group, User
from tests.remote.ledger import Ledger
from tests.targets import PostgresServer
from tests.torture.people import Crowd

WHY = "It is part of the exercise."


@dataclass
class Hands:
    """Somebody at the targets, past the platform. What was done is remembered: nothing of it is an anomaly."""

    server: PostgresServer
    ledger: Ledger
    taken: set[str] = field(default_factory=set)
    given: set[tuple[str, str]] = field(default_factory=set)

    def take(self, group: AccessGroup, kind: str) -> None:
        """Take what a grant holds; noted first, for who looks meanwhile."""
        self.taken.add(str(group.pk))
        if kind == "ledger":
            self.ledger.ask("DELETE FROM holds WHERE grant_id = ?", str(group.pk))
        else:
            self.server.run_sql(f'ALTER ROLE "{group.login}" NOLOGIN')

    def give(self, user: User, name: str) -> None:
        """Give somebody a database of the ledger on their own account."""
        self.given.add((str(user.pk), name))
        self.ledger.ask("INSERT INTO standing VALUES (?, ?)", str(user.pk), name)

    def settle(self) -> None:
        """Take back what was given."""
        self.ledger.ask("DELETE FROM standing")


@dataclass
class Admins(Crowd):
    """Two admins, and somebody with hands at the targets."""

    second: User | None = None
    hands: Hands | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    hurts: Callable[[], bool] = bool

    def verbs(self) -> list[Callable[[], str]]:
        """Return what they do, the usual more often than the grave."""
        some = [self.disable, self.enable, self.enable, self.out_of_group, self.into_group, self.into_group]
        some += [self.freeze, *[self.thaw] * 6, self.declare, self.look, self.look]
        some += [self.decide, self.decide, self.grant_again, self.grant_again, self.take_by_hand, self.give_by_hand]
        return [*some, self.revoke, self.revoke, self.revoke_person, self.revoke_place]

    def tidy(self) -> None:
        """Let everybody in again, thaw, and take back what hands gave."""
        for user in self.engineers:
            self.act(lambda user=user: self.enable(user))
            self.act(lambda user=user: self.into_group(user))
        while Freeze.objects.filter(thawed_at__isnull=True).exists():
            self.act(self.thaw)
        self.hands.settle()

    def admin(self) -> User:
        """Return the first admin as they are now."""
        return User.objects.get(pk=self.cast.admin.pk)

    def revoke_person(self) -> str:
        """Revoke everything of somebody."""
        return self._revoke_all(RevocationKind.PERSON, self.engineer())

    def revoke_place(self) -> str:
        """Revoke everything of an integration, a flow, or everywhere."""
        integration = self.rng.choice(self.stories).integration
        if self.rng.random() < 0.15:
            return self._revoke_all(RevocationKind.EVERYWHERE, None)
        if self.rng.random() < 0.5:
            return self._revoke_all(RevocationKind.INTEGRATION, integration)
        row = self.one(state__in=["active", "granting"])
        return self._revoke_all(RevocationKind.FLOW, row.flow_version.flow) if row else ""

    def _revoke_all(self, kind, subject) -> str:
        admin = self.admin()
        row = emergencies.revoke_all(kind, subject, actor=self.by(admin), reason=WHY)
        if row.actor_id == str(admin.pk):
            self.say("revocation.begun", row.pk, admin, once=True)
        return f"revoked all of {kind}"

    def freeze(self) -> str:
        """Freeze an integration, or everything; not for long."""
        integration = self.rng.choice([None, *(story.integration for story in self.stories)])
        frozen = emergencies.freeze(integration, actor=self.by(self.admin()), reason=WHY)
        return self.say("freeze.begun", frozen.pk, self.cast.admin)

    def thaw(self) -> str:
        """Thaw what is frozen."""
        frozen = Freeze.objects.filter(thawed_at__isnull=True).first()
        if frozen is None:
            return ""
        emergencies.thaw(frozen, actor=self.by(self.admin()), reason=WHY)
        return self.say("freeze.thawed", frozen.pk, self.cast.admin)

    def declare(self) -> str:
        """Confirm what was declared, or declare an end that is being worked on; it takes both."""
        waiting = Declaration.objects.filter(state="waiting", request__state="revoking").first()
        if waiting is not None:
            second = User.objects.get(pk=self.second.pk)
            declaring.confirm_end(waiting, user=second, actor=self.by(second))
            return self.say("declaration.confirmed", waiting.request_id, second)
        if (row := self.one(state="revoking")) is None:
            return ""
        admin = self.admin()
        declaring.propose_end(row, user=admin, actor=self.by(admin), reason=WHY)
        self.say("declaration.made", row.pk, admin)
        return self.declare() if self.rng.random() < 0.5 else "declaration.made"

    def out_of_group(self) -> str:
        """Take somebody out of the group that their access comes from."""
        user = self.rng.choice(self.engineers[1:])
        groups.remove_member(Group.objects.get(name="engineers"), user, actor=self.by(self.admin()))
        return "taken out of the group"

    def into_group(self, user: User | None = None) -> str:
        """Put them in again."""
        found = user or self.rng.choice(self.engineers)
        groups.add_member(Group.objects.get(name="engineers"), found, actor=self.by(self.admin()))
        return "put into the group"

    def look(self) -> str:
        """Look for drift now."""
        place = self.rng.choice(self.stories).integration
        reconciling.look_now(type(place).objects.get(pk=place.pk), actor=self.by(self.admin()))
        return "looked for drift"

    def decide(self) -> str:
        """Adopt foreign access, or accept it."""
        rows = DriftFinding.objects.filter(kind=FindingKind.FOREIGN, state=FindingState.OPEN, request=None)
        finding = rows.select_related("integration", "person").first()
        if finding is None:
            return ""
        admin = self.admin()
        if self.rng.random() < 0.7:
            made = drifting.adopt(finding, user=admin, actor=self.by(admin), reason=WHY, seconds=self.rng.randint(3, 9))
            self.say("drift.adopted", finding.pk, admin)
            return f"adopted ({type(made).__name__})"
        drifting.accept(finding, user=admin, actor=self.by(admin), reason=WHY)
        return self.say("drift.accepted", finding.pk, admin)

    def grant_again(self) -> str:
        """Grant again what vanished."""
        rows = DriftFinding.objects.filter(kind=FindingKind.VANISHED, state=FindingState.OPEN)
        finding = rows.select_related("unit__group__request").first()
        if finding is None:
            return ""
        admin = self.admin()
        actions.grant_again(finding.unit.group.request, user=admin, actor=self.by(admin))
        return self.say("drift.granted_again", finding.pk, admin)

    def take_by_hand(self) -> str:
        """Take what an active grant holds at the target, past the platform, and have somebody look."""
        live = AccessRequest.objects.filter(state="active", access_groups__ended_at=None).order_by("-ends_at")[:5]
        if self.hurts() or not (found := list(live)):
            return ""
        group = self.rng.choice(found).access_groups.first()
        self.hands.take(group, self.kinds[str(group.integration_id)])
        self.act(self.look)
        return "took access by hand"

    def give_by_hand(self) -> str:
        """Give somebody something at the target, past the platform."""
        self.hands.give(self.rng.choice(self.engineers), self.rng.choice(["orders", "stock"]))
        return "gave access by hand"
