"""Says over HTTP whether a worker is linked, for whoever restarts it: GET /healthz."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(address: tuple[str, int], problem: Callable[[], str]) -> ThreadingHTTPServer:
    """Serve in a thread of its own; `problem` says what is wrong, or nothing. Raises OSError."""

    class Handler(BaseHTTPRequestHandler):
        """Knows one address."""

        timeout = 5

        def do_GET(self) -> None:
            """Answer 200 while linked, 503 while not, with the reason."""
            wrong = problem()
            status, words = (404, "There is /healthz.") if self.path != "/healthz" else (503 if wrong else 200, wrong)
            body = (words or "ok").encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: object) -> None:
            """Say nothing: a probe comes every few seconds."""

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
