"""What a person is offered on a request. The actions decide; this only spares people buttons that would be refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from access_requests.choices import ApprovalStatus, RequestState
from access_requests.lifecycle import MOVES
from access_requests.models import AccessRequest, Approval
from accounts.models import User


@dataclass(frozen=True, slots=True)
class May:
    """Which buttons a page shows."""

    withdraw: bool
    hand_back: bool
    answer: bool
    revoke: bool


def may_of(user: User, access: AccessRequest, approvals: Iterable[Approval]) -> May:
    """Return what `user` may do to a request; `approvals` are its rows, or at least the person's own."""
    mine = {one.status for one in approvals if one.approver_id == user.pk}
    to = MOVES[RequestState(access.state)]
    return May(
        withdraw=user.pk in {access.requestor_id, access.grantee_id} and RequestState.CANCELLED in to,
        hand_back=user.pk == access.grantee_id and RequestState.REVOKING in to,
        answer=access.state == RequestState.PENDING and ApprovalStatus.PENDING in mine,
        revoke=RequestState.REVOKING in to
        and (ApprovalStatus.APPROVED in mine or user.has_perm("requests.revoke_accessrequest")),
    )
