"""A worker's link with the server: a web socket, or where that is blocked, polling over plain HTTP.

Both dial out, take texts to send without making the caller wait, and give back messages. Neither tries again: when one
has ended, the worker opens another.
"""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol

import requests
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from connectors import VERSION
from connectors.contract import wire
from connectors.contract.wire import Goodbye, Heartbeat, Hello, Message, Welcome
from connectors.runners.settings import Settings

OPEN_SECONDS, ANSWER_SECONDS = 10.0, 15.0
# After the last word is said, how long until the line is dropped.
CLOSE_SECONDS = 2.0
AGENT = f"latchkey-connector/{VERSION}"


class LinkEnded(Exception):
    """The link is over; the message says why, for the log."""


class Refused(LinkEnded):
    """The server was reached and does not want us; `again` says whether coming back soon may help."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        """Keep the server's reason."""
        super().__init__(reason)
        self.again = again


class Blocked(LinkEnded):
    """No web socket came about, and it was not the server who said so in words: something between may block them."""


class Link(Protocol):
    """What a worker speaks through."""

    welcome: Welcome
    # Whether the worker says heartbeats itself, and asks for orders by Ready.
    beats: bool

    def send(self, text: str) -> None:
        """Take a message to send; never waits, and never fails: who wants to know waits for the answer."""

    def receive(self, seconds: float) -> Message | None:
        """Return the next message; None after so long without one. Raises LinkEnded."""

    def close(self) -> None:
        """End the link. What was given to `send` before is still sent, in a moment or never."""


def greeted(message: Message | None) -> Welcome:
    """Return the welcome that a hello was answered with. Raises Refused."""
    if isinstance(message, Goodbye):
        raise Refused(message.reason, again=message.again)
    if not isinstance(message, Welcome):
        raise Refused("The server did not answer our hello.")
    return message


class SocketLink:
    """A web socket. A thread of its own sends, so that a line that takes nothing holds up nobody."""

    beats = True

    def __init__(self, settings: Settings, hello: Hello) -> None:
        """Open it and say hello. Raises LinkEnded: Refused by the server, Blocked on the way, or out of reach."""
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._connection = _dial(settings)
        try:
            self._connection.send(wire.write(hello))
            self.welcome = greeted(self.receive(OPEN_SECONDS))
        except Refused:
            self._drop()
            raise
        except (WebSocketException, OSError, LinkEnded) as error:
            self._drop()
            raise Blocked(f"The web socket opened and broke off: {_words(error)}") from error
        self._sender = threading.Thread(target=self._send_all, name="link-sender", daemon=True)
        self._sender.start()

    def send(self, text: str) -> None:
        """Take a message to send."""
        self._texts.put(text)

    def receive(self, seconds: float) -> Message | None:
        """Return the next message; None after so long without one. Raises LinkEnded."""
        try:
            return wire.read(self._connection.recv(timeout=seconds))
        except TimeoutError:
            return None
        except wire.BadMessage as error:
            raise LinkEnded(f"The server sent what is no message: {error}") from error
        except (WebSocketException, OSError) as error:
            raise LinkEnded(f"The web socket ended: {_words(error)}") from error

    def close(self) -> None:
        """End it: what waits is sent first, then the line is dropped, also one that takes nothing any more."""
        self._texts.put(None)
        self._sender.join(CLOSE_SECONDS)
        self._drop()

    def _send_all(self) -> None:
        while (text := self._texts.get()) is not None:
            try:
                self._connection.send(text)
            except (WebSocketException, OSError):
                # Whoever receives notices too, and ends the link.
                return

    def _drop(self) -> None:
        """Close without waiting for an answer: a half-open line gives none."""
        closer = threading.Thread(target=self._connection.close, name="link-closer", daemon=True)
        closer.start()
        closer.join(CLOSE_SECONDS)
        with contextlib.suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)


