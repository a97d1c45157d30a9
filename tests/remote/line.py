"""The line between worker and server, in the hands of a test: it passes, delays, swallows, cuts, listens, proxies."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from contextlib import suppress

from tests.servers import free_port


class Line:
    """A TCP proxy in front of a port, with a tap. With `tls`, it ends TLS as a reverse proxy does.

    Everything it is told holds for connections there are, and new ones.

    `swallow`: bytes go nowhere and nobody is told (half-open). `refuse`: new connections are closed at once. `delay`:
    seconds that every piece waits. `no_sockets`: the status that an upgrade to a web socket gets, as from a proxy.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port, self.target, self.tls = free_port(), port, tls
        self.swallow = self.refuse = False
        self.delay = 0.0
        self.no_sockets = 0
        self.heard = bytearray()
        self.upgrades = self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the address of this end."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset every connection."""
        for one in self._open:
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.close()
        self._open.clear()

    def close(self) -> None:
        """End the line."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                self.connections += 1
                if self.refuse:
                    here.close()
                    continue
                threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        with suppress(OSError):
            here = self.tls.wrap_socket(here, server_side=True) if self.tls else here
            there = socket.create_connection(("127.0.0.1", self.target))
            self._open += [here, there]
            threading.Thread(target=self._carry, args=(there, here, False), daemon=True).start()
            self._carry(here, there, True)

    def _carry(self, source: socket.socket, target: socket.socket, out: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self.heard += piece
                if out and b"upgrade: websocket" in piece.lower():
                    self.upgrades += 1
                    if self.no_sockets:
                        source.sendall(f"HTTP/1.1 {self.no_sockets} No\r\nContent-Length: 0\r\n\r\n".encode())
                        break
                if self.delay:
                    time.sleep(self.delay)
                if not self.swallow:
                    target.sendall(piece)
        if not self.swallow:
            for one in (source, target):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class OutboundProxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy as companies have them: CONNECT, and plain requests with a whole address. `asked` is what for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Outbound)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Outbound(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline().decode()
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        method, address, _ = line.split(" ", 2)
        self.server.asked.append(f"{method} {address}")  # type: ignore[attr-defined]
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
            return
        # Whatever name is asked for, this machine answers: the proxy resolves, not the worker.
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as there:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=self._carry, args=(there, self.connection), daemon=True)
            back.start()
            self._carry(self.connection, there)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
