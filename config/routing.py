"""Addresses of web sockets, and where connectors call."""

from __future__ import annotations

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.urls import re_path

from access_requests.urls import websocket_urlpatterns
from integrations.consumers import CALLS

# An unknown address is refused quietly; Channels alone would log a traceback for every scanner that comes by.
_deny: Any = WebsocketDenier.as_asgi()
every_pattern: list[Any] = [*websocket_urlpatterns, re_path(r"", _deny)]


def with_connectors(others: Any) -> Any:
    """Return an application that lets connectors in beside `others`: they show a token, and neither cookie nor origin.

    Nothing of a browser's is looked at there, so nothing of it is needed, and no sign-in opens that door.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        call = CALLS.get((scope["type"], scope["path"]), others)
        await call(scope, receive, send)

    return application
