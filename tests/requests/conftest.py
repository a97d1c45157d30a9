"""Stories on a database of their own, with real commits: what happens after a commit really happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cast import Cast
from tests.story import Story, begin, flow, simulated_provider


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A simulated server with two databases and one flow that asks the approvers."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        yield told
