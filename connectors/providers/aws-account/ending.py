"""Takes access away. The first step denies everything to the user, whatever becomes of the others.

The user stays, shut and without a key, until `clean_up`. Every step is tried even if another failed; what failed is
told. Only a lost lease stops at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.toolkit.aws import compact

from . import programs
from .account import Account
from .names import POLICY
from .reading import Login

SESSION_ACTION = "ssm:StartSession"


@dataclass(slots=True)
class Ended:
    """What became of ending one user."""

    sessions: int = 0
    errors: list[TargetError] = field(default_factory=list)

    def attempt(self, step: Callable[[], object]) -> None:
        """Do one step; remember its error. What is missing cannot be taken away any more."""
        try:
            step()
        except TargetMissing:
            return
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors.append(error)


def end(at: Account, login: Login, *, connected: bool) -> Ended:
    """End one user of ours; a second time finds nothing to do. `connected`: it may have sessions on instances."""
    ended, cloud, name = Ended(), at.cloud, login.name
    nothing = cloud.document(programs.DENY_EVERYTHING)
    connected = connected or any(SESSION_ACTION in piece[1] for piece in login.pieces(0.0))
    if login.inline.get(POLICY) != nothing:
        if not cloud.dry_run:
            cloud.run.note(programs.DENY_EVERYTHING)
        document = compact(nothing)
        ended.attempt(partial(cloud.change, programs.SET_USER_POLICY, login=name, name=POLICY, document=document))
    for key in login.keys:
        ended.attempt(partial(cloud.change, programs.DROP_KEY, login=name, key=key))
    for policy in [policy for policy in login.inline if policy != POLICY]:
        ended.attempt(partial(cloud.change, programs.DELETE_USER_POLICY, login=name, name=policy))
    for arn in login.policies:
        ended.attempt(partial(cloud.change, programs.REVOKE_POLICY, login=name, policy=arn))
    for group in login.groups.values():
        ended.attempt(partial(cloud.change, programs.REVOKE_GROUP, login=name, group=group))
    for arn in login.own:
        ended.attempt(partial(take_policy, at, name, arn))
    if connected:
        ended.attempt(partial(_end_sessions, at, login, ended))
    return ended


def take_policy(at: Account, login: str, arn: str) -> None:
    """Take a managed policy of ours from its user and delete it."""
    at.cloud.change(programs.REVOKE_POLICY, login=login, policy=arn)
    at.cloud.change(programs.DROP_POLICY, policy=arn)


def remove(at: Account, login: Login) -> None:
    """Delete a user of ours that has ended. Raises a TargetError, and then the user stays, shut."""
    at.cloud.change(programs.DELETE_USER_POLICY, login=login.name, name=POLICY)
    at.cloud.change(programs.DROP_USER, login=login.name)


def _end_sessions(at: Account, login: Login, ended: Ended) -> None:
    """End the sessions that a user has open on instances."""
    open_ = [
        str(one["SessionId"])
        for page in at.cloud.pages(programs.INSTANCE_SESSIONS, owner=login.arn)
        for one in page.get("Sessions", [])
    ]
    for session in open_:
        at.cloud.change(programs.END_INSTANCE_SESSION, session=session)
    ended.sessions = len(open_)
