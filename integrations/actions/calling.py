"""The one way in which the server itself calls other systems: one client, one guard against calling inwards.

Nothing of a call is kept here but OAuth tokens, in memory, for their life. What fails is said with the host's name and
without path, query, body or header: those may hold secrets.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection

from connectors.contract.errors import Misconfigured, Refused, TargetError, Unreachable
from connectors.contract.secret import Secret
from connectors.stores import builtin
from connectors.toolkit.calling import Call, Rules, place_of, send
from connectors.toolkit.guard import Exceptions, exceptions
from connectors.toolkit.http import Answer
from integrations.actions.secrets import open_secrets

TOKENS_KEPT = 500
# A token is not used in its last seconds: it may run out on the way.
TOKEN_MARGIN = 30.0
TOKEN_LIFE_MAX = 24 * 3600.0
TOKEN_LENGTH_MAX = 20_000
# A secret as callers hold it: the id of what is kept, or what was typed just now (hidden()).
Held = uuid.UUID | Secret


class CallFailed(Exception):
    """A call came to no answer. The message names the host; `again` says whether trying again may help."""

    def __init__(self, message: str, *, again: bool) -> None:
        """Keep what went wrong."""
        super().__init__(message)
        self.again = again


@dataclass(frozen=True, slots=True)
class OAuth:
    """Client credentials: where tokens come from, and who asks."""

    token_url: str
    client_id: str
    scope: str
    secret: Held


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call. `body` is JSON; of a GET it is an object, sent as the query."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Held] = field(default_factory=dict)
    oauth: OAuth | None = None
    body: Any = None
    timeout_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Called:
    """What a system answered. `data` is the parsed JSON, or None where it is none."""

    status: int
    data: Any = field(repr=False)
    text: str = field(repr=False)


def hidden(value: str) -> Secret:
    """Return a value that was typed just now so that it cannot be printed."""
    return Secret(value)


def call_out(outgoing: Outgoing) -> Called:
    """Call another system and return its answer, of whatever status. Raises CallFailed.

    Raises RuntimeError inside a transaction: nobody's rows wait for somebody else's server.
    """
    if connection.in_atomic_block:
        raise RuntimeError("Another system must not be called inside a transaction.")
    try:
        answer = _send(outgoing, _opened(outgoing))
    except TargetError as error:
        raise CallFailed(f"{error.message} {error.fix}".strip(), again=isinstance(error, Unreachable)) from None
    except (builtin.SecretUnreadable, ValueError):
        raise CallFailed("A secret of it cannot be opened: type it again.", again=False) from None
    return Called(answer.status, answer.data, answer.text)


def why_no_address(url: str) -> str:
    """Return why an address could not be called, in words, as far as that can be said without calling."""
    try:
        place_of(url, plain=settings.CALL_PLAIN_HTTP)
    except (Misconfigured, Refused) as error:
        return f"{error.message} {error.fix}".strip()
    return ""


def calls_problem() -> str:
    """Return what is wrong with the setting of private addresses; nothing when it is understood."""
    try:
        exceptions(settings.CALL_PRIVATE_ADDRESSES)
    except ValueError as error:
        return str(error)
    return ""


def _rules() -> Rules:
    try:
        excepted = exceptions(settings.CALL_PRIVATE_ADDRESSES)
    except ValueError:  # a system check tells; until then nothing private is called
        excepted = Exceptions()
    return Rules(excepted, plain=settings.CALL_PLAIN_HTTP, ca_file=settings.CALL_CA_FILE)


def _opened(outgoing: Outgoing) -> dict[Held, Secret]:
    """Return every secret of a call, by how the caller holds it."""
    held = [*outgoing.secrets.values(), *([outgoing.oauth.secret] if outgoing.oauth else [])]
    typed: dict[Held, Secret] = {one: one for one in held if isinstance(one, Secret)}
    return typed | dict(open_secrets(one for one in held if isinstance(one, uuid.UUID)).items())


def _send(outgoing: Outgoing, opened: Mapping[Held, Secret]) -> Answer:
    rules = _rules()
    secrets = {name: opened[held] for name, held in outgoing.secrets.items()}
    if outgoing.oauth:
        token = _token(outgoing.oauth, opened[outgoing.oauth.secret], rules, outgoing.timeout_seconds)
        secrets["Authorization"] = Secret(f"Bearer {token.reveal()}")
    reads = outgoing.method == "GET"
    answer = send(
        Call(
            outgoing.method,
            outgoing.url,
            headers=outgoing.headers,
            secrets=secrets,
            json=None if reads else outgoing.body,
            query=outgoing.body if reads else None,
            timeout=outgoing.timeout_seconds,
        ),
        rules,
    )
    if answer.status == 401 and outgoing.oauth:
        _tokens.forget(outgoing.oauth, opened[outgoing.oauth.secret])
    return answer


def _token(oauth: OAuth, secret: Secret, rules: Rules, timeout: float) -> Secret:
    """Return a token that is still good, or a new one. Raises TargetError, without what the system said."""
    kept = _tokens.get(oauth, secret)
    if kept is not None:
        return kept
    began = time.monotonic()
    form = {"grant_type": "client_credentials", "client_id": oauth.client_id, "client_secret": secret.reveal()}
    if oauth.scope:
        form["scope"] = oauth.scope
    answer = send(Call("POST", oauth.token_url, form=form, timeout=timeout), rules)
    if answer.status == 429 or answer.status >= 500:
        raise Unreachable(f"The system that gives tokens answered {answer.status}.")
    data = answer.data if isinstance(answer.data, dict) else {}
    value, life = data.get("access_token"), data.get("expires_in")
    if answer.status != 200 or not isinstance(value, str) or not 0 < len(value) <= TOKEN_LENGTH_MAX:
        raise Misconfigured(f"The system that gives tokens answered {answer.status} and gave none.")
    token = Secret(value)
    if isinstance(life, int | float) and not isinstance(life, bool) and life > 0:
        _tokens.keep(oauth, secret, token, began + min(float(life), TOKEN_LIFE_MAX) - TOKEN_MARGIN)
    return token


class Tokens:
    """Tokens of this process, in memory only, each until its life is over."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[str, tuple[Secret, float]] = {}
        self._lock = threading.Lock()

    def get(self, oauth: OAuth, secret: Secret) -> Secret | None:
        """Return the token if it is still good."""
        with self._lock:
            token, until = self._kept.get(_key(oauth, secret), (None, 0.0))
        return token if time.monotonic() < until else None

    def keep(self, oauth: OAuth, secret: Secret, token: Secret, until: float) -> None:
        """Keep a token until then, by the monotonic clock."""
        now = time.monotonic()
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if one[1] > now}
            while len(self._kept) >= TOKENS_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[_key(oauth, secret)] = (token, until)

    def forget(self, oauth: OAuth, secret: Secret) -> None:
        """Forget a token that was refused."""
        with self._lock:
            self._kept.pop(_key(oauth, secret), None)


def _key(oauth: OAuth, secret: Secret) -> str:
    parts = (oauth.token_url, oauth.client_id, oauth.scope, secret.reveal())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


_tokens = Tokens()
