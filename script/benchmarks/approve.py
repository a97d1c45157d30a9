"""From the approver's yes to active, against the same statements sent to the same server with raw psycopg."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from benchmarks import Measure
from lib import benchworld

from access_requests import actions
from access_requests.models import AccessGroup, AccessRequest
from tests.cast import assemble
from tests.journeys.real import connect
from tests.story import Story
from tests.targets import CONNECTOR, PostgresServer, running

AIM = 3.0
ROUNDS = 25


def run() -> Iterator[Measure]:
    """Measure both ways in turn, on grants of one person that are handed back in between."""
    with benchworld.database(), running(16) as server, benchworld.workers():
        story = connect(assemble(), server, "shop")
        benchworld.until(lambda: story.integration.resources.filter(name="shop").exists(), 60, "the first sync")
        ours, raw = [], []
        for _ in range(ROUNDS):
            seconds, statements, login = once(story, server.port)
            ours.append(seconds)
            raw.append(replay(server, statements, login))
        yield Measure("approve to active, median", statistics.median(ours) * 1000, "ms")
        yield Measure("the same statements, raw psycopg, median", statistics.median(raw) * 1000, "ms")
        yield Measure("ratio", statistics.median(ours) / statistics.median(raw), "x", most=AIM)


def once(story: Story, port: int) -> tuple[float, list[tuple[str, str]], str]:
    """Approve one request; return the seconds until it is active, what was sent to the target, and the login."""
    requester, approver = story.cast.requester, story.cast.approver
    (request,) = actions.ask(requester, [story.pair("shop")], actor=story.by(requester), justification="a benchmark")
    with listening(port) as sent:
        began = time.perf_counter()
        actions.approve(request, approver=approver, actor=story.by(approver))
        benchworld.until(lambda: state_of(request) == "active", 60, "active")
        seconds = time.perf_counter() - began
    statements, login = list(sent), AccessGroup.objects.get(request=request).login
    actions.hand_back(request, user=requester, actor=story.by(requester))
    benchworld.until(lambda: state_of(request) == "revoked", 60, "revoked")
    return seconds, statements, login


def state_of(request: AccessRequest) -> str:
    return str(AccessRequest.objects.values_list("state", flat=True).get(pk=request.pk))


class listening:  # noqa: N801 - reads as a word in a with statement
    """Writes down the statements that go to the target: (database, text), with CONNECT for each new connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> list[tuple[str, str]]:
        self.sent: list[tuple[str, str]] = []
        self.execute, self.connect = psycopg.Cursor.execute, psycopg.Connection.connect.__func__

        def execute(cursor: Any, query: Any, *rest: Any, **named: Any) -> Any:
            if cursor.connection.info.port == self.port:
                text = query.as_string(cursor) if hasattr(query, "as_string") else query
                text = text.decode() if isinstance(text, bytes) else str(text)
                self.sent.append((cursor.connection.info.dbname, text))
            return self.execute(cursor, query, *rest, **named)

        def connected(kind: Any, *rest: Any, **named: Any) -> Any:
            made = self.connect(kind, *rest, **named)
            if made.info.port == self.port:
                self.sent.append((made.info.dbname, "CONNECT"))
            return made

        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
        psycopg.Connection.connect = classmethod(connected)  # type: ignore[assignment]
        return self.sent

    def __exit__(self, *problem: object) -> None:
        psycopg.Cursor.execute = self.execute  # type: ignore[method-assign]
        psycopg.Connection.connect = classmethod(self.connect)  # type: ignore[assignment]


def replay(server: PostgresServer, statements: list[tuple[str, str]], login: str) -> float:
    """Send the same statements for a login of another name with raw psycopg; return the seconds it took."""
    other = f"{login[:-6]}replay"
    connections: dict[str, Any] = {}
    began = time.perf_counter()
    for database, text in statements:
        if text == "CONNECT":
            connections[database] = server.connect(database, user=CONNECTOR, password="connector-secret")
        else:
            connections[database].execute(text.replace(login, other))
    taken = time.perf_counter() - began
    for one in connections.values():
        one.close()
    server.run_sql(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(other)))
    return taken
