"""Makes and takes assignments. Identity Center does either in its own time, and only so many at once.

What was begun and has no outcome yet when the lease ends goes on by itself: the next lease finds it under way and waits
for it.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, TargetMissing, Unreachable
from connectors.contract.orders import Unit
from connectors.toolkit.aws_errors import UnderWay

from . import programs
from .center import Center

LOOK_AGAIN_SECONDS = 0.5
TRY_AGAIN = re.compile(r"throttl|time.?out|timed out|internal|unavailable|try again|concurrent", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """One assignment to make, or to take."""

    unit: Unit
    gives: bool

    @property
    def parts(self) -> dict[str, str]:
        """Return what the programs call the parts of the unit."""
        return {"account": self.unit.resource, "permission_set": self.unit.permission}


@dataclass(slots=True)
class Flight:
    """The changes of one run that are under way, by the id of their request."""

    at: Center
    user: str
    errors: dict[Unit, TargetError] = field(default_factory=dict)
    under_way: dict[str, Change] = field(default_factory=dict)
    berths: int = 0

    def carry_out(self, changes: Iterable[Change]) -> None:
        """Make every change; what failed is in `errors`. Raises LeaseLost."""
        queue = deque(changes)
        try:
            while queue or self.under_way:
                while queue and self._berth():
                    self._begin(queue.popleft())
                if self.under_way:
                    self._pause()
                for request, change in list(self.under_way.items()):
                    self._attempt(change, request)
        finally:
            for _ in range(self.berths):
                self.at.berths.leave()
            self.berths = 0

    def _berth(self) -> bool:
        """Take a berth; wait for one only when there is nothing else to do."""
        run = self.at.cloud.run
        if self.berths > len(self.under_way):
            return True
        while not self.at.berths.take(0.0):
            if self.under_way:
                return False
            self._pause()
            run.alive()
        self.berths += 1
        return True

    def _pause(self) -> None:
        """Wait a little, within the lease."""
        run = self.at.cloud.run
        run.alive()
        time.sleep(min(LOOK_AGAIN_SECONDS, run.remaining()))

    def _begin(self, change: Change) -> None:
        """Ask for a change."""
        program = programs.GRANT_ASSIGNMENT if change.gives else programs.REVOKE_ASSIGNMENT
        try:
            answer = self.at.cloud.change(program, instance=self.at.instance, user=self.user, **change.parts)
            self._judge(change, answer)
        except UnderWay as error:
            self._join(change, error)
        except TargetMissing as error:
            if change.gives:
                self.errors[change.unit] = error
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[change.unit] = error
        self._give_back()

    def _attempt(self, change: Change, request: str) -> None:
        """Ask how far a change has come."""
        program = programs.GIVING if change.gives else programs.TAKING
        try:
            self._judge(change, self.at.cloud.read(program, instance=self.at.instance, request=request))
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[change.unit] = error
            self.under_way.pop(request, None)
        self._give_back()

    def _judge(self, change: Change, answer: dict[str, Any] | None) -> None:
        """Take in what Identity Center says of a change. Raises a TargetError for one that failed."""
        status = _status(answer)
        request = str(status.get("RequestId", ""))
        if status.get("Status") == "IN_PROGRESS":
            self.under_way[request] = change
            return
        self.under_way.pop(request, None)
        if status.get("Status") == "FAILED":
            reason = str(status.get("FailureReason") or "no reason is given")
            kind = Unreachable if TRY_AGAIN.search(reason) else Misconfigured
            raise kind(f"Identity Center could not {'make' if change.gives else 'take'} the assignment: {reason}")

    def _join(self, change: Change, error: UnderWay) -> None:
        """Wait for the same change if somebody, or an earlier lease, has begun it."""
        lists, one = (programs.ALL_GIVING, programs.GIVING) if change.gives else (programs.ALL_TAKING, programs.TAKING)
        for page in self.at.cloud.pages(lists, instance=self.at.instance):
            for row in next(iter(_lists(page)), []):
                status = _status(self.at.cloud.read(one, instance=self.at.instance, request=row["RequestId"]))
                same = (status.get("TargetId"), status.get("PermissionSetArn"), status.get("PrincipalId"))
                if same == (change.unit.resource, change.unit.permission, self.user):
                    self.under_way[str(row["RequestId"])] = change
                    return
        self.errors[change.unit] = error

    def _give_back(self) -> None:
        """Give back the berths of what is over."""
        while self.berths > len(self.under_way):
            self.at.berths.leave()
            self.berths -= 1


def _status(answer: dict[str, Any] | None) -> dict[str, Any]:
    """Return the status in an answer about making or taking; of a dry run there is none."""
    answer = answer or {}
    found = answer.get("AccountAssignmentCreationStatus") or answer.get("AccountAssignmentDeletionStatus") or {}
    return dict(found)


def _lists(page: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the list on a page of those that are under way."""
    names = ("AccountAssignmentsCreationStatus", "AccountAssignmentsDeletionStatus")
    return [page[name] for name in names if name in page]
