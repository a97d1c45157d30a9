"""Rita, Abel and Otto at their terminals, and the product running on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.serving import serving
from tests.cast import Cast
from tests.command_line.calling import Terminal, signed_in
from tests.story import Story, begin, flow, simulated_provider


@dataclass
class Place:
    """The story, the address of the product, and everybody's terminal."""

    story: Story
    url: str
    home: Path
    rita: Terminal
    abel: Terminal
    otto: Terminal

    def nobody(self, name: str = "new") -> Terminal:
        """Return a terminal at which nobody is signed in."""
        (self.home / name).mkdir()
        return Terminal(self.home / name)


@pytest.fixture
def place(fresh_database: None, cast: Cast, tmp_path: Path) -> Iterator[Place]:
    """Rita may ask for databases of a simulated server, Abel approves, Otto has no part in it."""
    with simulated_provider(), serving() as url:
        story = begin(cast)
        flow(story.integration)
        people = {"rita": cast.requester, "abel": cast.approver, "otto": cast.outsider}
        terminals = {name: signed_in(user, url, tmp_path / name) for name, user in people.items()}
        yield Place(story, url, tmp_path, **terminals)
