"""Every saved version of what flows name (scopes, bundles, webhooks) is kept, numbered, and can be compared."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from accounts.models import User
from audit.actor import Actor, system
from flows.choices import PolicyKind
from flows.document import digest
from flows.models import Revision


def keep_revision(
    kind: PolicyKind, subject: uuid.UUID, document: dict[str, Any], *, actor: Actor, at: datetime
) -> Revision | None:
    """Keep the document as the subject's next version; None, and nothing is kept, where it is as it was.

    In the caller's transaction, which has locked the subject's row: so no two take one number.
    """
    last = Revision.objects.filter(kind=kind, subject=subject).order_by("-number").first()
    own = digest(document)
    if last is not None and last.digest == own:
        return None
    return Revision.objects.create(
        kind=kind,
        subject=subject,
        number=last.number + 1 if last else 1,
        document=document,
        digest=own,
        created_at=at,
        created_by=User.objects.filter(pk=actor.id).first() if actor.id else None,
    )


def keep_first(kind: PolicyKind, subject: uuid.UUID, document: dict[str, Any], *, at: datetime) -> None:
    """Keep what was there before revisions were kept, as nobody's, so that the first change can be compared with it."""
    if not Revision.objects.filter(kind=kind, subject=subject).exists():
        keep_revision(kind, subject, document, actor=system(), at=at)
