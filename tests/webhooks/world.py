"""What the tests of webhooks share: names that resolve where a test says, and a webhook at a server of the test's."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings

from audit.actor import system
from flows import actions
from flows.models import Webhook

YES = [{"path": "$.approved", "operator": "is", "value": "true"}]


def resolving(monkeypatch: pytest.MonkeyPatch, names: Mapping[str, list[str]]) -> list[str]:
    """Let names resolve to addresses; return the list of names that were asked for, one entry each time."""
    asked: list[str] = []
    before = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in names:
            return before(host, port, *rest, **more)
        asked.append(host)
        kinds = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in names[host]]
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for kind, one in zip(kinds, names[host], strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def allow_local(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Let the server call this machine, without TLS."""
    monkeypatch.setattr(settings, "CALL_PRIVATE_ADDRESSES", ["127.0.0.1", *more])
    monkeypatch.setattr(settings, "CALL_PLAIN_HTTP", True)


def columns(url: str, **change: Any) -> dict[str, Any]:
    """Return the columns of a webhook that is asked for a yes at an address."""
    return {
        "name": "PAM ticket",
        "url": url,
        "body": {"request": "{{ request.id }}", "why": "{{ request.justification }}"},
        "validators": YES,
        "timeout_seconds": 2,
    } | change


def webhook(url: str, secrets: dict[str, str | None] | None = None, **change: Any) -> Webhook:
    """Define a webhook."""
    return actions.define_webhook(columns(url, **change), secrets=secrets or {}, actor=system())
