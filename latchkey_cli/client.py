"""Talks to the client API: time limits, retries that do nothing twice, and a token that goes to one server only."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from latchkey_cli.problems import Conflict, NotYours, Problem, Refused, SignedOut, Unreachable

BASE = "/api/client/v1/"
TIMEOUT = (10, 60)
TRIES = 4
ANSWER_MAX = 20 * 2**20
ANSWER_SECONDS = 120
# Longer than this nobody wants to sit in front of a command that says nothing.
WAIT_MAX = 60
LIST_MAX = 10_000
_PAGE = 1000
_PASSING = {502, 503, 504}
Query = Mapping[str, Any]


class Bearer(Protocol):
    """Who has the token."""

    def token(self) -> str:
        """Return a token that is good for a while. Raises SignedOut."""

    def renewed(self, bad: str) -> str:
        """Return another token than the one the server did not take; nothing where there is none."""


class _Authorization(AuthBase):
    """Sets the header itself: without it the library would look into ~/.netrc and put that in its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def web(url: str) -> requests.Session:
    """Return a session for a server. What goes to this computer in clear goes through no proxy."""
    session = requests.Session()
    session.trust_env = url.startswith("https://")
    session.headers["User-Agent"] = "latchkey-cli"
    return session


def read(answer: requests.Response) -> bytes:
    """Return the body. Raises Unreachable for one that is larger or slower than any answer of ours."""
    found, ends = b"", time.monotonic() + ANSWER_SECONDS
    for chunk in answer.iter_content(65536):
        found += chunk
        if len(found) > ANSWER_MAX or time.monotonic() > ends:
            answer.close()
            raise Unreachable("The answer is larger or slower than any answer of Latchkey.")
    return found


def told(body: bytes) -> Any:
    """Return what a body says; None for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is sent, as often as it takes."""

    method: str
    address: str
    query: Query | None
    body: Any
    headers: dict[str, str]


