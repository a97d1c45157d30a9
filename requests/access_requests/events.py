"""News: to the pages, only that a request moved; and into the outbox, what people get letters of."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from access_requests.models import Change
from accounts.events import publish


def group_of(request_id: int) -> str:
    """Return the channel group that watches a request."""
    return f"request-{request_id}"


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(group, message)


def moved(request_id: int) -> None:
    """After commit, tell the pages that watch this request to look again."""
    transaction.on_commit(lambda: _tell(request_id), robust=True)


def _tell(request_id: int) -> None:
    _send(group_of(request_id), {"type": "request.moved", "request": request_id})


def tell(kind: str, subject_id: int, state: str) -> None:
    """Write news in the caller's transaction. A worker tells it: who ends access does not stop to write letters."""
    publish(Change, kind, str(subject_id), {"state": state}, ring=_ring_deliver)


def _ring_deliver() -> None:
    # Imported here: tasks import actions, which import this module.
    from access_requests.tasks import deliver_changes  # noqa: PLC0415

    deliver_changes.delay()


def ring_dispatch() -> None:
    """After commit, hurry the sweep that dispatches what was approved and ends what is due."""
    transaction.on_commit(_ring_now, robust=True)


def _ring_now() -> None:
    # Imported here: tasks import actions, which import this module.
    from access_requests.tasks import sweep  # noqa: PLC0415

    sweep.delay()


def ring_automatic() -> None:
    """After commit, hurry the job that goes on with automatic flows."""
    transaction.on_commit(_ring_automatic_now, robust=True)


def _ring_automatic_now() -> None:
    from access_requests.tasks import sweep_automatic  # noqa: PLC0415  # tasks import actions, which import this module

    sweep_automatic.delay()


def ring_calls() -> None:
    """After commit, hurry the job that asks webhooks."""
    transaction.on_commit(_ring_calls_now, robust=True)


def _ring_calls_now() -> None:
    from access_requests.tasks import call_webhooks  # noqa: PLC0415  # tasks import actions, which import this module

    call_webhooks.delay()


def ring_exports() -> None:
    """After commit, hurry the job that writes exports."""
    transaction.on_commit(_ring_exports_now, robust=True)


def _ring_exports_now() -> None:
    from access_requests.tasks import run_exports  # noqa: PLC0415  # tasks import actions, which import this module

    run_exports.delay()


def ring_drift() -> None:
    """After commit, hurry the job that looks for drift."""
    transaction.on_commit(_ring_drift_now, robust=True)


def _ring_drift_now() -> None:
    from access_requests.tasks import sweep_drift  # noqa: PLC0415  # tasks import actions, which import this module

    sweep_drift.delay()
