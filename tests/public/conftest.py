"""A simulated server, and clients that bring tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.api.conftest import bearer
from tests.cast import Cast
from tests.story import Story, begin, simulated_provider


@dataclass
class Api:
    """A client that brings a token of somebody."""

    headers: dict[str, Any]
    client: Client

    def get(self, address: str, **query: str) -> Any:
        """Read."""
        return self.client.get(address, query, **self.headers)

    def send(self, method: str, address: str, body: Any = None) -> Any:
        """Write."""
        text = "" if body is None else json.dumps(body)
        return self.client.generic(method, address, text, "application/json", **self.headers)

    def made(self, address: str, body: Any) -> Any:
        """Make something, and return what is answered."""
        answer = self.send("POST", address, body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def changed(self, address: str, body: Any) -> Any:
        """Change something, and return what is answered."""
        answer = self.send("PUT", address, body)
        assert answer.status_code == 200, answer.content
        return answer.json()


def api(user: User, *scopes: str) -> Api:
    """Return a client with a new token of the user."""
    return Api(bearer(user, *scopes), Client())


@pytest.fixture(autouse=True)
def counted_afresh() -> Iterator[None]:
    """Limits are counted in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    """A simulated server with two databases, and no policy."""
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def admin(story: Story) -> Api:
    """An admin's client."""
    return api(story.cast.admin)


def fields(answer: Any) -> set[str]:
    """Return which fields a refusal names."""
    assert answer.status_code == 400, answer.content
    return {one["field"] for one in answer.json()["errors"]}
