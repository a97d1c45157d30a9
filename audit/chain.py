"""How one link of the chain is computed: the same for the sealer and for whoever verifies."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from audit.models import AuditEntry

# Before the first link.
NO_DIGEST = "0" * 64
# Named inside every digest, so that a later form of entries cannot be mistaken for this one.
FORM = "latchkey-audit-1"
FIELDS = (
    "id",
    "operation",
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "actor_name",
    "actor_email",
    "source",
    "subject_type",
    "subject_id",
    "subject_name",
    "details",
)


def link(previous: str, sequence: int, sealed_at: datetime, entry: AuditEntry) -> str:
    """Return the SHA-256, as 64 hex digits, that chains `entry` as link `sequence` behind the digest `previous`."""
    content = {name: _plain(getattr(entry, name)) for name in FIELDS}
    text = json.dumps(
        [FORM, previous, sequence, _plain(sealed_at), content],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        default=str,
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    """Return instants in one zone and one notation; everything else as it is."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
