"""Addresses of the probe beside Latchkey's own."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import routing
from config.urls import urlpatterns as ours
from tests.platform.probe import consumers, tasks


def ring(request: HttpRequest, name: str, milliseconds: int) -> HttpResponse:
    """Ring for a task that takes so long; answer the time of the ring."""
    tasks.mark.delay(name, milliseconds / 1000)
    return HttpResponse(str(time.time()))


def shout(request: HttpRequest, count: int) -> HttpResponse:
    """Ring for messages to the web socket."""
    tasks.shout.delay(count)
    return HttpResponse("ok")


def slow(request: HttpRequest, milliseconds: int) -> HttpResponse:
    """Take so long."""
    time.sleep(milliseconds / 1000)
    return HttpResponse("done")


urlpatterns = [
    *ours,
    path("probe/ring/<str:name>/<int:milliseconds>", ring),
    path("probe/shout/<int:count>", shout),
    path("probe/slow/<int:milliseconds>", slow),
]
listener: Any = consumers.Listener.as_asgi()
routing.every_pattern.insert(0, path("probe", listener))
