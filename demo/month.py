"""A month of asking: each person asks, answers, uses and gives back at their own time.

Whatever is asked, answered, granted and ended goes through the product's own actions, which take the time as an
argument; the systems are simulated (demo/providers/simulated), so that their past can be told, too.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from access_requests import actions
from access_requests.choices import FINAL, ApprovalStatus, ExtensionState, RequestState
from access_requests.models import AccessRequest, AccessSession, Approval
from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from demo.events import Events
from demo.people import ADMIN
from demo.plans import Answer, End, Plan
from integrations.models import Permission, Resource

YES = ("", "", "ok", "Fine, thanks for the ticket", "go ahead", "Looks right")
MORE = ("Not finished yet", "One more hour, it is nearly done", "The load takes longer than I thought")
NO = ("Use the staging copy for this", "Not without a ticket", "Ask again when the freeze is over")
REVOKED = ("The ticket is closed", "Not needed any more, says the team", "Wrong database, please ask again")


def by(user: User) -> Actor:
    """Return somebody acting in the demo."""
    return person(user, Source.DEMO)


class Month(Events):
    """What people ask for, and what comes of it."""

    def __init__(self, rng: random.Random, begins: datetime) -> None:
        """Begin at a time, with nothing planned."""
        super().__init__(rng, begins)
        self.asked = 0
        self._followed: dict[int, Plan] = {}
        self._people = {user.email: user for user in User.objects.all()}

    def plan(self, plan: Plan) -> None:
        """Plan an ask, with all that follows from it."""
        self.at(plan.at, lambda: self.ask(plan))

    def rest(self) -> None:
        """Do what is due; then see what became of what was asked."""
        super().rest()
        self._follow()

    def ask(self, plan: Plan) -> None:
        """Ask; whoever has to answer does so later."""
        user = self._people[plan.email]
        pairs = [_pair(plan.system, name, plan.permission) for name in plan.databases]
        made = actions.ask(
            user, pairs, actor=by(user), duration_seconds=plan.minutes * 60, justification=plan.why, at=self.now
        )
        for request in made:
            self.asked += 1
            self._followed[request.pk] = plan
            if request.state == RequestState.PENDING:
                self._await(request, plan)

    def _await(self, request: AccessRequest, plan: Plan) -> None:
        """Plan the answer, or that there is none."""
        moment = self.now + plan.answered_after
        if plan.answer is Answer.NONE and request.lapses_at:
            self.at(request.lapses_at + self.lag(), lambda: None)
        elif plan.answer is Answer.WITHDRAWN:
            self.at(moment, lambda: self._withdraw(request))
        elif plan.answer is not Answer.NONE:
            groups = sorted(set(request.approvals.values_list("group_index", flat=True)))
            document = request.flow_version.document["approval"]
            needed = groups if document["mode"] == "all_of" else groups[:1]
            for number, index in enumerate(needed, 1):
                self.at(self.now + plan.answered_after * number, partial(self._answer, request, index, plan.answer))

    def _answer(self, request: AccessRequest, index: int, answer: Answer) -> None:
        asked = Approval.objects.filter(request=request, group_index=index, status=ApprovalStatus.PENDING)
        approvals = list(asked.select_related("approver").order_by("approver__email"))
        if not approvals or AccessRequest.objects.get(pk=request.pk).state != RequestState.PENDING:
            return
        approver = self.rng.choice(approvals).approver
        wanted = request.flow_version.document["settings"]["approver_reason_required"]
        words: dict[str, Any] = {"approver": approver, "actor": by(approver), "at": self.now}
        if answer is Answer.NO:
            actions.reject(request, reason=self.rng.choice(NO), **words)
        else:
            actions.approve(request, reason=self.rng.choice(YES[2:] if wanted else YES), **words)

    def _withdraw(self, request: AccessRequest) -> None:
        user = request.requestor
        actions.cancel(request, user=user, actor=by(user), at=self.now)

    def _follow(self) -> None:
        """Plan what people do with access that has opened; forget what is over."""
        for row in list(AccessRequest.objects.filter(pk__in=self._followed).select_related("grantee", "flow_version")):
            if row.state == RequestState.ACTIVE:
                self._use(row, self._followed.pop(row.pk))
            elif row.state in FINAL:
                del self._followed[row.pk]

    def _use(self, request: AccessRequest, plan: Plan) -> None:
        """Plan that the password is fetched, and how it ends."""
        length = timedelta(seconds=request.duration_seconds or 0)
        if plan.fetches:
            moment = self.now + timedelta(seconds=self.rng.uniform(15, 200))
            self.at(moment, lambda: self._fetch(request), follows=False)
        early = self.now + length * plan.share
        if plan.end is End.HANDED_BACK:
            self.at(early, lambda: self._hand_back(request))
        elif plan.end is End.REVOKED:
            self.at(early, lambda: self._revoke(request))
        if request.ends_at:
            self.at(request.ends_at + self.lag(), lambda: None)
            room = request.flow_version.document["settings"]
            if plan.end is End.TIME and plan.extends and room.get("max_extensions"):
                before = timedelta(minutes=self.rng.uniform(3, 12))
                self.at(request.ends_at - before, lambda: self._extend(request, room["extension_seconds"]))

    def _is_active(self, request: AccessRequest) -> bool:
        return AccessRequest.objects.filter(pk=request.pk, state=RequestState.ACTIVE).exists()

    def _fetch(self, request: AccessRequest) -> None:
        if self._is_active(request):
            for session in AccessSession.objects.filter(group__request=request).exclude(sealed_credentials=""):
                actions.take_credentials(session, user=request.grantee, actor=by(request.grantee), at=self.now)

    def _extend(self, request: AccessRequest, seconds: int) -> None:
        """Ask for more time; those who answered before do so again, soon."""
        if not self._is_active(request):
            return
        user, why = request.grantee, self.rng.choice(MORE)
        made = actions.extend(request, user=user, actor=by(user), seconds=seconds, justification=why, at=self.now)
        ends_at = AccessRequest.objects.get(pk=request.pk).ends_at
        if made.state == ExtensionState.APPROVED and ends_at:
            self.at(ends_at + self.lag(), lambda: None)

    def _hand_back(self, request: AccessRequest) -> None:
        if self._is_active(request):
            actions.hand_back(request, user=request.grantee, actor=by(request.grantee), at=self.now)

    def _revoke(self, request: AccessRequest) -> None:
        """Have it revoked by whoever approved it, or by the admin."""
        said_yes = Approval.objects.filter(request=request, status=ApprovalStatus.APPROVED)
        yes = said_yes.select_related("approver").first()
        user = yes.approver if yes else self._people[ADMIN]
        if self._is_active(request):
            actions.revoke(request, user=user, actor=by(user), reason=self.rng.choice(REVOKED), at=self.now)


def _pair(system: str, database: str, permission: str) -> tuple[int, int]:
    """Return an entitlement as `ask` takes it."""
    resource = Resource.objects.select_related("resource_type").get(
        integration__name=system, resource_type__type="database", name=database
    )
    return resource.pk, Permission.objects.get(resource_type=resource.resource_type, source_id=permission).pk
