"""The sample function of docs/custom-function, behind a stub of Lambda, for connectors.vet.live."""

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
    with custom_functions.on_aws() as (reports, _):
        yield reports
