"""The admin site with a simulated target behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from tests.cast import Cast
from tests.simulated import TARGETS
from tests.story import Story, begin, flow, simulated_provider


@pytest.fixture
def simulated() -> Iterator[None]:
    """Let the registry know the simulated provider; no target remembers an earlier test."""
    TARGETS.clear()
    with simulated_provider():
        yield
    TARGETS.clear()


@pytest.fixture
def story(simulated: None, cast: Cast) -> Story:
    """A simulated server with two databases and one flow."""
    told = begin(cast)
    flow(told.integration)
    return told


def signed_in(user: User) -> Client:
    """Return a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(cast: Cast) -> Client:
    """A browser with the admin in it."""
    return signed_in(cast.admin)
