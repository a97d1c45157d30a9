"""Takes known secrets out of texts before they go into reports or logs."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "(secret)"


class Redactor:
    """Knows the secrets of one run and replaces them, in every spelling a driver or URL would give them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know `secrets`; empty ones are left out, since every text contains them."""
        self._spellings: set[str] = set()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Know more secrets."""
        for secret in filter(None, secrets):
            self._spellings |= _spellings(secret)

    def scrub(self, text: str) -> str:
        """Return `text` without any known secret; the longest first, so that none leaves its tail behind."""
        for spelling in sorted(self._spellings, key=len, reverse=True):
            text = text.replace(spelling, HIDDEN)
        return text

    def describe(self, error: BaseException) -> str:
        """Return the traceback of an exception, its causes included, without any known secret."""
        return self.scrub("".join(traceback.format_exception(error)))


def _spellings(secret: str) -> set[str]:
    """Return the secret as it is written plainly, in SQL, JSON, Python, libpq strings, URLs and base64."""
    return {
        secret,
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
    }
