"""A story with a simulated target, told through clients of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cast import Cast
from tests.client_api.calling import Caller
from tests.story import Story, begin, flow, simulated_provider


@dataclass
class Desk:
    """The story, and the client of each of its people."""

    story: Story
    rita: Caller
    abel: Caller
    otto: Caller


def told(cast: Cast) -> Iterator[Desk]:
    """Connect the server, define the flow, and give each their client."""
    with simulated_provider():
        story = begin(cast)
        flow(story.integration)
        yield Desk(story, Caller(cast.requester), Caller(cast.approver), Caller(cast.outsider))


@pytest.fixture
def living(fresh_database: None, cast: Cast) -> Iterator[Desk]:
    """As `desk`, with real commits: what happens after a commit really happens."""
    yield from told(cast)


@pytest.fixture
def desk(db: None, cast: Cast) -> Iterator[Desk]:
    """Rita may ask for databases of a simulated server, Abel approves, Otto has no part in it."""
    yield from told(cast)
