"""Sends HTTP requests to one service: under a lease, paced, with typed errors, bounded answers and no redirects."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import requests
from requests.auth import AuthBase

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.sound import sound
from connectors.toolkit.http_files import Composed, RequestFile
from connectors.toolkit.pace import Pace
from connectors.toolkit.program_files import ProgramFile

__all__ = ["Answer", "Pace", "Service", "body_of", "parsed", "refusal", "unreachable"]

USER_AGENT = "latchkey-connector"
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
BODY_MAX = 32 * 2**20
CHUNK = 64 * 2**10
SAID_MAX = 300
LONGEST_AFTER = 86_400.0
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered. `data` is the parsed JSON, or None where the body is empty or no JSON."""

    status: int
    data: Any
    headers: Mapping[str, str]
    text: str = field(repr=False, default="")


class Service:
    """One HTTP service, as one order sees it. Use it as a context: its connections are closed at the end."""

    def __init__(
        self,
        base: str,
        run: Run,
        *,
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | tuple[str, str] | None = None,
        verify: bool | str = True,
        certificate: tuple[str, str] | None = None,
        dry_run: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """Connect to nothing yet.

        `verify` is False, True, or the path of a file with the service's CA. `certificate` names the files of our own
        certificate and its key.

        Raises Misconfigured for a base that is no http(s) address.
        """
        if not base.startswith(("https://", "http://")):
            raise Misconfigured(f"{base!r} is no address: it begins with https:// or http://.")
        self.address, self.base = base, base.rstrip("/")
        self.run = run
        self.dry_run = dry_run
        self._pace = pace
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": JSON, **(headers or {})})
        self._session.auth = auth
        # Given with each request: on the session, a CA bundle in the environment would be preferred to it.
        self._verify = verify
        self._session.cert = certificate

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._session.close()

    def read(self, file: RequestFile, /, *, accept: Collection[int] = (200,), **values: Any) -> Answer:
        """Send a request that only reads. Raises a TargetError for a status that is not in `accept`."""
        admitted = self.run.note(file)
        return self._send(admitted, admitted.compose(values), accept)

    def change(
        self, file: RequestFile, /, *, accept: Collection[int] = (200, 201, 202, 204), **values: Any
    ) -> Answer | None:
        """Send a request that changes something; in a dry run write down what it would be, and return None."""
        if self.dry_run:
            admitted = self.run.admit(file)
            words = admitted.compose(values, hide_secrets=True).in_words()
            self.run.programs.append(Program(admitted.name, words))
            return None
        admitted = self.run.note(file)
        return self._send(admitted, admitted.compose(values), accept)

    def post(self, file: ProgramFile, body: bytes, /) -> Answer:
        """Send JSON, byte by byte as it is, to the service's own address. Raises a TargetError for all but 200.

        Whether it changes something is for the caller to know, who has asked the rules and thought of dry runs.
        """
        return self._exchange(file, (200,), "POST", self.address, data=body, headers={"Content-Type": JSON})

    def _send(self, file: RequestFile, request: Composed, accept: Collection[int]) -> Answer:
        """Send a request file with its slots filled."""
        url = self.base + request.path
        return self._exchange(
            file, accept, request.method, url, params=request.query or None, json=request.body, data=request.form
        )

    def _exchange(self, file: ProgramFile, accept: Collection[int], method: str, url: str, **given: Any) -> Answer:
        """Send a request within what is left of the lease and judge the answer."""
        if self._pace is not None:
            self.run.alive()
            self._pace.wait(self.run.remaining())
        left = self.run.remaining()
        self.run.alive()  # asked last: so what was left is more than nothing
        try:
            with self._session.request(
                method,
                url,
                **given,
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            ) as response:
                body = body_of(response, self.run.alive, self.base)
                text = body.decode(response.encoding or "utf-8", errors="replace")
        except requests.RequestException as error:
            self.run.alive()
            raise unreachable(self.base, error) from error
        answer = Answer(response.status_code, parsed(text), response.headers, text)
        if answer.status not in accept:
            raise refusal(answer, file, self.base)
        return answer


def body_of(response: requests.Response, alive: Callable[[], None], base: str, most: int = BODY_MAX) -> bytes:
    """Return the body, as long as it has at most `most` bytes and `alive` raises nothing."""
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        alive()
        body += chunk
        if len(body) > most:
            size = f"{most // 2**20} MB" if most >= 2**20 else f"{most // 2**10} KB"
            raise Misconfigured(f"{base} answered with more than {size}.")
    return bytes(body)


def unreachable(base: str, error: requests.RequestException) -> Unreachable:
    """Return the typed error for a request that got no answer, without its own words: they may hold a value."""
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"{base} did not prove who it is.", fix="Give the connector the CA that signed it.")
    if isinstance(error, requests.Timeout):
        return Unreachable(f"{base} did not answer in time.", fix="It is tried again.")
    return Unreachable(f"{base} is unreachable ({type(error).__name__}).", fix="It is tried again.")


