"""What can be hurt: processes, a broker, a database server, a line. Each is known by the ids of what we started."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.platform.processes import ROOT
from tests.targets import PostgresServer

STOP_SECONDS = 15
START_TRIES = 10


def free_port() -> int:
    """Return a free port that no outgoing connection is given: what is killed needs the same one again."""
    while True:
        port = random.SystemRandom().randint(20000, 32000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Child:
    """A process of its own session, with whatever it starts."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True
            )

    def send(self, number: int) -> None:
        """Send a signal to all it is."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(STOP_SECONDS)

    def pause(self) -> None:
        """SIGSTOP."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)


def python(name: str, arguments: list[str], env: dict[str, str], folder: Path) -> Child:
    """Return a Python process."""
    return Child(name, [sys.executable, *arguments], env, folder / f"{name}.log")


@dataclass
class Database:
    """A PostgreSQL server, with what hurts it."""

    name: str
    server: PostgresServer

    def _pids(self) -> list[int]:
        """Return the postmaster's id and those of its children, from the file it keeps and the kernel's table."""
        file = self.server.folder / "data" / "postmaster.pid"
        try:
            first = int(file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return []
        found = [first]
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, IndexError, ValueError):
                if int(entry.read_text().rpartition(")")[2].split()[1]) == first:
                    found.append(int(entry.parent.name))
        return found

    def _send(self, number: int) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def start(self) -> None:
        """Start it, with the recovery it takes; what its last processes hold may be free a moment later."""
        for patience in range(START_TRIES):
            try:
                self.server.start()
                return
            except RuntimeError:
                if patience == START_TRIES - 1:
                    raise
                time.sleep(1)

    def kill(self) -> None:
        """SIGKILL of every process of it; stopped first, so that none is made meanwhile."""
        self._send(signal.SIGSTOP)
        pids = self._pids()
        self._send(signal.SIGKILL)
        deadline = time.monotonic() + STOP_SECONDS
        while any(Path(f"/proc/{pid}/exe").exists() for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)

    def pause(self) -> None:
        """SIGSTOP."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)

    def mend(self) -> None:
        """Start it if it has given itself up, as it does when its log has no room."""
        for _ in range(40):
            with suppress(Exception):
                self.server.run_sql("SELECT 1")
                return
            if not any(Path(f"/proc/{pid}").exists() for pid in self._pids()[:1]):
                self.start()
            time.sleep(0.25)

    def drop(self) -> None:
        """End every backend but the asking one."""
        self.server.run_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@dataclass
class Disk:
    """A disk in memory with little room, which can be full. Mounting takes root."""

    folder: Path
    megabytes: int = 400

    @staticmethod
    def mount() -> Disk | None:
        """Mount one; None where that is not allowed."""
        disk = Disk(Path(tempfile.mkdtemp(prefix="latchkey-disk-")))
        command = ["mount", "-t", "tmpfs", "-o", f"size={disk.megabytes}m", "tmpfs", str(disk.folder)]
        if os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return disk
        disk.folder.rmdir()
        return None

    def unmount(self) -> None:
        """Take it away."""
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
        with suppress(OSError):
            self.folder.rmdir()

    @property
    def ballast(self) -> Path:
        """Return the file that takes all the room."""
        return self.folder / "ballast"

    def fill(self) -> None:
        """Take all the room, also what comes free meanwhile."""
        with suppress(OSError), self.ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def empty(self) -> None:
        """Give it back."""
        self.ballast.unlink(missing_ok=True)


@dataclass
class Line:
    """A TCP line to a server, which can be cut at a byte, shut, or made slow."""

    server: int
    rng: random.Random
    port: int = field(default_factory=free_port)
    down: bool = False
    slow: float = 0.0
    # How many bytes still pass before what is open is cut; None: all.
    left: int | None = None
    cuts: int = 0
    ends: set[socket.socket] = field(default_factory=set)

    def start(self) -> None:
        """Listen, in a thread that ends with the process."""
        listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = listener.accept()
            try:
                if self.down:
                    raise OSError("down")
                there = socket.create_connection(("127.0.0.1", self.server), timeout=10)
            except OSError:
                client.close()
                continue
            there.settimeout(None)
            self.ends |= {client, there}
            for source, sink in ((client, there), (there, client)):
                threading.Thread(target=self._pump, args=[source, sink], daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if self.slow:
                    time.sleep(self.slow)
                if self.left is not None and self._cut(data, sink):
                    break
                sink.sendall(data)
        self._close(source, sink)

    def _cut(self, data: bytes, sink: socket.socket) -> bool:
        """Let a part of the data through and cut, when the bytes are used up."""
        left = self.left
        if left is None or len(data) <= left:
            self.left = None if left is None else left - len(data)
            return False
        sink.sendall(data[:left])
        self.left = self.rng.randint(1, 3000)
        self.cuts += 1
        return True

    def _close(self, *both: socket.socket) -> None:
        for one in both:
            self.ends.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def hang_up(self) -> None:
        """Cut everything that is open."""
        self._close(*list(self.ends))
