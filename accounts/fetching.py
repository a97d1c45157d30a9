"""How we ask identity providers: bounded in size and in time as a whole, no redirects, and never led inside.

A provider names the addresses that we call. One that is out in the world has no business to name some inside our
network: such a connection is closed before a byte is sent. A provider that is inside itself may.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from requests import Response, Session, Timeout
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError, TooManyRedirects
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

ANSWER_MAX = 512 * 1024
_CHUNK = 16 * 1024


class Unusable(OAuth2Error):  # type: ignore[misc]  # allauth ships no types
    """The provider's answer breaks the standard; unlike with other errors, the message is ours and may be logged."""


@dataclass
class _Call:
    """One call that is under way: for whom, and over which sockets.

    A connection forgets its socket once an answer without a length has begun, so the sockets themselves are kept.
    """

    host: str
    sockets: list[socket.socket] = field(default_factory=list)
    late: bool = False

    def give_up(self) -> None:
        """Break off: whoever answers a byte at a time holds no page longer than the time there is."""
        self.late = True
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It is closed already.
                continue


_call: ContextVar[_Call] = ContextVar("accounts_provider_call")


def is_inside(address: str) -> bool:
    """Whether a network address is none of the public ones."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return not (mapped or found).is_global


def _leads_inside(host: str) -> bool:
    """Whether a provider's own name leads inside. Raises OSError where nobody knows it."""
    return any(is_inside(str(one[4][0])) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))


def _admitted(made: socket.socket) -> socket.socket:
    """Return the socket, if it leads where this provider may lead us. Raises Unusable."""
    call = _call.get()
    call.sockets.append(made)
    if is_inside(str(made.getpeername()[0])) and not _leads_inside(call.host):
        made.close()
        raise Unusable("The provider names an address inside our own network.")
    return made


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _admitted(super()._new_conn())


class _Https(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        # TLS has taken the first socket over.
        _call.get().sockets.append(self.sock)

    def _new_conn(self) -> socket.socket:
        return _admitted(super()._new_conn())


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    """Connects by our connections, except through a proxy of the operator's, which has rules of its own."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class BoundedSession(Session):
    """Asks the provider at `host`, in `seconds` for each call from beginning to end."""

    def __init__(self, host: str, seconds: float) -> None:
        """Connect to nothing yet."""
        super().__init__()
        self.host, self.seconds = host, seconds
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())
        # A small answer packed to become a huge one is not even asked for.
        self.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    def request(self, method: str | bytes, url: str | bytes, **given: Any) -> Response:  # type: ignore[override]
        """Send it and read the answer. Raises RequestException, Unusable."""
        call = _Call(self.host)
        token, timer = _call.set(call), threading.Timer(self.seconds, call.give_up)
        timer.daemon = True
        timer.start()
        try:
            given |= {"timeout": self.seconds, "allow_redirects": False, "stream": True}
            answer = super().request(method, url, **given)
            whole = _read(answer, time.monotonic() + self.seconds)
            if call.late:
                # Cut off in the middle, which looks like an end where no length was told.
                raise Timeout("The provider took too long.")
            return whole
        except OSError as error:
            # RequestException is one too.
            if call.late:
                raise Timeout("The provider took too long.") from error
            raise
        finally:
            timer.cancel()
            _call.reset(token)


def _read(answer: Response, until: float) -> Response:
    """Read the body, no more of it than there may be."""
    with answer:
        if answer.is_redirect or 300 <= answer.status_code < 400:
            raise TooManyRedirects("None is followed.", response=answer)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ContentDecodingError("It is packed, though that was not asked for.", response=answer)
        body = b""
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > ANSWER_MAX:
                raise Unusable("The provider's answer is too long.")
            if time.monotonic() > until:
                raise Timeout("The provider took too long.")
    answer._content = body
    answer.headers.setdefault("content-type", "text/plain")
    return answer
