"""Where instances of remote connectors call: a web socket, or where that is blocked, plain HTTP.

Both are thin: they carry messages to `integrations.actions.links`, which decides. Plain ASGI, for three reasons: a link
must outlive a broker that goes away, so it hears its bell by the way; an exchange that waits holds no thread; and a
body is read no further than it may be long. Who calls shows a token and nothing else: no cookie, no session, so there
is nothing that a page of another site could borrow.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import DatabaseSyncToAsync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from connectors.contract import wire
from connectors.contract.wire import Exchange, Goodbye, Heartbeat, Hello, Message, Ready, Work
from integrations.actions import handing, links, tokens
from integrations.actions.handing import Link
from integrations.actions.links import Unwelcome
from integrations.choices import Transport
from integrations.events import CUT, RING, group_of
from integrations.models import ConnectorToken

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Receive = Callable[[], Coroutine[Any, Any, dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

HELLO_SECONDS, SEND_SECONDS, BODY_SECONDS = 10.0, 30.0, 30.0
# Beats that may be missed before a link is given up.
BEATS = 3
BROKER_AGAIN_SECONDS = 5.0
CLOSED = 1000
# Characters of a message from which on another thread reads it.
LONG = 2**16
# Database work of all links: a pool of its own, so that pages and links do not wait for each other.
_POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="links")


async def rows(work: Callable[..., Answer], *given: Any) -> Answer:
    """Do database work in the pool, and return what it returns."""
    return await DatabaseSyncToAsync(work, thread_sensitive=False, executor=_POOL)(*given)


def bearer(scope: dict[str, Any]) -> str:
    """Return the token that the caller shows, or nothing."""
    shown = [value for name, value in scope["headers"] if name == b"authorization"]
    kind, _, token = shown[0].decode("latin-1").partition(" ") if len(shown) == 1 else ("", "", "")
    return token.strip() if kind.lower() == "bearer" else ""


class Bell:
    """Hears when something happens to a connector, as long as the broker is there; nothing depends on it."""

    def __init__(self, group: str) -> None:
        """Listen in this group once `listen` runs."""
        self.group = group
        self._rung: dict[str, None] = {}
        self._any = asyncio.Event()

    async def listen(self, heard: Callable[[str], Awaitable[None]]) -> None:
        """Call `heard` with each ring, until cancelled."""
        while True:
            try:
                await self._listen(heard)
            except (OSError, RedisError) as error:
                log.warning("The bell of the links is out of order, heartbeats do: %s", error)
                await asyncio.sleep(BROKER_AGAIN_SECONDS)

    async def _listen(self, heard: Callable[[str], Awaitable[None]]) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        channel = await layer.new_channel()
        await layer.group_add(self.group, channel)
        telling = asyncio.create_task(self._tell(heard))
        try:
            while not telling.done():
                event = await layer.receive(channel)
                self._rung[event["type"]] = None
                self._any.set()
            await telling
        finally:
            telling.cancel()
            await layer.group_discard(self.group, channel)

    async def _tell(self, heard: Callable[[str], Awaitable[None]]) -> None:
        """Tell what was rung for; what is rung for many times meanwhile is told once, for one look finds all."""
        while await self._any.wait():
            self._any.clear()
            while self._rung:
                what = next(iter(self._rung))
                del self._rung[what]
                await heard(what)


class Ended(Exception):
    """The caller is gone."""


async def link(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one web socket."""
    await receive()
    try:
        token = await rows(tokens.admit, bearer(scope))
    except DatabaseError:
        await _refuse(scope, send, 503, "Come back in a moment.")
        return
    if token is None:
        await _refuse(scope, send, 401, "No token, or one that does not hold (any more).")
        return
    chosen = wire.SUBPROTOCOL if wire.SUBPROTOCOL in scope.get("subprotocols", ()) else None
    await send({"type": "websocket.accept", "subprotocol": chosen})
    await Socket(receive, send).serve(token)


