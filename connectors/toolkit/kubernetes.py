"""The API server of a Kubernetes cluster: its plain REST API, by request files."""

from __future__ import annotations

import os
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from connectors.contract.errors import Misconfigured, Unreachable
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import Composed, RequestFile
from connectors.toolkit.kubeconfig import Cluster

LIST_SIZE = 500
# A list that changes faster than it can be read is given up after so many beginnings.
BEGINNINGS = 3
LOST = (400, 410)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a list. `resume` leads to the next one; empty after the last. `left` is how many are to come."""

    items: tuple[dict[str, Any], ...]
    resume: str = ""
    left: int = 0


class ApiServer(Service):
    """An API server, as one order sees it. `now` is its own clock, by its last answer (seconds since the epoch)."""

    def __init__(self, cluster: Cluster, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet. Raises Misconfigured for an address, a CA or a certificate that is none."""
        if not cluster.server.startswith("https://"):
            raise Misconfigured(f"{cluster.server!r} is no address of an API server: it begins with https://.")
        super().__init__(cluster.server, run, auth=_Bearer(cluster.token), dry_run=dry_run)
        self._session.mount("https://", _Trusting(_context(cluster)))
        self.cluster = cluster
        self.now = time.time()

    def parts(self, file: RequestFile, /, *, size: int = LIST_SIZE, resume: str = "", **values: Any) -> Iterator[Part]:
        """Yield a list part by part. The file has the slots limit and resume beside those of `values`.

        The server forgets the place to go on at after some minutes (410). It then says where to go on with newer data,
        or the list begins again, as it does at a place that is none (400): what comes twice is the same thing.
        """
        begun = 1
        while True:
            accept = (200, *LOST) if resume else (200,)
            answer = self.read(file, accept=accept, limit=size, resume=resume or None, **values)
            data = answer.data if isinstance(answer.data, dict) else {}
            meta = data.get("metadata") or {}
            if answer.status in LOST:
                begun += 1
                if begun > BEGINNINGS:
                    raise Unreachable(
                        f"{self.base} lists {file.name} slower than it changes.", fix="It is tried again."
                    )
                resume = str(meta.get("continue") or "")
                continue
            resume = str(meta.get("continue") or "")
            yield Part(tuple(data.get("items") or ()), resume, int(meta.get("remainingItemCount") or 0))
            if not resume:
                return

    def every(self, file: RequestFile, /, **values: Any) -> list[dict[str, Any]]:
        """Return a whole list, each thing once."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for part in self.parts(file, **values):
            for item in part.items:
                meta = item["metadata"]
                found[meta.get("namespace", ""), meta["name"]] = item
        return list(found.values())

    def _send(self, file: RequestFile, request: Composed, accept: Any) -> Answer:
        """Send, and look at the server's clock."""
        answer = super()._send(file, request, accept)
        self.now = _date(answer.headers) or time.time()
        return answer


class _Bearer(AuthBase):
    """Signs in by a token; without one it still keeps requests from looking for a password in ~/.netrc."""

    def __init__(self, token: Secret | None) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class _Trusting(HTTPAdapter):
    """Trusts what its own context trusts, whatever the environment says about certificates."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


def _context(cluster: Cluster) -> ssl.SSLContext:
    """Return what proves the server to us and, where there is a certificate, us to the server."""
    try:
        context = ssl.create_default_context(cadata=cluster.ca or None)
    except (ssl.SSLError, ValueError) as error:
        raise Misconfigured("The CA is no certificate in PEM.") from error
    if cluster.certificate and cluster.key is not None:
        try:
            _load(context, cluster.certificate, cluster.key)
        except (ssl.SSLError, ValueError) as error:
            raise Misconfigured("The client certificate and its key do not fit together, or are no PEM.") from error
    return context


def _load(context: ssl.SSLContext, certificate: str, key: Secret) -> None:
    """Give a context a certificate. It can only read one from a file, which is ours alone and gone at once."""
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{certificate.rstrip()}\n{key.reveal()}")
        # A key that asks for a passphrase would otherwise be asked about on the terminal.
        context.load_cert_chain(name, password="")
    finally:
        Path(name).unlink()


def _date(headers: Mapping[str, str]) -> float:
    """Return the moment in the Date header, 0 without one."""
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(headers.get("Date", "")).timestamp()
    return 0.0
