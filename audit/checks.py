"""What the system checks say of the trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import connections

from audit import triggers


def check_triggers(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Warn where the append-only triggers are missing.

    A warning, for an error would keep `migrate`, which runs this check first, from putting them back.
    """
    return [
        Warning(
            f"The audit trail is not append-only in the database {name!r}: {', '.join(absent)} missing or altered.",
            hint="Find out who removed them, run `manage.py audit verify`, then `manage.py migrate` puts them back.",
            id="audit.W001",
        )
        for name in databases or ()
        if (absent := triggers.missing(connections[name]))
    ]
