"""A full disk under SQLite: what was acknowledged stays, what was not is refused in words, and it works again after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from access_requests.models import AccessRequest, Transition
from audit.models import AuditEntry
from tests.cast import PASSWORD
from tests.databases import is_postgresql
from tests.journeys.browser import words_of
from tests.story import Story


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the database file grow no further."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA freelist_count")
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


def fill(story: Story) -> int:
    """Ask until there is no room; return how many asks were acknowledged."""
    done = 0
    with pytest.raises(OperationalError, match="full"):
        for _ in range(500):
            story.ask("orders_prod", justification="x" * 1500)
            done += 1
    return done


def test_what_was_acknowledged_stays_and_what_was_not_is_refused(story: Story) -> None:
    if is_postgresql():
        pytest.skip("a limit of SQLite only; PostgreSQL's own disk is the torture run's business")
    client = Client()
    assert client.login(username="rita@example.com", password=PASSWORD)
    held = story.granted("orders_dev")
    before = AccessRequest.objects.count()
    with full_disk():
        acknowledged = fill(story)
        assert AccessRequest.objects.count() == before + acknowledged
        form = {"pick": ":".join(map(str, story.pair("orders_prod"))), "justification": "y" * 1900, "do": "send"}
        answer = client.post("/requests/new/", form)
        assert answer.status_code == 503, answer.status_code
        said = words_of(answer.content.decode())
        assert "The disk is full" in said
        assert "Nothing of what you sent was kept" in said
        assert AccessRequest.objects.count() == before + acknowledged
    assert {one.state for one in AccessRequest.objects.exclude(pk=held.pk)} == {"pending"}
    made = AuditEntry.objects.filter(action="request.created").count()
    assert made == AccessRequest.objects.count()
    assert Transition.objects.values("request").distinct().count() == AccessRequest.objects.count()
    call_command("audit", "verify", stdout=StringIO())
    story.later(hours=2)
    assert story.fresh(held).ended_how == "proven"
    assert story.ask("orders_prod").state == "pending"