class Client:
    """One server, as one person."""

    def __init__(self, url: str, bearer: Bearer) -> None:
        """Nothing is sent yet."""
        self.url, self._bearer, self._session = url, bearer, web(url)

    def get(self, path: str, query: Query | None = None, *, once: bool = False) -> Any:
        """Return what an address says. `once`: never asked again, for the answer uses something up."""
        return self._call("GET", path, query=query, once=once)

    def post(self, path: str, body: Any = None) -> Any:
        """Do something, once, however often the line breaks."""
        return self._call("POST", path, body=body)

    def put(self, path: str, body: Any) -> Any:
        """Change something."""
        return self._call("PUT", path, body=body)

    def delete(self, path: str) -> Any:
        """Remove something."""
        return self._call("DELETE", path)

    def every(self, path: str, query: Query | None = None, *, most: int = LIST_MAX) -> list[dict[str, Any]]:
        """Return the rows of a list, page by page, up to `most`."""
        return list(self._rows(path, dict(query or {}), most))

    def _rows(self, path: str, query: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
        skip = 0
        while skip < most:
            page = self.get(path, query | {"skip": skip, "limit": min(_PAGE, most - skip)})
            rows = page.get("data") if isinstance(page, dict) else None
            if not isinstance(rows, list):
                raise Unreachable("The server does not answer as Latchkey does.")
            yield from (row for row in rows if isinstance(row, dict))
            skip += len(rows)
            if not rows or not page.get("pagination", {}).get("has_more"):
                return

    def _call(self, method: str, path: str, *, query: Query | None = None, body: Any = None, once: bool = False) -> Any:
        """Send it until there is an answer, and return what that says. Raises Problem."""
        headers = {"Accept": "application/json"}
        if method == "POST":
            # The key is kept by token: while it is open whether something was done, the token stays the same.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        asked = _Asked(method, f"{self.url}{BASE}{path}", query, body, headers)
        token, renewed, unsure, tried = self._bearer.token(), False, False, 0
        while True:
            tried += 1
            answer = self._send(asked, token)
            if answer is None or answer.status_code in _PASSING:
                if once or tried >= TRIES:
                    raise self._silent(answer, method, once)
                unsure = True
                _let_go(answer)
                time.sleep(0.5 * 2 ** (tried - 1))
            elif answer.status_code == 429 and tried < TRIES:
                _let_go(answer)
                time.sleep(_seconds_to_wait(answer))
            elif answer.status_code == 401 and not renewed and not unsure:
                renewed, other = True, self._bearer.renewed(token)
                if not other:
                    return self._judged(answer)
                token = other
            else:
                return self._judged(answer)

    def _send(self, asked: _Asked, token: str) -> requests.Response | None:
        """Send it once; None where no answer came. Redirects are never followed: the token stays here."""
        try:
            return self._session.request(
                asked.method,
                asked.address,
                params=asked.query,
                json=asked.body,
                headers=asked.headers,
                auth=_Authorization(token),
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
        except requests.exceptions.SSLError as wrong:
            raise Unreachable(
                f"{self.url} does not prove who it is.", then="Check the address, or set REQUESTS_CA_BUNDLE."
            ) from wrong
        except (requests.ConnectionError, requests.Timeout):
            return None
        except (requests.RequestException, ValueError) as wrong:
            raise Unreachable(f"{self.url} cannot be asked.", then="Check the address.") from wrong

    def _silent(self, answer: requests.Response | None, method: str, once: bool) -> Problem:
        """Return what to say where the server gave no answer that counts."""
        what = "does not answer" if answer is None else f"answers {answer.status_code}"
        then = "Try again in a moment; check the address with `latchkey whoami`."
        if once:
            then = "If credentials were handed out, they are lost: `latchkey reset` has new ones made."
        elif method == "POST":
            then = "Look first whether it was done: `latchkey requests`."
        return Unreachable(f"{self.url} {what}.", then=then)

    def _judged(self, answer: requests.Response) -> Any:
        """Return what an answer says. Raises the Problem it tells of."""
        try:
            body = read(answer)
        except requests.RequestException as wrong:
            raise Unreachable("The line broke in the middle of the answer.", then="Try again.") from wrong
        data, status = told(body), answer.status_code
        if 200 <= status < 300 and (data is not None or not body):
            return data
        if 200 <= status < 300:
            raise Unreachable(f"{self.url} does not answer as Latchkey does.", then="Check the address.")
        if 300 <= status < 400:
            raise Unreachable(
                f"{self.url} sends us elsewhere, where your token does not go.",
                then="If Latchkey has moved, sign in at its new address: latchkey login URL.",
            )
        raise _problem(status, data if isinstance(data, dict) else {})


def quoted(text: str) -> str:
    """Return a text as one part of an address, whatever is in it. Raises NotYours for what would lead out of it."""
    if not text.strip("."):
        raise NotYours(f"There is nothing called “{text}”.")
    return quote(text, safe="")


def _let_go(answer: requests.Response | None) -> None:
    if answer is not None:
        answer.close()


def _seconds_to_wait(answer: requests.Response) -> float:
    """Return how long to wait after a 429. Raises Unreachable where that is longer than anybody waits."""
    text = answer.headers.get("Retry-After", "")
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    if seconds > WAIT_MAX:
        raise Unreachable(f"Too often: the server wants us to wait {seconds} s.", then="Try again after that.")
    return seconds


def _problem(status: int, body: dict[str, Any]) -> Problem:
    """Return the problem that an answer tells of, in its own words."""
    detail = str(body.get("detail") or f"The server answers {status}.")
    kind, then = _KINDS.get(status, (Unreachable if status >= 500 else Problem, ""))
    if body.get("code") == "missing_scope":
        then = "Sign in again for more rights: latchkey login"
    if status >= 500:
        then = "Try again later; if it stays so, tell whoever runs Latchkey."
    return kind(detail, then=then)


_KINDS: dict[int, tuple[type[Problem], str]] = {
    401: (SignedOut, "Sign in: latchkey login"),
    403: (NotYours, ""),
    404: (NotYours, ""),
    409: (Conflict, ""),
    422: (Refused, ""),
    429: (Unreachable, "Wait a minute and try again."),
}
