"""How many queries each page takes: a number written here, and the same with one row as with many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address

# Of these, five are everywhere: the session, the person, the number of tasks in the menu, overdue ends, broken glass;
# staff’s roles and late jobs of the timetable are two more.
COUNTS = {
    "my_access": 15,
    "my_tasks": 14,
    "my_answers": 11,
    "request_page": 19,
    "new_request": 18,
    "check_request": 22,
}
SOME, MANY = ("db0",), tuple(f"db{number}" for number in range(6))


def _boxes(names: tuple[str, ...]) -> list[str]:
    return [":".join(map(str, making.pair(name))) for name in names]


def _count(visit: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        visit()
    return len(queries)


@pytest.mark.parametrize("names", [SOME, MANY], ids=["one", "many"])
@pytest.mark.parametrize("name", COUNTS)
def test_a_page_takes_its_number_of_queries(stage: Stage, enter: SignIn, name: str, names: tuple[str, ...]) -> None:
    cast = stage.cast
    for one in MANY:
        making.resource(stage.integration, one)
    waiting = [stage.ask(one) for one in names]
    held = [stage.active(one, at=datetime.now(UTC)) for one in names]
    whole = stage.active(*names)
    rita, abel, boxes = enter(cast.requester), enter(cast.approver), _boxes(names)
    visits: dict[str, Callable[[], object]] = {
        "my_access": lambda: rita.get("/"),
        "my_tasks": lambda: abel.get("/tasks/"),
        "my_answers": lambda: abel.get("/tasks/?answered=1"),
        "request_page": lambda: rita.get(address("request_page", whole)),
        "new_request": lambda: rita.get("/requests/new/", {"q": "db" if len(names) > 1 else "b0"}),
        "check_request": lambda: rita.post("/requests/new/check/", {"pick": boxes, "justification": "x"}),
    }
    assert waiting
    assert held
    assert _count(visits[name]) == COUNTS[name]
