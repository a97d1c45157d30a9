"""Addresses of web sockets."""

from __future__ import annotations

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.urls import re_path

from access_requests.urls import websocket_urlpatterns

# An unknown address is refused quietly; Channels alone would log a traceback for every scanner that comes by.
_deny: Any = WebsocketDenier.as_asgi()
every_pattern: list[Any] = [*websocket_urlpatterns, re_path(r"", _deny)]
