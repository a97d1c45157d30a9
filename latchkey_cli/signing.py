"""Signing in by browser: OAuth 2 with a code and PKCE (RFC 6749, 7636, 8252), the answer at a loopback port."""

from __future__ import annotations

import base64
import hashlib
import hmac
import queue
import secrets
import select
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from latchkey_cli import NAME
from latchkey_cli.client import TIMEOUT, read, told, web
from latchkey_cli.output import say
from latchkey_cli.problems import Problem, SignedOut, Unreachable

SCOPES = " ".join(
    f"end_user:{scope}"
    for scope in (
        "access_sessions:read",
        "access_sessions:write",
        "access_requests:read",
        "access_requests:write",
        "inventory:read",
        "tokens:read",
        "tokens:write",
    )
)
CALLBACK = "/callback"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Latchkey</title>
<h1>{}</h1><p>You can close this page and go back to the terminal.</p>"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
_TEXT_MAX = 4096


@dataclass(frozen=True, slots=True)
class Given:
    """What a sign-in or a refresh gives. `expires_at` is in seconds since 1970."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: float


class Uncertain(Unreachable):
    """The server was asked, and nobody knows what it did."""


class _Listener(ThreadingHTTPServer):
    """Waits at a port of this computer for the browser to come back."""

    daemon_threads = True

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.answers = state, queue.Queue[dict[str, str]]()

    @property
    def address(self) -> str:
        """Where the browser is sent back to."""
        return f"http://127.0.0.1:{self.server_address[1]}{CALLBACK}"

    def take(self, address: str) -> bool:
        """Take what an address brings, if it is the answer to what we asked: only we and the server know the state."""
        parts = urlsplit(address)
        found = {name: values[0] for name, values in parse_qs(parts.query).items()}
        mine = hmac.compare_digest(found.get("state", "").encode(), self.state.encode())
        if parts.path != CALLBACK or not mine or not found.keys() & {"code", "error"}:
            return False
        self.answers.put(found)
        return True


class _Handler(BaseHTTPRequestHandler):
    """One request of the browser."""

    server: _Listener
    timeout = 5

    def do_GET(self) -> None:
        """Take the answer, and say so on a page."""
        good = len(self.path) <= _TEXT_MAX and self.server.take(self.path)
        body = _PAGE.format("Latchkey has the answer" if good else "This is not the answer that is waited for").encode()
        self.send_response(200 if good else 400)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the code is in the address."""


@contextmanager
def _listening(state: str) -> Iterator[_Listener]:
    listener = _Listener(state)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.shutdown()
        listener.server_close()


def sign_in(url: str, *, browser: bool, seconds: float) -> Given:
    """Have the person say yes in their browser, and return the tokens. Raises Problem."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _listening(state) as listener:
        address = f"{url}/oauth/authorize?{urlencode(_asked(verifier, state, listener.address))}"
        if browser and webbrowser.open(address):
            say("Your browser asks whether this command line may act for you.")
        else:
            say("Open this address in a browser on this computer:")
        say(address)
        answer = _answer(listener, seconds)
        if "code" not in answer:
            raise SignedOut(answer.get("error_description") or "The sign-in was not allowed.")
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": listener.address}
        return exchange(url, {**form, "code_verifier": verifier})


def _asked(verifier: str, state: str, address: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "response_type": "code",
        "client_id": NAME,
        "redirect_uri": address,
        "scope": SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def _answer(listener: _Listener, seconds: float) -> dict[str, str]:
    """Wait for the browser, or for its last address to be pasted where it runs on another computer."""
    ends, reads = time.monotonic() + seconds, sys.stdin.isatty()
    if reads:
        say("If the browser cannot get back here, paste the address at which it ended.")
    while time.monotonic() < ends:
        try:
            return listener.answers.get(timeout=0.2)
        except queue.Empty:
            pass
        if reads and select.select([sys.stdin], [], [], 0)[0]:
            line = sys.stdin.readline()
            reads = bool(line)
            if line.strip() and not listener.take(line.strip()):
                say("This is not the address that is waited for.")
    raise SignedOut(f"Nobody said yes within {int(seconds)} s.", then="Begin again: latchkey login")


def exchange(url: str, form: dict[str, str]) -> Given:
    """Return the tokens for a code or a refresh token. It is asked once: what is used twice revokes all of it.

    Raises SignedOut where the server says no, Uncertain where it is open whether the code or token was used,
    Unreachable where it certainly was not.
    """
    try:
        answer = web(url).post(
            f"{url}/oauth/token",
            data={"client_id": NAME, **form},
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        )
        data = told(read(answer))
    except (requests.ConnectTimeout, requests.exceptions.SSLError) as wrong:
        raise Unreachable(f"{url} does not answer.", then="Check the address, and try again.") from wrong
    except requests.ConnectionError as wrong:
        kind = Unreachable if _never_there(wrong) else Uncertain
        raise kind(f"{url} does not answer.", then="Check the address, and try again.") from wrong
    except requests.RequestException as wrong:
        raise Uncertain(f"{url} does not answer.", then="Try again.") from wrong
    return _given(url, answer.status_code, data if isinstance(data, dict) else {})


def _never_there(wrong: BaseException | None) -> bool:
    """Whether no connection came about at all."""
    text = repr(wrong)
    return "NewConnectionError" in text or "NameResolutionError" in text


def _given(url: str, status: int, data: dict[str, Any]) -> Given:
    if status == 200 and all(isinstance(data.get(name), str) for name in ("access_token", "refresh_token")):
        lasts = data.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
        return Given(data["access_token"], data["refresh_token"], time.time() + seconds)
    if status == 429:
        raise Unreachable("Too many sign-ins from here.", then="Wait a minute and try again.")
    if status in {400, 401} and data.get("error"):
        raise SignedOut(str(data.get("error_description") or data["error"]), then="Sign in again: latchkey login")
    if status == 404:
        raise Problem(f"{url} is no Latchkey that command lines can sign in to.", then="Check the address.")
    raise Uncertain(f"{url} answers {status} where it should give tokens.", then="Check the address, and try again.")


def end(url: str, access: str) -> None:
    """Have the server end the sign-in that gave a token. Raises Unreachable."""
    try:
        answer = web(url).post(
            f"{url}/oauth/revoke", data={"client_id": NAME, "token": access}, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as wrong:
        raise Unreachable(f"{url} does not answer.") from wrong
    if answer.status_code != 200:
        raise Unreachable(f"{url} answers {answer.status_code}.")
