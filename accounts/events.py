"""News for the floors above: an outbox. What is written with a change is told after its commit, or by the next sweep.

A subscriber may hear the same news more than once (another subscriber failed, a process died) and late, so handlers are
idempotent and read the present state instead of trusting the payload. They run inside a transaction: no network calls.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AbstractChange

Handler = Callable[[Any], None]

_log = logging.getLogger(__name__)
_subscribers: dict[str, list[Handler]] = {}
# After a failure: 10 s, 20 s, 40 s, … at most an hour. It never stops.
_FIRST_WAIT, _LONGEST_WAIT = 10, 3600


def subscribe(kind: str, handler: Callable[[AbstractChange], None]) -> None:
    """Call `handler` with every change of `kind`; called from an app's ready(). Subscribing again changes nothing."""
    handlers = _subscribers.setdefault(kind, [])
    if handler not in handlers:
        handlers.append(handler)


def publish(
    change_model: type[AbstractChange],
    kind: str,
    subject_id: str,
    payload: Mapping[str, Any] | None = None,
    *,
    ring: Callable[[], None] | None = None,
) -> None:
    """Write news in the caller's transaction and tell it on commit. Raises RuntimeError outside a transaction.

    With `ring`, the caller does not stop to tell it: the bell is rung instead, and a worker delivers.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"Publishing {kind!r} needs the transaction of the change: wrap both in atomic().")
    change = change_model._default_manager.create(kind=kind, subject_id=str(subject_id), payload=dict(payload or {}))
    # robust: the change is committed; whatever goes wrong now is the sweep's to mend, not the caller's to see.
    # No partial: Django asks a robust hook that failed for its name, and a partial has none.
    transaction.on_commit(ring or (lambda: _deliver_one(change_model, change.pk)), robust=True)


def deliver(change_model: type[AbstractChange], *, limit: int = 500, at: datetime | None = None) -> int:
    """Tell what is due and was not told, oldest first, and return how many were delivered to all their subscribers.

    Every subscriber is called at least once. A failing one keeps its change waiting and holds up no other.
    """
    now = at or timezone.now()
    due = change_model._default_manager.filter(delivered_at__isnull=True, try_at__lte=now).order_by("id")
    return sum(_deliver_one(change_model, pk, at=now) for pk in list(due.values_list("pk", flat=True)[:limit]))


def _deliver_one(change_model: type[AbstractChange], pk: int, *, at: datetime | None = None) -> bool:
    """Tell one change to all its subscribers; return whether all of them took it."""
    now = at or timezone.now()
    with transaction.atomic():
        waiting = change_model._default_manager.filter(pk=pk, delivered_at__isnull=True, try_at__lte=now)
        # Whom another process is telling right now is left to that process.
        change = waiting.select_for_update(skip_locked=True).first()
        if change is None:
            return False
        failures = [failure for handler in _subscribers.get(change.kind, ()) if (failure := _tell(handler, change))]
        if failures:
            change.attempts += 1
            change.last_error = "; ".join(failures)[:2000]
            change.try_at = now + timedelta(seconds=min(_FIRST_WAIT * 2 ** min(change.attempts - 1, 20), _LONGEST_WAIT))
        else:
            change.delivered_at = now
        change.save(update_fields=["attempts", "last_error", "try_at", "delivered_at"])
    return not failures


def _tell(handler: Handler, change: AbstractChange) -> str:
    """Call one subscriber in its own savepoint; return what went wrong, without the message (it may hold secrets)."""
    try:
        with transaction.atomic():
            handler(change)
    except Exception as error:  # noqa: BLE001  # whatever a subscriber raises, its neighbours must hear the news
        frame = traceback.extract_tb(error.__traceback__)[-1]
        failure = f"{handler.__module__}.{handler.__qualname__}: {type(error).__name__} at {frame.name}:{frame.lineno}"
        _log.warning("%s was not taken by %s", change, failure)
        return failure
    return ""
