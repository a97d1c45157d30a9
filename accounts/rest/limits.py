"""How many requests a minute: of a token, and of an address that brings none. Every answer says what is left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken
from accounts.trail import address_of

_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What of a limit is left, and in how many seconds it begins anew."""

    limit: int
    used: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the three headers that clients know."""
        names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
        values = (self.limit, max(0, self.limit - self.used), self.seconds)
        return {name: str(value) for name, value in zip(names, values, strict=True)}


def count(who: str, limit: int, *, at: float | None = None) -> Left:
    """Count one request of `who` in the present minute."""
    now = time.time() if at is None else at
    minute, into = divmod(int(now), _WINDOW)
    key = f"api-limit:{who}:{minute}"
    cache.add(key, 0, _WINDOW * 2)
    try:
        used = cache.incr(key)
    except ValueError:
        # It was there a moment ago: the cache was emptied, or had no room.
        used = 1
    return Left(limit, used, _WINDOW - into)


def count_bad(request: HttpRequest) -> None:
    """Count one bad token of the request's address. Raises Throttled where there were too many in this minute."""
    left = count(f"bad:{address_of(request)}", settings.API_PER_MINUTE["address"])
    if left.used > left.limit:
        raise Throttled(left.seconds)


class PerToken(BaseThrottle):
    """Counts by token; without one by network address, so that nobody tries tokens out at leisure."""

    left: Left

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count, and say whether it is still within the limit."""
        if isinstance(request.auth, ApiToken):
            self.left = count(f"token:{request.auth.pk}", settings.API_PER_MINUTE["token"])
        else:
            self.left = count(f"address:{address_of(request._request)}", settings.API_PER_MINUTE["address"])
        request._request.META["latchkey.limit"] = self.left
        return self.left.used <= self.left.limit

    def wait(self) -> float:
        """Return in how many seconds to try again."""
        return self.left.seconds
