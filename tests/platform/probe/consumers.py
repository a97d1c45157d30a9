"""A web socket that passes on what is said to the group `probe`."""

from __future__ import annotations

import time
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class Listener(AsyncJsonWebsocketConsumer):
    """Tells how long each message took to arrive."""

    async def connect(self) -> None:
        await self.channel_layer.group_add("probe", self.channel_name)
        await self.accept()

    async def shout(self, message: dict[str, Any]) -> None:
        await self.send_json({"seconds": time.time() - message["at"]})
