"""A WinRM endpoint of our own before a real Samba controller, for connectors.vet.live: no PowerShell runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests import targets_samba
from tests.directories import World
from tests.live.active_directory import ActiveDirectoryLive
from tests.simulated_winrm import Endpoint, endpoint


class WindowsDomainControllerLive(ActiveDirectoryLive):
    """The same domain, entered through the endpoint."""

    def __init__(self, world: World, way: Endpoint) -> None:
        super().__init__(world)
        self.config = {
            "hostname": world.server.host,
            "port": way.port,
            "authentication": "basic",
            "ca": world.server.ca,
            "username": self.config["username"],
        }


def missing() -> str:
    """Return why there can be no domain controller."""
    return targets_samba.missing()


@contextmanager
def live() -> Iterator[WindowsDomainControllerLive]:
    """Start a prepared domain and the endpoint."""
    with targets_samba.running() as server:
        world = World(server)
        world.prepare()
        with endpoint(server) as way:
            yield WindowsDomainControllerLive(world, way)
