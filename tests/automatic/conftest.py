"""A simulated server, and one flow that gives reading of its databases to engineers by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.automatic.giving import automatic_flow
from tests.cast import Cast
from tests.story import Story, begin, simulated_provider


@pytest.fixture
def bare(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """Two databases and no flow."""
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def story(bare: Story) -> Story:
    """The flow is there; Rita is an engineer and has what it gives."""
    automatic_flow(bare.integration)
    settle(bare)
    return bare


def settle(story: Story) -> None:
    """Do what the clock would."""
    from tests.automatic.giving import work

    work(story)
