"""Web sockets: whoever may see a request may hear that it moved, and nothing else."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from access_requests.events import group_of
from access_requests.queries import visible_to
from accounts.models import User


class RequestConsumer(AsyncJsonWebsocketConsumer):
    """Says "moved" to a page that shows one request. The page then fetches what it may see."""

    async def connect(self) -> None:
        """Let in who may see the request; everybody else is refused, as for one that does not exist."""
        if not await self._may_see():
            await self.close()
            return
        await self.channel_layer.group_add(self._group(), self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(self._group(), self.channel_name)

    async def request_moved(self, event: dict[str, Any]) -> None:
        """Pass on that the request moved, to who may still see it."""
        if await self._may_see():
            await self.send_json({"type": "moved"})
        else:
            await self.close()

    def _number(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["pk"])

    def _group(self) -> str:
        return group_of(self._number())

    async def _may_see(self) -> bool:
        user = self.scope.get("user")
        return bool(user and user.is_authenticated and await _sees(user.pk, self._number()))


@database_sync_to_async
def _sees(user_id: Any, number: int) -> bool:
    """Whether the person, as they are now, may see the request."""
    user = User.objects.filter(pk=user_id).first()
    return user is not None and visible_to(user).filter(pk=number).exists()
