"""Clients whose every answer is held against the published documents, where there are any."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import User
from tests.contracts import FOLDER, PUBLIC, TERRAFORM, assert_answers
from tests.public.conftest import Api, api, counted_afresh, story
from tests.story import Story

__all__ = ["counted_afresh", "story"]


@dataclass
class Held:
    """A client that looks at every answer."""

    api: Api

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
        """Send to a path as the document writes it, its parts filled in by `query`; return what is answered."""
        parts = {name: value for name, value in query.items() if f"{{{name}}}" in path}
        address = path.format(**parts)
        rest = {name: value for name, value in query.items() if name not in parts}
        answer = self.api.get(address, **rest) if method == "GET" else self.api.send(method, address, body)
        assert answer.status_code == status, (method, address, answer.status_code, answer.content)
        if FOLDER:
            assert_answers(answer, TERRAFORM if "terraform" in path else PUBLIC, path, method, status)
        return json.loads(answer.content) if answer.content else None


def held(user: User, *scopes: str) -> Held:
    """Return such a client with a new token of the user."""
    return Held(api(user, *scopes))


@pytest.fixture
def call(story: Story) -> Held:
    """An admin's client."""
    return held(story.cast.admin)


def refused(answer: Any) -> set[str]:
    """Return which fields a refusal names."""
    return {one["field"] for one in answer["errors"]}
