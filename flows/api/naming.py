"""What references mean. A contract names things by id or by name; documents by id."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import ValidationError

from flows.models import AccessScope, Bundle, Webhook
from flows.reach import uuids
from integrations.models import Integration

NOUNS = {
    "integrations": "integration",
    "bundles": "bundle",
    "scopes": "access scope",
    "webhooks": "webhook",
}
_MODELS: dict[str, Any] = {
    "integrations": Integration,
    "bundles": Bundle,
    "scopes": AccessScope,
    "webhooks": Webhook,
}
# Said where a thing is gone that something still names.
GONE = "(not there any more)"


@dataclass(frozen=True)
class Known:
    """Names by id, of each kind."""

    integrations: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    webhooks: Mapping[str, str] = field(default_factory=dict)

    def name(self, kind: str, pk: str) -> str:
        """Return what a thing is called."""
        names: Mapping[str, str] = getattr(self, kind)
        return names.get(pk, GONE)

    def id(self, kind: str, reference: str, path: str) -> str:
        """Return the id of what an id or a name means. Raises ValidationError, which names the field."""
        names: Mapping[str, str] = getattr(self, kind)
        if reference in names:
            return reference
        found = [pk for pk, name in names.items() if name == reference]
        if not found:
            raise ValidationError({path: [f"There is no {NOUNS[kind]} “{reference}”."]})
        return found[0]


def known(references: Mapping[str, Iterable[str]]) -> Known:
    """Return what the references of each kind may mean. One query for each kind that is named."""
    return Known(**{kind: _names(_MODELS[kind], set(wanted)) for kind, wanted in references.items()})


def _names(model: Any, wanted: set[str]) -> dict[str, str]:
    if not wanted:
        return {}
    rows = model.objects.filter(Q(pk__in=uuids(wanted)) | Q(name__in=wanted))
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}


def as_id(text: str) -> uuid.UUID | None:
    """Return the id that a text is, if it is one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
