"""What all writers of policy share: errors, and the next version of a flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.events import publish
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.decision import Document
from flows.findings import Finding
from flows.guard import takes_two
from flows.models import AccessFlow, Change, FlowVersion
from flows.sentence import sentence

# Rows per statement, under SQLite's limit of parameters.
_AT_ONCE = 200


class BadFlow(ValueError):
    """Policy that must not be saved; `problems` says why, in words, and what to do; `findings` also where."""

    def __init__(self, problems: Sequence[str | Finding]) -> None:
        """Keep the problems."""
        self.findings = [Finding("", one) if isinstance(one, str) else one for one in problems]
        self.problems = [one.text for one in self.findings]
        super().__init__(" ".join(self.problems))


class Overtaken(Exception):
    """Somebody saved meanwhile: what is saved now was written by somebody who has not read that."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A flow that a change would open production with: its document before and after, and why that takes two."""

    before: Document | None
    after: Document
    why: str

    @property
    def digest(self) -> str:
        """What a second yes is said to: the document, without the id that a new flow gets anew each time."""
        return documents.digest(self.after if self.before else self.after | {"id": ""})


@dataclass(frozen=True, slots=True)
class Second:
    """A second admin's yes: who said it, and to which openings (by digest). Only flows.actions.proposals makes one."""

    user: str
    name: str
    openings: frozenset[str]


class NeedsSecondAdmin(Exception):
    """A change that takes a second admin's yes: nothing has changed. Propose it (flows.actions.propose)."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        """Keep what would be opened, and say why it takes two."""
        self.openings = list(openings)
        self.why = " ".join(one.why for one in openings)
        super().__init__(self.why)


class StillNeeded(Exception):
    """What cannot be deleted, for something names it; `flows` are the access flows that do, if it is flows."""

    def __init__(self, message: str, flows: Sequence[AccessFlow] = ()) -> None:
        """Keep what is in the way."""
        super().__init__(message)
        self.flows = list(flows)


def add_version(
    flow: AccessFlow, document: Document, *, actor: Actor, at: datetime, second: Second | None = None
) -> None:
    """Make the document the flow's current version, as add_versions does."""
    add_versions([(flow, document)], actor=actor, at=at, second=second)


def add_versions(
    written: Iterable[tuple[AccessFlow, Document]],
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    second: Second | None = None,
) -> None:
    """Make each document its flow's current version, with audit entry and news; nothing where it already is.

    The caller holds the transaction, has checked the documents, and has locked the rows that were there before. Raises
    NeedsSecondAdmin for what takes two, unless `second` is a yes to just that; the caller's transaction then ends.
    """
    fresh = [
        (flow, flow.current, document, digest)
        for flow, document in written
        if (digest := documents.digest(document)) != (flow.current.digest if flow.current else "")
    ]
    _require_second([(flow.current, document) for flow, _, document, _ in fresh], second)
    author = User.objects.filter(pk=actor.id).first() if actor.id else None
    names = documents.names_in(document for _, _, document, _ in fresh)
    versions = FlowVersion.objects.bulk_create(
        [
            FlowVersion(
                flow=flow,
                number=before.number + 1 if before else 1,
                document=document,
                sentence=sentence(document, names),
                digest=digest,
                created_at=at,
                created_by=author,
            )
            for flow, before, document, digest in fresh
        ],
        batch_size=_AT_ONCE,
    )
    for (flow, _, _, _), version in zip(fresh, versions, strict=True):
        flow.current, flow.updated_at = version, at
    AccessFlow.objects.bulk_update([flow for flow, _, _, _ in fresh], ["current", "updated_at"], batch_size=_AT_ONCE)
    for flow, before, _, _ in fresh:
        _tell(flow, before, actor=actor, at=at, reason=reason, second=second)


def _require_second(fresh: Iterable[tuple[FlowVersion | None, Document]], second: Second | None) -> None:
    """Raise NeedsSecondAdmin unless all that takes two has a second yes."""
    pairs = [(before.document if before else None, document) for before, document in fresh]
    openings = [Opening(old, new, why) for old, new in pairs if (why := takes_two(new, old))]
    if any(second is None or one.digest not in second.openings for one in openings):
        raise NeedsSecondAdmin(openings)


def _tell(
    flow: AccessFlow, before: FlowVersion | None, *, actor: Actor, at: datetime, reason: str, second: Second | None
) -> None:
    """Write news and audit entry of a flow's new version."""
    version = flow.current
    if version is None:
        raise AssertionError(f"{flow} has no version to tell of.")
    publish(Change, "flow.changed", str(flow.pk), {"version": version.number})
    details: dict[str, Any] = {"version": version.number, "sentence": version.sentence, "after": version.document}
    if before:
        details["before"] = before.document
    if second:
        details["second"] = {"id": second.user, "name": second.name}
    if reason:
        details["reason"] = reason
    record("flow.saved", actor=actor, subject=subject_of(flow), details=details, at=at)


def subject_of(flow: AccessFlow) -> Subject:
    """Return the snapshot of a flow that an audit entry keeps."""
    return Subject("flow", str(flow.pk), flow.name)
