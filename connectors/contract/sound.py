"""What a service said, as what every database and every message of ours can keep."""

from __future__ import annotations

import math
import re
from typing import Any

# NUL, and half of a sign that needs two: JSON can spell both, PostgreSQL keeps neither, UTF-8 has no half signs.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
# Nothing honest is nested deeper, and whatever copies or writes a value goes down into it by calls.
DEPTH_MAX = 64


def sound(value: Any, depth: int = DEPTH_MAX) -> Any:
    """Return JSON data with every sign that cannot be kept as U+FFFD, and without what is no number or too deep.

    Such a sign is never left out: an address with one must not turn into the address of somebody else.
    """
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list | tuple):
        return value
    if depth <= 0:
        return None
    if isinstance(value, dict):
        return {sound(key): sound(inner, depth - 1) for key, inner in value.items()}
    return [sound(inner, depth - 1) for inner in value]
