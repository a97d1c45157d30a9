"""News and doorbells. A doorbell only hurries: what is due is found by sweeps in any case."""

from __future__ import annotations

from django.db import transaction


def ring() -> None:
    """After commit, tell the workers that an order is due. A lost ring costs seconds, never work."""
    transaction.on_commit(_ring_now, robust=True)


def _ring_now() -> None:
    # Imported here: tasks import actions, which import this module.
    from integrations.tasks import run_orders  # noqa: PLC0415

    run_orders.delay()
