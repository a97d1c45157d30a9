"""One server for the tests of a module: it takes seconds to start, and they do not get into each other's way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType

from connectors.registry import BUILT_IN
from tests.cast import assemble
from tests.journeys.conftest import fresh_server  # noqa: F401  # a fixture of theirs that serves here too
from tests.journeys.stack import Stack
from tests.remote.ledger import PROVIDERS
from tests.remote.world import SETTINGS, World, people


@pytest.fixture(scope="module")
def further_settings() -> dict[str, str]:
    """Settings of the server beside those of all; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def served(
    template_database: None,
    django_db_blocker: object,
    tmp_path_factory: pytest.TempPathFactory,
    further_settings: dict[str, str],
) -> Iterator[World]:
    """A server on a database of its own, and the cast."""
    from pytest_django import DjangoDbBlocker

    from tests import databases

    assert isinstance(django_db_blocker, DjangoDbBlocker)
    folder = tmp_path_factory.mktemp("remote")
    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    with django_db_blocker.unblock(), databases.clone():
        ContentType.objects.clear_cache()
        BUILT_IN.add(PROVIDERS)
        stack = Stack(folder, more=SETTINGS | further_settings)
        stack.move_in()
        world = World(stack, assemble(), folder)
        people(world.cast)
        stack.start()
        try:
            stack.wait_until_ready()
            yield world
        finally:
            world.tidy()
            stack.stop()
            BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


@pytest.fixture
def world(served: World) -> Iterator[World]:
    """The module's server; what the test starts beside it ends with the test."""
    yield served
    served.tidy()