async def _refuse(scope: dict[str, Any], send: Send, status: int, words: str) -> None:
    """Answer an upgrade with a plain answer, where the server can; else with its own refusal (403)."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    body = json.dumps({"error": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class Socket:
    """One web socket of an instance, from hello to its end."""

    def __init__(self, receive: Receive, send: Send) -> None:
        """Speak through these two."""
        self._receive, self._send = receive, send
        self._turn = asyncio.Lock()
        # How many more orders the instance asked for.
        self._credit = 0
        self._silence = float(settings.HEARTBEAT_SECONDS) * BEATS
        self._heard_at = 0.0

    async def serve(self, token: ConnectorToken) -> None:
        """Let the instance in and carry messages until one side has enough."""
        bell: asyncio.Task[None] | None = None
        try:
            opened = await self._open(token)
            bell = asyncio.create_task(Bell(group_of(token.connector_id)).listen(lambda what: self._rung(opened, what)))
            while True:
                await self._hear(opened, await self._next(self._silence))
        except Unwelcome as reason:
            await self._leave(Goodbye(reason.reason, reason.again))
        except wire.BadMessage as problem:
            await self._leave(Goodbye(f"That was no message: {problem}"))
        except DatabaseError as error:
            log.warning("A link ends, for the database does not answer: %s", type(error).__name__)
            await self._leave(Goodbye("The server has no database at the moment."))
        except (Ended, TimeoutError):
            await self._leave(None)
        finally:
            if bell is not None:
                bell.cancel()

    async def _open(self, token: ConnectorToken) -> Link:
        """Wait for hello and answer it."""
        hello = await self._next(HELLO_SECONDS)
        if not isinstance(hello, Hello):
            raise Unwelcome("Say hello first.")
        opened = await rows(links.join, token, hello, Transport.WEBSOCKET, secrets.token_hex(16))
        await self._say(links.welcome(opened))
        return opened

    async def _next(self, seconds: float) -> Message | None:
        """Return the next message. Raises Ended, TimeoutError, wire.BadMessage."""
        event = await asyncio.wait_for(self._receive(), seconds)
        if event["type"] == "websocket.disconnect":
            raise Ended
        self._heard_at = asyncio.get_running_loop().time()
        text = event.get("text") or event.get("bytes") or ""
        # A page of an inventory takes a tenth of a second: too long for everybody else whom this loop serves.
        return wire.read(text) if len(text) < LONG else await asyncio.to_thread(wire.read, text)

    async def _hear(self, opened: Link, message: Message | None) -> None:
        """Do what one message asks, then hand out what the instance has room for."""
        async with self._turn:
            if isinstance(message, Ready):
                opened.echo = message.echo
                self._credit += max(0, min(message.more, links.SLOTS_MAX - self._credit))
            elif message is not None:
                if isinstance(message, Heartbeat) and message.free == 0:
                    self._credit = 0
                for answer in await rows(links.hear, opened, message):
                    self._credit -= isinstance(answer, Work)
                    await self._say(answer)
            if isinstance(message, Goodbye):
                raise Ended
            if isinstance(message, Ready | Heartbeat):
                await self._hand_out(opened, looked=isinstance(message, Heartbeat))

    async def _rung(self, opened: Link, what: str) -> None:
        """Look at once for what a heartbeat would find: orders, orders that are over, whether the link is."""
        try:
            async with self._turn:
                if what == CUT:
                    await rows(links.stay, opened)
                elif what == RING:
                    for cancel in await rows(links.cancels, opened, set(opened.sent)) if opened.sent else ():
                        await self._say(cancel)
                    await self._hand_out(opened)
        except Unwelcome as reason:
            await self._leave(Goodbye(reason.reason, reason.again))
        except DatabaseError:
            log.warning("The database did not answer a ring; the next heartbeat looks again.")
        except (Ended, TimeoutError):
            await self._leave(None)

    async def _hand_out(self, opened: Link, *, looked: bool = False) -> None:
        """Send orders while there are any and the instance asked for more; none to one that has gone quiet.

        `looked`: whether the link holds was just looked at, for what the instance said.
        """
        while self._credit > 0 and not self._is_quiet():
            work = await rows(handing.next_work if looked else links.next_work, opened)
            looked = False
            if work is None:
                return
            self._credit -= 1
            await self._say(work)

    def _is_quiet(self) -> bool:
        return asyncio.get_running_loop().time() - self._heard_at > self._silence / 2

    async def _say(self, message: Message) -> None:
        """Send one message. Raises Ended when the other side takes nothing."""
        try:
            await asyncio.wait_for(self._send({"type": "websocket.send", "text": wire.write(message)}), SEND_SECONDS)
        except (OSError, RuntimeError) as error:
            raise Ended from error

    async def _leave(self, word: Goodbye | None) -> None:
        """End the socket, with a last word where there is one."""
        try:
            if word is not None:
                await self._say(word)
            await asyncio.wait_for(self._send({"type": "websocket.close", "code": CLOSED}), SEND_SECONDS)
        except (Ended, TimeoutError, OSError, RuntimeError):
            # It is closed already: what was to be done is done.
            return


async def exchange(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one exchange over plain HTTP: a list of messages in, a list of answers out, after a wait if need be."""
    try:
        if scope["method"] != "POST":
            await _answer(send, 405, {"error": "POST a list of messages."})
            return
        token = await rows(tokens.admit, bearer(scope))
        if token is None:
            await _answer(send, 401, {"error": "No token, or one that does not hold (any more)."})
            return
        asked = wire.read_exchange(await _body(receive))
        heard = [wire.understood(one) for one in asked.messages]
        answers = await Polling(receive).serve(token, asked, [one for one in heard if one is not None])
    except wire.BadMessage as problem:
        await _answer(send, 400, {"error": str(problem)})
    except DatabaseError:
        await _answer(send, 503, {"error": "The server has no database at the moment."})
    except (Ended, TimeoutError):
        return
    else:
        await _answer(send, 200, wire.write_exchange(map(wire.write, answers)))


