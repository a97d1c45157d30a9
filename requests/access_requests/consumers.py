"""Web sockets: whoever may see a request may hear that it moved, and nothing else.

A line lasts longer than what it began with. So who is signed in is asked again by the session, at everything that is
said and every few seconds besides: one that is over, ended elsewhere or idle for too long keeps no line.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils import timezone

from access_requests.events import group_of
from access_requests.queries import visible_to
from accounts.queries import signed_in_by

# How long a line outlasts its session at most, when nothing is said on it.
LOOK_SECONDS = 10.0
# A code of ours: the page loads anew and says what there is to say.
SIGNED_OUT = 4401


class RequestConsumer(AsyncJsonWebsocketConsumer):
    """Says "moved" to a page that shows one request. The page then fetches what it may see."""

    async def connect(self) -> None:
        """Let in who may see the request; everybody else is refused, as for one that does not exist."""
        if not await self._may_see():
            await self.close()
            return
        await self.channel_layer.group_add(self._group(), self.channel_name)
        await self.accept()
        self._looking = asyncio.ensure_future(self._look())

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if looking := getattr(self, "_looking", None):
            looking.cancel()
        await self.channel_layer.group_discard(self._group(), self.channel_name)

    async def request_moved(self, event: dict[str, Any]) -> None:
        """Pass on that the request moved, to who may still see it."""
        if await self._may_see():
            await self.send_json({"type": "moved"})
        else:
            await self.close(SIGNED_OUT)

    async def _look(self) -> None:
        """Close the line when its session is over."""
        with contextlib.suppress(asyncio.CancelledError):
            while await self._may_see():
                await asyncio.sleep(LOOK_SECONDS)
            await self.close(SIGNED_OUT)

    def _number(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["pk"])

    def _group(self) -> str:
        return group_of(self._number())

    async def _may_see(self) -> bool:
        session = self.scope.get("session")
        return await _sees(getattr(session, "session_key", None), self._number())


@database_sync_to_async
def _sees(key: str | None, number: int) -> bool:
    """Whether the person whom the session signs in, as they and it are now, may see the request."""
    user = signed_in_by(key, timezone.now())
    return user is not None and visible_to(user).filter(pk=number).exists()
