"""The demo inside the test's own process: its app, its templates, its addresses, its provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from connectors.registry import BUILT_IN


@pytest.fixture
def demo_provider() -> Iterator[None]:
    """Take back, afterwards, that the registry knows the simulated systems."""
    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    yield
    BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


@pytest.fixture
def demo_settings(demo_provider: None) -> Iterator[None]:
    """Run the product as demo.settings would have it."""
    from demo import settings as added

    with override_settings(
        INSTALLED_APPS=["demo", *settings.INSTALLED_APPS],
        TEMPLATES=added.TEMPLATES,
        ROOT_URLCONF=added.ROOT_URLCONF,
    ):
        yield
