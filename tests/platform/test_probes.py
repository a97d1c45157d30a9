"""What probes are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from config import timetable, views, watchdog


def run_everything(at: Any = None) -> None:
    """Let every job of the timetable have run."""
    for line in timetable.TIMETABLE:
        watchdog.note(line.task, at)


def test_alive_needs_no_database(client: Client) -> None:
    """pytest-django refuses the database to a test that does not ask for it."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


def test_ready_when_migrated_and_swept(client: Client, db: None) -> None:
    run_everything()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_not_ready_when_a_sweep_is_late(client: Client, db: None) -> None:
    run_everything()
    watchdog.note("access_requests.tasks.sweep", timezone.now() - timedelta(minutes=5))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["access_requests.tasks.sweep last ran 300 s ago."]


def test_not_ready_before_migrations(client: Client, fresh_database: str) -> None:
    run_everything()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'config'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["The database has not been migrated to this version."]


def test_not_ready_without_database_and_no_secret_said(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise DatabaseError("password authentication failed for user latchkey at 10.0.0.7")

    monkeypatch.setattr(views, "migrations_are_missing", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["The database does not answer."]}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_templates_may_ask_for_warnings(db: None) -> None:
    from django.template import engines
    from django.test import RequestFactory

    page = engines["django"].from_string("{% for each in system_warnings %}{{ each }}|{% endfor %}")
    assert page.render({}, RequestFactory().get("/")).count("has not run yet.|") == len(timetable.TIMETABLE)
