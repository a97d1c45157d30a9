"""Real servers for the journeys: one of each version, shared by the tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.targets import PostgresServer, missing, running


class Servers:
    """Starts a server of a version when it is first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.found: dict[int, PostgresServer] = {}

    def get(self, version: int) -> PostgresServer:
        """Return the running server of this version, or skip the test with the reason."""
        if why := missing(version):
            pytest.skip(why)
        if version not in self.found:
            self.found[version] = self.stack.enter_context(running(version))
        return self.found[version]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Servers that live as long as the test process."""
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture
def fresh_server() -> Iterator[PostgresServer]:
    """A server of the test's own, which it may break."""
    if why := missing(16):
        pytest.skip(why)
    with running(16) as server:
        yield server
