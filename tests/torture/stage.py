"""Everything that runs: our database, the broker, web, workers, beat, remote connectors, and two targets."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.platform.processes import ROOT, environment
from tests.remote.ledger import PROVIDERS
from tests.targets import PostgresServer
from tests.torture.parts import Child, Database, Disk, Line, free_port, python

LEASE_SECONDS = 6
MODULE = "tests.torture.settings"
KEYS = {
    "LATCHKEY_SECRET_KEY": "a secret key that is for tests only, long enough to please the checks: 0123456789",
    "LATCHKEY_STORE_KEYS": f"test:{'5a' * 32}",
    "LATCHKEY_SEALING_KEYS": f"test:{'a5' * 32}",
    "LATCHKEY_SIGNING_KEYS": f"test:{'3c' * 32}",
}
WEB = ["-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--port"]
WORKER = ["-m", "celery", "-A", "config", "worker", "--loglevel", "WARNING", "--concurrency", "4"]
BEAT = ["-m", "celery", "-A", "config", "beat", "--pidfile=", "--loglevel", "WARNING"]


@dataclass
class Stage:
    """The processes of a production on this machine, by name."""

    folder: Path
    rng: random.Random
    children: dict[str, Child] = field(default_factory=dict)
    web_port: int = field(default_factory=free_port)
    env: dict[str, str] = field(default_factory=dict)
    # A disk of its own under our database, where one can be mounted: then it can be full.
    disk: Disk | None = None
    migrated: bool = False

    def open(self) -> None:
        """Start the servers, and let this process be one of the platform's too."""
        self.theirs = Database("target", PostgresServer(16, port=free_port()))
        self.disk = Disk.mount()
        folder = {"folder": self.disk.folder} if self.disk else {}
        options = ("-c max_connections=150", "-c max_wal_size=64MB", "-c min_wal_size=32MB")
        self.ours = Database("postgresql", PostgresServer(16, options, port=free_port(), **folder))
        self.theirs.server.create()
        self.migrated = _take_migrated(self.ours.server)
        with ThreadPoolExecutor() as both:
            list(both.map(lambda one: one.server.start(), (self.ours, self.theirs)))
        self.line = Line(self.theirs.server.port, self.rng)
        self.line.start()
        broker = free_port()
        program = shutil.which("redis-server") or "redis-server"
        command = [program, "--port", str(broker), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.children["redis"] = Child("redis", command, dict(os.environ), self.folder / "redis.log")
        self.children["redis"].start()
        ours = self.ours.server
        self.env = environment(
            **KEYS,
            LATCHKEY_EMBEDDED="true",
            LATCHKEY_DATA=str(self.folder),
            LATCHKEY_DATABASE_URL=f"postgresql://postgres:{ours.password}@127.0.0.1:{ours.port}/postgres",
            LATCHKEY_REDIS_URL=f"redis://127.0.0.1:{broker}/0",
            LATCHKEY_PUBLIC_URL=self.address,
            LATCHKEY_LEASE_SECONDS=str(LEASE_SECONDS),
            LATCHKEY_HEARTBEAT_SECONDS="1",
            LATCHKEY_PROVIDERS=str(PROVIDERS),
            DJANGO_SETTINGS_MODULE=MODULE,
        )
        os.environ.update(self.env)

    def keep_migrated(self) -> None:
        """Keep our database as it is after migrating: the next run begins with a copy, which is much quicker."""
        server, place = self.ours.server, _migrated()
        server.stop()
        with suppress(OSError), tempfile.TemporaryDirectory(dir=place.parent) as made:
            subprocess.run(["cp", "-a", str(server.folder / "data"), f"{made}/data"], check=True)
            Path(made, "data").rename(place)
        server.start()

    @property
    def address(self) -> str:
        """Return where people go."""
        return f"http://127.0.0.1:{self.web_port}"

    def clock(self, name: str) -> Path:
        """Return the file that shifts a process's clock."""
        return self.folder / f"{name}.clock"

    def start(self) -> None:
        """Start the platform's processes."""
        commands = {"web": [*WEB, str(self.web_port)], "worker-1": WORKER, "worker-2": WORKER, "beat": BEAT}
        for name, command in commands.items():
            env = self.env | {"LATCHKEY_TORTURE_CLOCK": str(self.clock(name))}
            self.children[name] = python(name, command, env, self.folder)
            self.children[name].start()

    def start_remote(self, token: str, count: int = 2) -> None:
        """Start instances of a remote connector."""
        kept = {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")}
        told = {"LATCHKEY_URL": self.address, "LATCHKEY_CONNECTOR_TOKEN": token, "LATCHKEY_PROVIDERS": str(PROVIDERS)}
        for number in range(1, count + 1):
            name = f"remote-{number}"
            command = [sys.executable, "-m", "connectors.runners.worker"]
            self.children[name] = Child(name, command, kept | told, self.folder / f"{name}.log")
            self.children[name].start()

    def close(self) -> None:
        """End everything that was started."""
        for child in self.children.values():
            child.resume()
            child.kill()
        for database in (getattr(self, "ours", None), getattr(self, "theirs", None)):
            if database is not None:
                with suppress(Exception):
                    database.resume()
                database.server.remove()
        if self.disk is not None:
            self.disk.unmount()


def _migrated() -> Path:
    """Return where a migrated data folder is kept: by a digest of all that makes it what it is."""
    files = [ROOT / "requirements" / "test.txt", *sorted(ROOT.glob("[!.b]*/**/migrations/*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    place = ROOT / "build" / "torture" / f"migrated-{digest}"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _take_migrated(server: PostgresServer) -> bool:
    """Begin with a migrated data folder where one is kept; say whether there was."""
    if not (place := _migrated()).exists():
        server.create()
        return False
    if os.geteuid() == 0:
        shutil.copystat(place, server.folder)
        os.chown(server.folder, place.stat().st_uid, place.stat().st_gid)
    subprocess.run(["cp", "-a", str(place), str(server.folder / "data")], check=True)
    return True
