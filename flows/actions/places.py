"""Where flows, bundles and scopes lie: in the whole account, or in a space."""

from __future__ import annotations

import uuid
from typing import Any

from accounts.actions import require
from audit.actor import Actor
from flows.actions.rules import BadFlow
from flows.findings import SPACE, Finding
from flows.models import AccessScope, Space
from flows.reach import uuids


def put(row: Any, space: str | None, permission: str, actor: Actor) -> None:
    """Say where a row is to lie: the id of a space, "" for the whole account, None for where it lies.

    Whoever writes needs the permission where it lay and where it goes. Raises NotAllowed, BadFlow.
    """
    if not row._state.adding:
        require(actor, permission, row)
    if space is not None:
        row.space = place(space)
    require(actor, permission, row)
    if row.space_id:
        hold(row.space_id)


def hold(space: uuid.UUID) -> None:
    """Keep a space and its boundary as they are until what is written in it is there."""
    list(Space.objects.select_for_update().filter(pk=space))
    list(AccessScope.objects.select_for_update(of=("self",)).filter(bounding__space=space).order_by("pk"))


def place(space: str) -> Space | None:
    """Return the space with this id; None for "", the whole account. Raises BadFlow where there is none."""
    if not space:
        return None
    found = Space.objects.filter(pk__in=uuids([str(space)])).first()
    if found is None:
        raise BadFlow([Finding(SPACE, "This space is not there any more: choose another.")])
    return found
