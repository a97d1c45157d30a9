"""The sample function of docs/custom-function, as a process of its own, for connectors.vet.live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.connectors import custom_functions


def missing() -> str:
    """Return nothing: all it needs is Python."""
    return ""


@contextmanager
def live() -> Iterator[custom_functions.Reports]:
    """Run the function."""
    with custom_functions.over_http() as reports:
        yield reports