def refusal(answer: Answer, file: ProgramFile, base: str) -> TargetError:
    """Return the typed error for an answer that was not expected."""
    words = f"{base} answered {answer.status} to {file.name}{_said(answer)}"
    if answer.status == 401:
        return CredentialsRejected(words, fix="Ask the owner of the integration for new credentials.")
    if answer.status == 403 and not _limited(answer):
        return NotPermitted(words, fix=f"It needs {file.needs}." if file.needs else "")
    if answer.status in {404, 410}:
        return TargetMissing(words)
    if answer.status in {403, 408, 425, 429} or answer.status >= 500:
        return Unreachable(words, fix=_when(answer), after=_after(answer))
    return Misconfigured(words)


def _limited(answer: Answer) -> bool:
    """Say whether a 403 means that too much was asked, not that something is forbidden."""
    return "Retry-After" in answer.headers or answer.headers.get("X-RateLimit-Remaining") == "0"


def _when(answer: Answer) -> str:
    """Return when the service may be asked again, as far as it says."""
    after, reset = answer.headers.get("Retry-After", ""), answer.headers.get("X-RateLimit-Reset", "")
    if after.isdecimal():
        return f"It asks to wait {after} s."
    # A small number is a stretch, not a moment (`_after`).
    moment = reset.isdecimal() and len(reset) <= 10 and int(reset) > LONGEST_AFTER
    if answer.headers.get("X-RateLimit-Remaining") == "0" and moment:
        return f"It may be asked again at {datetime.fromtimestamp(int(reset), UTC):%Y-%m-%d %H:%M:%S} UTC."
    return "It is tried again."


def _after(answer: Answer) -> float:
    """Return how many seconds the service asks to be left alone; 0 where it does not say, a day at most.

    Retry-After says it in seconds or as a date; some say the moment in a header of their own, in seconds since 1970.
    What is a date is held against the service's own clock, where it tells it.
    """
    after = answer.headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return float(min(int(after[:9]), LONGEST_AFTER))
    here = _date(answer.headers.get("Date", "")) or datetime.now(UTC).timestamp()
    until = _date(after)
    for name in ("X-Rate-Limit-Reset", "X-RateLimit-Reset", "RateLimit-Reset"):
        told = answer.headers.get(name, "").strip()
        # Some tell a moment and some a stretch; a stretch is no longer than a day.
        if until is None and answer.status == 429 and told.isdecimal() and len(told) <= 10:
            until = float(told) if int(told) > LONGEST_AFTER else here + float(told)
    return min(max(until - here, 0.0), LONGEST_AFTER) if until is not None else 0.0


def _date(text: str) -> float | None:
    """Return the moment that a header's date is, or None."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError):
        return None


def parsed(text: str) -> Any:
    """Return the text as JSON, or None; also where it is nested deeper than anything honest is.

    What no database keeps (`contract.sound`) is made harmless here, where every record of every service comes in:
    pages, errors and messages of a connector elsewhere are made of it alike.
    """
    try:
        return sound(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        return None


def _said(answer: Answer) -> str:
    """Return what the service said about it, if it said so in one of the usual places."""
    data = answer.data if isinstance(answer.data, dict) else {}
    said = data.get("message") or data.get("reason") or data.get("error_description") or data.get("error") or ""
    return f": {said[:SAID_MAX]}" if isinstance(said, str) and said else "."
