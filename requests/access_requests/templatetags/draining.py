"""What a page says of sessions that may go on after the end of access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django import template

from access_requests.choices import EndReason, RequestState
from access_requests.draining import drains, may_drain
from access_requests.models import AccessGroup, AccessRequest
from flows.decision.conditions import setting
from integrations.queries import can_drain

register = template.Library()


@dataclass(frozen=True, slots=True)
class Drain:
    """How it stands with what drains, will drain, or should have.

    `seconds` is how long the flow lets sessions go on; `cannot` are the integrations where everything ends at once, and
    `older` those whose connector ended sessions that it could have let go on, had it been up to date.
    """

    seconds: int
    planned: bool
    stopping: bool
    draining: bool
    since: datetime | None
    sessions: int
    cannot: tuple[str, ...]
    older: tuple[str, ...]

    @property
    def at_all(self) -> bool:
        """Whether there is anything to say."""
        return self.planned or self.stopping or self.draining or bool(self.cannot or self.older)


@register.simple_tag
def drain_of(access: AccessRequest) -> Drain | None:
    """Return how it stands with what drains; None where the flow lets nothing go on, or it ended for a better reason.

    Reads the groups, their integrations and proofs, the version that decided and the flow's current one, which pages
    read beforehand.
    """
    then = setting(access.flow_version.document, "drain_seconds") or 0
    planned = access.state == RequestState.ACTIVE and access.ends_at is not None
    over = access.end_reason == EndReason.TIME
    if not then or not (planned or over):
        return None
    current = access.flow_version.flow.current if planned else access.flow_version
    seconds = min(then, (setting(current.document, "drain_seconds") or 0) if current else 0)
    groups = [group for group in access.access_groups.all() if group.dispatched_at is not None]
    able = [group for group in groups if can_drain(group.integration)]
    return Drain(
        seconds=seconds,
        planned=planned and bool(seconds and able),
        stopping=may_drain(access) and not drains(access),
        draining=drains(access),
        since=max((group.draining_at for group in groups if group.draining_at), default=None),
        sessions=sum(group.sessions_left for group in groups),
        cannot=_names(group for group in groups if seconds and group not in able),
        older=_names(group for group in able if _ended_sessions_at_once(group)),
    )


@register.simple_tag
def is_draining(access: AccessRequest) -> bool:
    """Whether nothing is left of access but sessions that may go on."""
    return drains(access)


def _ended_sessions_at_once(group: AccessGroup) -> bool:
    """Whether sessions were cut that the connector was told to let go on."""
    proof, until = getattr(group, "proof", None), group.request.drains_until
    if proof is None or until is None or group.draining_at is not None:
        return False
    return bool(proof.sessions_ended) and proof.ended_at < until


def _names(groups: Iterable[AccessGroup]) -> tuple[str, ...]:
    return tuple(sorted(group.integration.name for group in groups))
