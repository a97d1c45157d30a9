"""What scopes, bundles and webhooks said: each saved document is kept."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from accounts.models import User
from audit.actor import Actor, system
from flows import document as documents
from flows.choices import PolicyKind
from flows.models import Revision


def keep_revision(
    kind: PolicyKind, subject: uuid.UUID, document: dict[str, Any], *, actor: Actor, at: datetime, anew: bool = False
) -> Revision | None:
    """Keep the document as the subject's next revision; nothing if it is what the last one says, but for `anew`.

    The caller holds the transaction, and has locked the subject's row if it was there before.
    """
    last = Revision.objects.filter(kind=kind, subject=subject).order_by("-number").first()
    digest = documents.digest(document)
    if last and last.digest == digest and not anew:
        return None
    return Revision.objects.create(
        kind=kind,
        subject=subject,
        number=last.number + 1 if last else 1,
        document=document,
        digest=digest,
        created_at=at,
        created_by=User.objects.filter(pk=actor.id).first() if actor.id else None,
    )


def keep_first(kind: PolicyKind, subject: uuid.UUID, document: dict[str, Any], *, at: datetime) -> None:
    """Keep what was there before revisions were kept, as nobody's, so that the first change can be compared with it."""
    if not Revision.objects.filter(kind=kind, subject=subject).exists():
        keep_revision(kind, subject, document, actor=system(), at=at)
