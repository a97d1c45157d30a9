"""The web socket: whoever may see a request hears that it moved, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from access_requests.events import group_of
from access_requests.models import AccessRequest
from access_requests.urls import websocket_urlpatterns
from accounts.models import User
from config.routing import every_pattern
from tests.cast import Cast
from tests.portal import making
from tests.portal.conftest import Stage

# The consumer reads the database from another thread, so these tests need a database with real commits.


class Socket(ApplicationCommunicator):
    """A browser's end of a web socket. (channels.testing has one, but it wants the server daphne.)"""

    def __init__(self, session: Any, pk: int) -> None:
        """Prepare with the browser's session; `opens` connects."""
        path = f"/ws/requests/{pk}/"
        scope = {"type": "websocket", "path": path, "session": session}
        super().__init__(URLRouter(websocket_urlpatterns), scope)

    async def opens(self) -> bool:
        """Connect; whether we were let in."""
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(timeout=5))["type"] == "websocket.accept")

    async def shut(self) -> None:
        """Leave."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)


async def ring(pk: int) -> None:
    await get_channel_layer().group_send(group_of(pk), {"type": "request.moved", "request": pk})


def session_of(user: Any) -> Any:
    """Return the session of a browser in which somebody is signed in."""
    browser = Client()
    if not user.is_anonymous:
        browser.force_login(user)
    return browser.session


async def _hears(session: Any, pk: int) -> Any:
    socket = Socket(session, pk)
    if not await socket.opens():
        return None
    await ring(pk)
    message = await socket.receive_output(timeout=5)
    await socket.shut()
    return json.loads(message["text"])


def hears(user: Any, pk: int) -> Any:
    """Return what who is signed in hears of a request that moves, None for who is not let in."""
    return async_to_sync(_hears)(session_of(user), pk)


@pytest.mark.parametrize("who", ["requester", "approver", "admin"])
def test_who_may_see_it_hears_that_it_moved(fresh_database: str, stage: Stage, who: str) -> None:
    assert hears(getattr(stage.cast, who), stage.ask().pk) == {"type": "moved"}


def test_an_outsider_is_refused_as_for_a_request_that_does_not_exist(fresh_database: str, stage: Stage) -> None:
    access = stage.ask()
    assert hears(stage.cast.outsider, access.pk) is None
    assert hears(stage.cast.requester, 999_999) is None


def test_nobody_is_refused(fresh_database: str, stage: Stage) -> None:
    assert hears(AnonymousUser(), stage.ask().pk) is None


def test_who_is_disabled_is_refused(fresh_database: str, stage: Stage) -> None:
    access, session = stage.ask(), session_of(stage.cast.requester)
    User.objects.filter(pk=stage.cast.requester.pk).update(is_active=False)
    assert async_to_sync(_hears)(session, access.pk) is None


def test_who_may_no_longer_see_it_hears_nothing_more(fresh_database: str, stage: Stage) -> None:
    access, session = stage.ask(), session_of(stage.cast.requester)

    async def scene() -> Any:
        socket = Socket(session, access.pk)
        assert await socket.opens()
        await User.objects.filter(pk=stage.cast.requester.pk).aupdate(is_active=False)
        await ring(access.pk)
        answer = await socket.receive_output(timeout=5)
        await socket.shut()
        return answer

    assert async_to_sync(scene)()["type"] == "websocket.close"


def test_other_requests_are_not_heard(fresh_database: str, stage: Stage) -> None:
    mine, other, session = stage.ask("orders"), stage.ask("ledger"), session_of(stage.cast.requester)

    async def scene() -> bool:
        socket = Socket(session, mine.pk)
        assert await socket.opens()
        await ring(other.pk)
        silent = await socket.receive_nothing(timeout=0.3)
        await socket.shut()
        return silent

    assert async_to_sync(scene)()


def test_a_move_rings(fresh_database: str, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("access_requests.events._send", lambda group, message: rung.append(group))
    made = making.integration()
    making.flow(made, cast.requester, cast.approver)
    access = making.ask(cast.requester, "orders")
    rung.clear()
    making.approved(AccessRequest.objects.get(pk=access.pk), cast.approver)
    assert set(rung) == {group_of(access.pk)}


def test_the_server_knows_the_address() -> None:
    assert any("ws/requests/" in str(pattern.pattern) for pattern in every_pattern)
