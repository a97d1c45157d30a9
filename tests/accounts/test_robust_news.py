"""What goes wrong after a commit is not the caller's to see: the change is made, and the sweep tells of it."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from access_requests import events as of_requests
from accounts import events as of_people
from accounts.models import Change
from integrations import events as of_integrations
from tests.platform.processes import ROOT

FLOORS = ("accounts", "audit", "config", "flows", "integrations", "requests/access_requests")


def away(*_: object) -> None:
    """What is rung or read is not there."""
    raise DatabaseError("the connection was closed")


@pytest.mark.parametrize(
    ("module", "name", "tell"),
    [
        (of_people, "_deliver_one", lambda: of_people.publish(Change, "person_changed", "1")),
        (of_requests, "_tell", lambda: of_requests.moved(1)),
        (of_integrations, "_ring_now", lambda: of_integrations.ring(None)),
        (of_integrations, "_tell", lambda: of_integrations.cut_links("1")),
    ],
)
def test_a_hook_that_fails_after_the_commit_does_not_reach_the_caller(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch, module: object, name: str, tell: Callable[[], None]
) -> None:
    called = []
    monkeypatch.setattr(module, name, lambda *args: (called.append(args), away()))
    with transaction.atomic():
        tell()
    assert called


def test_no_hook_is_a_partial() -> None:
    """Django asks a robust hook that failed for its name; a partial has none, and that error reaches the caller."""
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "on_commit":
                    assert "partial(" not in ast.unparse(node), f"{path}:{node.lineno}"