class Polling:
    """One exchange of an instance that polls."""

    def __init__(self, receive: Receive) -> None:
        """Notice through this when the caller hangs up."""
        self._receive = receive

    async def serve(self, token: ConnectorToken, asked: Exchange, heard: list[Message]) -> list[Message]:
        """Return what to answer."""
        answers: list[Message] = []
        try:
            opened = await self._open(token, asked, heard, answers)
            for message in heard:
                if not isinstance(message, Hello | Ready):
                    answers += await rows(links.hear, opened, message)
            free = max((one.free for one in heard if isinstance(one, Heartbeat)), default=0)
            free -= sum(isinstance(one, Work) for one in answers)
            await self._hand_out(opened, free, answers)
            if asked.wait > 0 and not any(isinstance(one, Work | wire.Cancel) for one in answers):
                await self._wait(opened, min(asked.wait, wire.WAIT_MAX))
                working = next((set(one.working) for one in heard if isinstance(one, Heartbeat)), set())
                await rows(links.stay, opened)
                answers += await rows(links.cancels, opened, working)
                await self._hand_out(opened, free, answers)
        except Unwelcome as reason:
            answers.append(Goodbye(reason.reason, reason.again))
        return answers

    async def _open(self, token: ConnectorToken, asked: Exchange, heard: list[Message], answers: list[Message]) -> Link:
        """Return the link of the exchange; a hello makes one."""
        hello = next((one for one in heard if isinstance(one, Hello)), None)
        if hello is None:
            return await rows(links.resume, token, asked.instance, asked.link)
        if not links.is_name(asked.link):
            raise Unwelcome("An exchange names its link (16 to 32 hex digits).", again=False)
        opened = await rows(links.join, token, hello, Transport.POLL, asked.link)
        answers.append(links.welcome(opened))
        return opened

    async def _hand_out(self, opened: Link, free: int, answers: list[Message]) -> None:
        while free > 0:
            work = await rows(handing.next_work, opened)
            if work is None:
                return
            answers.append(work)
            free -= 1

    async def _wait(self, opened: Link, seconds: float) -> None:
        """Wait for a ring, for so long at most. Raises Ended when the caller hangs up."""
        rung, gone = asyncio.Event(), asyncio.create_task(self._receive())

        async def heard(what: str) -> None:
            rung.set()

        bell = asyncio.create_task(Bell(group_of(opened.instance.connector_id)).listen(heard))
        waiting = asyncio.create_task(rung.wait())
        try:
            done, _ = await asyncio.wait({gone, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if gone in done:
                raise Ended
        finally:
            for task in (gone, bell, waiting):
                task.cancel()


async def _body(receive: Receive) -> bytes:
    """Return a request's body, read no further than it may be long. Raises wire.BadMessage, Ended, TimeoutError."""
    parts, length, more = [], 0, True
    async with asyncio.timeout(BODY_SECONDS):
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise Ended
            part = event.get("body", b"")
            length += len(part)
            if length > wire.MESSAGE_MAX:
                raise wire.BadMessage(f"An exchange has at most {wire.MESSAGE_MAX // 2**20} MB.")
            parts.append(part)
            more = event.get("more_body", False)
    return b"".join(parts)


async def _answer(send: Send, status: int, content: bytes | dict[str, str]) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# Where each is called: kind of connection and path.
CALLS = {("websocket", wire.LINK_PATH): link, ("http", wire.EXCHANGE_PATH): exchange}
