"""Fixtures of the portal's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client

from access_requests.models import AccessRequest
from accounts.models import User
from integrations.models import Integration
from tests.cast import Cast
from tests.portal import making

SignIn = Callable[[User], Client]


@pytest.fixture
def enter() -> SignIn:
    """Return a function that signs somebody in and returns their browser."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@dataclass
class Stage:
    """Rita may ask for databases of one integration, and Abel approves."""

    cast: Cast
    integration: Integration

    def ask(self, *names: str, **rest: object) -> AccessRequest:
        """Have Rita ask; "orders" unless told otherwise."""
        return making.ask(self.cast.requester, *(names or ("orders",)), **rest)  # type: ignore[arg-type]

    def active(self, *names: str, **rest: object) -> AccessRequest:
        """Have Rita's request approved and granted."""
        return making.active(making.approved(self.ask(*names), self.cast.approver, "Fine."), **rest)  # type: ignore[arg-type]


@pytest.fixture
def stage(cast: Cast) -> Stage:
    """Set the stage."""
    made = making.integration()
    making.flow(made, cast.requester, cast.approver)
    return Stage(cast, made)
