"""A Samba domain controller of its own for connectors.vet.live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.orders import Person, Unit
from tests import targets_samba
from tests.directories import PASSWORD, World


class ActiveDirectoryLive:
    """A domain with a person, groups that the connector may write, and objects that only their members can read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.config: dict[str, Any] = world.config()
        self.secrets = {"password": PASSWORD}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com", "ada.live"))
        self.units = (world.unit("Shop Readers"), world.unit("Shop Writers"))

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Sign in as the person, with their own password, and read what only members of the group can see."""
        return self._world.sees("ada.live@jit.test", "Ada-Pass-1!", unit)

    def snapshot(self) -> object:
        """Return the members of every group, and all records."""
        return self._world.snapshot()

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> None:
        """There is none to end: what a ticket says holds until it expires, whoever is taken out meanwhile."""

    def give_standing(self, unit: Unit) -> bool:
        """Make the person a member by hand."""
        self._world.join("Ada Live", unit)
        return True

    def take_standing(self, unit: Unit) -> None:
        """Take them out again."""
        self._world.leave("Ada Live", unit)


def missing() -> str:
    """Return why there can be no domain controller."""
    return targets_samba.missing()


@contextmanager
def live() -> Iterator[ActiveDirectoryLive]:
    """Start a prepared domain."""
    with targets_samba.running() as server:
        world = World(server)
        world.prepare()
        yield ActiveDirectoryLive(world)
