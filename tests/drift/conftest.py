"""Stories about drift: on a target where every grant gets a login, and on one with people's own accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cast import Cast
from tests.drift.looking import Looking, begin_accounts, begin_logins
from tests.story import simulated_provider


@pytest.fixture
def logins(db: None, cast: Cast) -> Iterator[Looking]:
    """A simulated server with two databases; engineers read them with an approver's yes."""
    with simulated_provider():
        yield begin_logins(cast)


@pytest.fixture
def accounts(db: None, cast: Cast) -> Iterator[Looking]:
    """A simulated directory with two groups; engineers may be members with an approver's yes."""
    with simulated_provider():
        yield begin_accounts(cast)
