"""Runs a domain controller in network and process namespaces of its own, and carries connections into it.

    unshare --net --pid --fork --kill-child -- python samba_namespace.py SMB_CONF FD:PORT …

Its ports are fixed, so it gets a network of its own. A listening socket belongs to the namespace it was made in, so the
ones we inherit are outside, and what we connect to is inside. All of it ends when our standard input does.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

PATIENCE_SECONDS = 30.0


def carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until one side stops."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def forward(outside: socket.socket, port: int) -> None:
    """Connect whoever comes from outside with a port inside."""
    while True:
        caller, _ = outside.accept()
        try:
            called = socket.create_connection(("127.0.0.1", port))
        except OSError:
            caller.close()
            continue
        for ends in ((caller, called), (called, caller)):
            threading.Thread(target=carry, args=ends, daemon=True).start()


def wait_for(port: int) -> None:
    """Wait until a port answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def main(configuration: str, *pairs: str) -> None:
    """Start it, say so, and go on until nobody holds our standard input."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.Popen(["samba", "-s", configuration, "-i", "-M", "single"], stdin=subprocess.PIPE)
    for fd, port in (map(int, pair.split(":")) for pair in pairs):
        wait_for(port)
        outside = socket.socket(fileno=fd)
        threading.Thread(target=forward, args=(outside, port), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
