"""The labels of flows. Each database keeps lists in its own way, so they are compared here; a flow has a few."""

from __future__ import annotations

import uuid

from flows.models import AccessFlow

SHOWN = 200


def labels() -> list[str]:
    """Return the labels there are, sorted. One query."""
    told = AccessFlow.objects.exclude(labels=[]).order_by().values_list("labels", flat=True)
    return sorted({label for one in told for label in one}, key=str.lower)[:SHOWN]


def with_label(label: str) -> list[uuid.UUID]:
    """Return the ids of the flows that bear a label. One query."""
    told = AccessFlow.objects.exclude(labels=[]).order_by().values_list("pk", "labels")
    return [pk for pk, labels in told if label in labels]
