"""Secrets in the connector's own environment: `LATCHKEY_TARGET_SECRET_<NAME>`. For local use.

Only variables with this prefix can be named, and nothing of ours has it, so that nobody can ask for the connector's
token, its cloud keys, or the keys of the server that it runs in.
"""

from __future__ import annotations

import os
import re

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.provider import Run

PREFIX = "LATCHKEY_TARGET_SECRET_"
NAME = re.compile(r"[A-Z0-9_]+")


class Environment:
    """Reads environment variables."""

    def read(self, reference: str, run: Run) -> str:
        """Return the variable LATCHKEY_TARGET_SECRET_<reference>; the prefix may be written or not."""
        name = reference.removeprefix(PREFIX)
        if not NAME.fullmatch(name):
            raise Misconfigured(f"{reference!r} is no name of a variable: capitals, digits and underscores.")
        value = os.environ.get(PREFIX + name)
        if value is None:
            raise TargetMissing(f"{PREFIX}{name} is not set.", fix="Set it in the connector's environment.")
        return value


STORE = Environment()
