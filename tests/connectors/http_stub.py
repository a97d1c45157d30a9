"""HTTP servers in a thread, for what stands in for a service."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers requests. `world` is whatever a subclass keeps its state in."""

    world: Any
    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out one after the other: neither waits for the other side.
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        """Answer: bytes as they are, nothing for None, anything else as JSON."""
        body = b"" if data is None else data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in {**({"Content-Type": "application/json"} if body else {}), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    """A server that is not surprised when who asked has gone."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write the traceback of what went wrong here, and of nothing else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def listening(kind: type[Handler], world: Any) -> Iterator[str]:
    """Serve in a thread; yield the address."""
    server = _Server(("127.0.0.1", 0), type(kind.__name__, (kind,), {"world": world}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