def _dial(settings: Settings) -> ClientConnection:
    """Return an open web socket. Raises Refused, Blocked, or LinkEnded when nobody is there."""
    secure = settings.url.startswith("https://")
    try:
        return connect(
            "ws" + settings.url.removeprefix("http") + wire.LINK_PATH,
            ssl=settings.tls() if secure else None,
            proxy=settings.proxy or None,
            subprotocols=[Subprotocol(wire.SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {settings.token.reveal()}"},
            user_agent_header=AGENT,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            # Our own heartbeats see more: that the other side's program still answers.
            ping_interval=None,
            max_size=wire.MESSAGE_MAX,
        )
    except InvalidStatus as error:
        said = _error_of(bytes(error.response.body or b""))
        if error.response.status_code == 401 and said:
            raise Refused(said) from error
        raise Blocked(f"The web socket was answered with status {error.response.status_code}.") from error
    except InvalidHandshake as error:
        raise Blocked(f"The web socket was not opened: {_words(error)}") from error
    except TimeoutError as error:
        raise Blocked("The web socket did not open in time.") from error
    except ConnectionRefusedError as error:
        raise LinkEnded(f"Nobody answers at {settings.url}: {_words(error)}") from error
    except (WebSocketException, OSError) as error:
        raise Blocked(f"The web socket was not opened: {_words(error)}") from error


def _error_of(body: bytes) -> str:
    """Return what our server says in a refusal; nothing for the page of something between us."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told["error"])[:500] if isinstance(told, dict) and "error" in told else ""


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


class PollLink:
    """Polling: one thread asks for work and waits with the server, one says what there is to say."""

    beats = False

    def __init__(self, settings: Settings, hello: Hello, beat: Callable[[], Heartbeat]) -> None:
        """Say hello. `beat` tells how things are at each poll. Raises LinkEnded, Refused by the server."""
        self._settings, self._beat = settings, beat
        self._instance, self._name = hello.instance, secrets.token_hex(16)
        self._texts: queue.Queue[str] = queue.Queue()
        self._heard: queue.SimpleQueue[Message | LinkEnded] = queue.SimpleQueue()
        self._over = threading.Event()
        answers = _post(_session(settings), settings, self._body([wire.write(hello)], 0), 0)
        self.welcome = greeted(answers[0] if answers else None)
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("poll-listener", self._listen), ("poll-speaker", self._speak))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, text: str) -> None:
        """Take a message to send."""
        self._texts.put(text)

    def receive(self, seconds: float) -> Message | None:
        """Return the next message; None after so long without one. Raises LinkEnded."""
        try:
            heard = self._heard.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(heard, LinkEnded):
            raise heard
        return heard

    def close(self) -> None:
        """Stop polling, after what waits was said."""
        self._over.set()
        self._threads[1].join(CLOSE_SECONDS)

    def _listen(self) -> None:
        """Ask for work, again and again; the server waits for some before it answers."""
        session, wait = _session(self._settings), min(self.welcome.heartbeat_seconds, wire.WAIT_MAX)
        while not self._over.is_set():
            self._exchange(session, [wire.write(self._beat())], wait)

    def _speak(self) -> None:
        """Say what there is to say, several things at once when they came meanwhile."""
        session = _session(self._settings)
        while not (self._over.is_set() and self._texts.empty()):
            texts: list[str] = []
            with contextlib.suppress(queue.Empty):
                texts.append(self._texts.get(timeout=0.2))
                while sum(map(len, texts)) < wire.MESSAGE_MAX // 8:
                    texts.append(self._texts.get_nowait())
            if texts:
                self._exchange(session, texts, 0)

    def _exchange(self, session: requests.Session, texts: list[str], wait: float) -> None:
        """Hand on what one exchange answers; when it fails, the link is over."""
        try:
            for answer in _post(session, self._settings, self._body(texts, wait), wait):
                self._heard.put(LinkEnded(answer.reason) if isinstance(answer, Goodbye) else answer)
        except LinkEnded as error:
            self._over.set()
            self._heard.put(error)

    def _body(self, texts: list[str], wait: float) -> bytes:
        return wire.write_exchange(texts, self._instance, self._name, wait)


def _session(settings: Settings) -> requests.Session:
    """Return a session that verifies the server, and goes through the proxy that we were told, no other."""
    session = requests.Session()
    session.trust_env = False
    session.verify = settings.ca_file or True
    session.proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else {}
    session.headers.update({"User-Agent": AGENT, "Content-Type": "application/json"})
    return session


def _post(session: requests.Session, settings: Settings, body: bytes, wait: float) -> list[Message]:
    """Return what the server answers to one exchange. Raises LinkEnded."""
    headers = {"Authorization": f"Bearer {settings.token.reveal()}"}
    try:
        answer = session.post(
            settings.url + wire.EXCHANGE_PATH,
            data=body,
            headers=headers,
            timeout=(OPEN_SECONDS, wait + ANSWER_SECONDS),
            allow_redirects=False,
        )
    except (requests.RequestException, OSError) as error:
        raise LinkEnded(f"The server was not reached: {_words(error)}") from error
    if answer.status_code == 401:
        raise Refused(_error_of(answer.content) or "Something on the way wants other credentials.")
    if answer.status_code != 200:
        raise LinkEnded(f"The exchange was answered with status {answer.status_code}. {_error_of(answer.content)}")
    try:
        heard = [wire.understood(one) for one in wire.read_exchange(answer.content).messages]
    except wire.BadMessage as error:
        raise LinkEnded(f"The server answered what is no exchange: {error}") from error
    return [one for one in heard if one is not None]


def open_link(settings: Settings, hello: Hello, beat: Callable[[], Heartbeat], told: Callable[..., Any]) -> Link:
    """Return a link: a web socket, or polling where none comes about. Raises LinkEnded; `told` logs the detour."""
    try:
        return SocketLink(settings, hello)
    except Blocked as error:
        told("%s Trying over plain HTTP.", error)
        return PollLink(settings, hello, beat)
