"""News and doorbells. A doorbell only hurries: what is due is found by sweeps in any case."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)
# What a link hears in its connector's group: look for orders; look whether you are still welcome.
RING, CUT = "ring", "cut"


def group_of(connector_id: uuid.UUID) -> str:
    """Return the channel group in which all links of a connector listen."""
    return f"connector-{connector_id.hex}"


def ring(connector_id: uuid.UUID | None = None) -> None:
    """After commit, tell who works for a connector that an order is due. A lost ring costs seconds, never work.

    Without a connector, only the workers of this server are told.
    """
    transaction.on_commit(lambda: _ring_now(connector_id), robust=True)


def cut_links(connector_id: uuid.UUID) -> None:
    """After commit, have every link of a connector look whether it is still welcome."""
    transaction.on_commit(lambda: _tell(connector_id, CUT), robust=True)


def _ring_now(connector_id: uuid.UUID | None) -> None:
    # Imported here: tasks import actions, which import this module.
    from integrations.tasks import run_orders  # noqa: PLC0415

    if connector_id is not None and _is_remote(connector_id):
        _tell(connector_id, RING)
    else:
        run_orders.delay()


def _is_remote(connector_id: uuid.UUID) -> bool:
    """Whether a connector runs elsewhere."""
    # Imported here: models import nothing of this app but choices, and this module is imported by actions.
    from integrations.choices import ConnectorKind  # noqa: PLC0415
    from integrations.models import Connector  # noqa: PLC0415

    return Connector.objects.filter(pk=connector_id, kind=ConnectorKind.REMOTE).exists()


def _tell(connector_id: uuid.UUID, what: str) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    message: dict[str, Any] = {"type": what}
    async_to_sync(layer.group_send)(group_of(connector_id), message)
