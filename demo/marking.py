"""The mark on what is made up: audit entries written while it is on say that they come from the demo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import apps
from django.db.models.signals import pre_save

from audit.choices import Source

# Of this thread or request alone: elsewhere in the process real people press real buttons meanwhile.
_on: ContextVar[bool] = ContextVar("demo_mark", default=False)


@contextmanager
def marked() -> Iterator[None]:
    """Mark every audit entry written meanwhile as demo, also those that sweeps and connectors write."""
    pre_save.connect(_mark, sender=apps.get_model("audit", "AuditEntry"), dispatch_uid="demo")
    before = _on.set(True)
    try:
        yield
    finally:
        _on.reset(before)


def _mark(instance: Any, **_: Any) -> None:
    if _on.get():
        instance.source = Source.DEMO
