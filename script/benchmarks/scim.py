"""20,000 people pushed by SCIM singly and by bulk, groups of 5,000, lists with filters; next to bare SQL in one run."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client
from lib import benchbare, benchworld

from accounts.models import PushedPerson, User
from accounts.scim.resources import BULK_OPERATIONS
from benchmarks import Measure
from tests.scim.directory import BULK, ENTERPRISE, Directory, person

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "20000"))
# Pushed by bulk, then as many again singly; groups of this many.
MEMBERS, GROUPS, ROUNDS = min(5000, PEOPLE), 4, 10
# Somebody in the middle.
ONE = PEOPLE // 2
# What one person becomes: the tables that are copied row by row for the bare way.
TABLES = (
    "accounts_user",
    "accounts_attribute",
    "accounts_pushedperson",
    "accounts_pushedvalue",
    "accounts_change",
    "audit_auditentry",
)


def run() -> Iterator[Measure]:
    """Push everybody, write the same rows with bare SQL, then search, change and disable."""
    with benchworld.database():
        idp = Directory(client=Client(HTTP_HOST="127.0.0.1"))
        # The first one pays for what is read once.
        idp.person("warm")
        before = {table: _count(table) for table in TABLES}
        pushing = _seconds(lambda: _push(idp))
        rows = {table: _count(table) - before[table] for table in TABLES}
        yield Measure(f"push {PEOPLE:,} people by bulk", pushing, "s")
        yield Measure("people a second", PEOPLE / pushing, "/s")
        yield Measure("rows written for one person", sum(rows.values()) / PEOPLE, "rows")
        bare = _seconds(lambda: _bare(rows))
        yield Measure("the same rows by bare SQL, a statement each", bare, "s")
        yield Measure("ratio", pushing / bare, "x")
        yield from _singly(idp)
        yield from _reading(idp)
        yield from _grouping(idp)
        yield from _changing(idp)


def _singly(idp: Directory) -> Iterator[Measure]:
    """Push as many again, each in a request of its own, next to the statements of one."""
    told = [person(f"q{number}", title="Engineer", externalId=f"q-{number}") for number in range(PEOPLE + 1)]
    sent = benchbare.statements(lambda: idp.call("POST", "Users", told[0]))

    def push() -> None:
        for one in told[1:]:
            assert idp.call("POST", "Users", one).status == 201

    ours, bare = _seconds(push), benchbare.replay(sent, PEOPLE)
    yield Measure(f"push {PEOPLE:,} people singly", ours, "s")
    yield Measure("singly: people a second", PEOPLE / ours, "/s")
    yield Measure("singly: statements for one", len(sent), "")
    yield Measure("singly: the bare statements", bare, "s")
    yield Measure("singly: ratio", ours / bare, "x")


def _grouping(idp: Directory) -> Iterator[Measure]:
    """Fill groups by one PATCH each, next to its statements."""
    ids = list(PushedPerson.objects.order_by("pk").values_list("pk", flat=True)[:MEMBERS])
    joining = {"op": "add", "path": "members", "value": [{"value": pk} for pk in ids]}
    groups = [idp.group(f"Large {number}") for number in range(GROUPS + 1)]
    sent = benchbare.statements(lambda: idp.patch(f"Groups/{groups[0]['id']}", joining))
    ours = _seconds(lambda: [idp.patch(f"Groups/{one['id']}", joining) for one in groups[1:]])
    bare = benchbare.replay(sent, GROUPS)
    yield Measure(f"a group of {len(ids):,} by PATCH", ours / GROUPS, "s")
    yield Measure("a group by PATCH: the bare statements", bare / GROUPS, "s")
    yield Measure("a group by PATCH: ratio", ours / bare, "x")


def _push(idp: Directory) -> None:
    for start in range(0, PEOPLE, BULK_OPERATIONS):
        told = [_made(number) for number in range(start, min(PEOPLE, start + BULK_OPERATIONS))]
        answer = idp.call("POST", "Bulk", {"schemas": [BULK], "Operations": told})
        assert {one["status"] for one in answer.body["Operations"]} == {"201"}


def _made(number: int) -> dict[str, Any]:
    extension = {"department": f"Department {number % 40}", "employeeNumber": str(number)}
    data = person(f"p{number}", title="Engineer", externalId=f"e-{number}", **{ENTERPRISE: extension})
    return {"method": "POST", "path": "/Users", "bulkId": str(number), "data": data}


def _bare(rows: dict[str, int]) -> None:
    """Insert as many rows as there are of each kind into copies of the tables, one statement and commit per person."""
    per_person = {table: max(1, round(count / PEOPLE)) for table, count in rows.items() if count}
    with connection.cursor() as cursor:
        samples: dict[str, tuple[str, list[tuple[Any, ...]]]] = {}
        for table, each in per_person.items():
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING DEFAULTS INCLUDING GENERATED)")
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1 DESC LIMIT {each}")
            found = [tuple(_plain(value) for value in row) for row in cursor.fetchall()]
            samples[table] = (", ".join(["%s"] * len(found[0])), found)
        for _ in range(PEOPLE):
            cursor.execute("BEGIN")
            for table, (slots, found) in samples.items():
                for row in found:
                    cursor.execute(f"INSERT INTO bare_{table} VALUES ({slots})", row)
            cursor.execute("COMMIT")


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _reading(idp: Directory) -> Iterator[Measure]:
    """Time what providers ask all day."""
    for what, query in (
        ("find one by user name", {"filter": f'userName eq "p{ONE}"'}),
        ("find one by their own id", {"filter": f'externalId eq "e-{ONE}"'}),
        ("find by e-mail and type", {"filter": f'emails[type eq "work" and value eq "p{ONE}@example.com"]'}),
        ("a page of 100, the last", {"startIndex": max(1, PEOPLE - 100)}),
        ("a page of a department", {"filter": f'{ENTERPRISE}:department eq "department 7"', "sortBy": "userName"}),
    ):
        ask = functools.partial(idp.found, "Users", **query)
        ours = sum(_seconds(ask) for _ in range(ROUNDS))
        bare = benchbare.replay(benchbare.statements(ask), ROUNDS)
        yield Measure(what, 1000 * ours / ROUNDS, "ms")
        yield Measure(f"{what}: ratio", ours / bare, "x")


def _changing(idp: Directory) -> Iterator[Measure]:
    """Put everybody into a group, add one more, and disable somebody."""
    ids = list(PushedPerson.objects.values_list("pk", flat=True))
    group = idp.group("Everybody")
    all_but_one = {"op": "add", "path": "members", "value": [{"value": pk} for pk in ids[1:]]}
    joining = _seconds(lambda: idp.patch(f"Groups/{group['id']}", all_but_one))
    yield Measure(f"a group of {len(ids):,} in one change", joining, "s")
    one = {"op": "add", "path": "members", "value": [{"value": ids[0]}]}
    yield Measure("one more member", 1000 * _seconds(lambda: idp.patch(f"Groups/{group['id']}", one)), "ms")
    off = {"op": "replace", "path": "active", "value": False}
    yield Measure("disable somebody", 1000 * _seconds(lambda: idp.patch(f"Users/{ids[0]}", off)), "ms")
    assert User.objects.filter(pushed__isnull=False, is_active=True).count() == 2 * PEOPLE


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _seconds(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
