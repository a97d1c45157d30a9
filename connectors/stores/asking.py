"""What stores that are asked over HTTP share: their request files, and how a reference is read."""

from __future__ import annotations

from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.toolkit.http_files import Requests

FILES = Requests(Path(__file__).resolve().parent / "requests")


def segments(reference: str, form: str) -> tuple[str, str]:
    """Return what is before and after the first slash. Raises Misconfigured naming the form that is expected."""
    first, _, rest = reference.strip("/").partition("/")
    if not first or not rest:
        raise Misconfigured(f"{reference!r} is not of the form {form}.")
    return first, rest
