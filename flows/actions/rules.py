"""What all writers of policy share: errors, and the next version of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.events import publish
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.decision import Document
from flows.findings import Finding
from flows.models import AccessFlow, Change, FlowVersion
from flows.sentence import sentence


class BadFlow(ValueError):
    """Policy that must not be saved; `problems` says why, in words, and what to do; `findings` also where."""

    def __init__(self, problems: Sequence[str | Finding]) -> None:
        """Keep the problems."""
        self.findings = [Finding("", one) if isinstance(one, str) else one for one in problems]
        self.problems = [one.text for one in self.findings]
        super().__init__(" ".join(self.problems))


class Overtaken(Exception):
    """Somebody saved meanwhile: what is saved now was written by somebody who has not read that."""


class StillNeeded(Exception):
    """What cannot be deleted, for something names it; `flows` are the access flows that do, if it is flows."""

    def __init__(self, message: str, flows: Sequence[AccessFlow] = ()) -> None:
        """Keep what is in the way."""
        super().__init__(message)
        self.flows = list(flows)


def add_version(
    flow: AccessFlow, document: Document, *, actor: Actor, at: datetime, reason: str = ""
) -> FlowVersion | None:
    """Make the document the flow's current version, with audit entry and news; None when it already is.

    The caller holds the transaction, has checked the document, and has locked the flow's row if it was there before.
    """
    before, digest = flow.current, documents.digest(document)
    if before is not None and before.digest == digest:
        return None
    version = FlowVersion.objects.create(
        flow=flow,
        number=before.number + 1 if before else 1,
        document=document,
        sentence=sentence(document, documents.names_in([document])),
        digest=digest,
        created_at=at,
        created_by=User.objects.filter(pk=actor.id).first() if actor.id else None,
    )
    AccessFlow.objects.filter(pk=flow.pk).update(current=version, updated_at=at)
    flow.current = version
    publish(Change, "flow.changed", str(flow.pk), {"version": version.number})
    details: dict[str, Any] = {"version": version.number, "sentence": version.sentence, "after": document}
    if before:
        details["before"] = before.document
    if reason:
        details["reason"] = reason
    record("flow.saved", actor=actor, subject=subject_of(flow), details=details, at=at)
    return version


def subject_of(flow: AccessFlow) -> Subject:
    """Return the snapshot of a flow that an audit entry keeps."""
    return Subject("flow", str(flow.pk), flow.name)
