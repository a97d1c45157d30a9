"""What a person is offered on a request. The actions decide; this only spares people buttons that would be refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from access_requests.actions import Room, room_of
from access_requests.actions.declaring import MAY_DECLARE
from access_requests.choices import ApprovalStatus, ExtensionState, RequestState, ReviewState
from access_requests.draining import may_drain
from access_requests.lifecycle import MOVES
from access_requests.models import AccessRequest, Approval
from access_requests.queries.reviews import MAY
from accounts.models import User


@dataclass(frozen=True, slots=True)
class May:
    """Which buttons a page shows."""

    prove: bool
    withdraw: bool
    hand_back: bool
    answer: bool
    revoke: bool
    keep: bool
    extend: Room | None
    # Whether they are one of those who review broken glass, and whether that is still owed.
    review: bool = False
    # Whether they are one of the admins who may declare an end that is not proven.
    declare: bool = False


def may_of(user: User, access: AccessRequest, approvals: Iterable[Approval]) -> May:
    """Return what `user` may do to a request; `approvals` are its rows, or at least the person's own."""
    # What a flow gives by itself it would give again: see access_requests.actions.endings.
    asked = not access.automatic
    mine = {one.status for one in approvals if one.approver_id == user.pk}
    to = MOVES[RequestState(access.state)]
    reviews = _reviews(user, access)
    # What drains may be ended at once by whoever could have ended it before.
    ends = RequestState.REVOKING in to or may_drain(access)
    return May(
        prove=user.pk == access.requestor_id and access.state == RequestState.PENDING_MFA,
        withdraw=asked and user.pk in {access.requestor_id, access.grantee_id} and RequestState.CANCELLED in to,
        hand_back=asked and user.pk == access.grantee_id and ends,
        answer=access.state == RequestState.PENDING and ApprovalStatus.PENDING in mine,
        revoke=asked and ends and (ApprovalStatus.APPROVED in mine or reviews or user.has_perm(MAY)),
        keep=asked and user.pk in {access.requestor_id, access.grantee_id},
        extend=_room(user, access) if access.state == RequestState.ACTIVE else None,
        review=reviews and access.review.state == ReviewState.DUE,
        declare=access.state == RequestState.REVOKING and not may_drain(access) and user.has_perm(MAY_DECLARE),
    )


def _reviews(user: User, access: AccessRequest) -> bool:
    """Whether the person reviews this broken glass, by what pages read beforehand; those it is about never do."""
    if not access.break_glass or user.pk in {access.requestor_id, access.grantee_id}:
        return False
    return user.has_perm(MAY) or any(one.person_id == user.pk for one in access.review.reviewers.all())


def _room(user: User, access: AccessRequest) -> Room | None:
    """Return how much more time may be asked for; None when none may, or an extension waits already.

    Reads `extensions` and the flow's current version, which pages read beforehand.
    """
    current = access.flow_version.flow.current
    if user.pk not in {access.requestor_id, access.grantee_id} or access.ends_at is None or current is None:
        return None
    states = [one.state for one in access.extensions.all()]
    room = room_of(current.document, states.count(ExtensionState.APPROVED))
    return room if room.left and ExtensionState.PENDING not in states else None
