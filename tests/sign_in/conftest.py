"""The certified provider, started once for all tests of a process; people and settings are each test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sign_in.provider import Provider, configured, providing
from tests.sign_in.walking import PRODUCT, Walker


@pytest.fixture(scope="session")
def shared_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider that knows PRODUCT."""
    with providing(tmp_path_factory.mktemp("provider"), PRODUCT) as provider:
        yield provider


@pytest.fixture
def acme(shared_provider: Provider) -> Iterator[Provider]:
    """The provider, in use; it knows Rita, with a verified address."""
    shared_provider.people.clear()
    shared_provider.person("rita", name="Rita")
    with configured(shared_provider.settings(), PRODUCT):
        yield shared_provider
    if shared_provider.process is None:
        shared_provider.start()


@pytest.fixture
def rita(acme: Provider) -> Walker:
    """Somebody at the door."""
    return Walker(acme)
