"""Exports in the background: whole, once, whoever dies in the middle; seen by who asked, as long as they may."""

from __future__ import annotations

import gzip
import io
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from access_requests import actions
from access_requests.actions import exports
from access_requests.choices import ReportKind
from access_requests.models import AccessRequest, Export, ExportPart
from access_requests.reports import fields, sheets
from accounts.choices import Role
from accounts.models import Letter, RoleAssignment, User
from audit.models import AuditEntry
from tests import cast as people
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text
from tests.reports.making import fetch, table
from tests.reports.test_fields import copies

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make parts of ten rows."""
    monkeypatch.setattr(sheets, "PAGE", 10)


def later(seconds: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def begin(user: User, **more: Any) -> Export:
    """Ask for all activity of the last 30 days, in the background."""
    made = datetime.now(UTC)
    return exports.start(ReportKind.ACTIVITY, "All of it", {}, list(fields.NAMES), user=user, at=made, **more)


def ids(export: Export) -> list[str]:
    """Read what was written."""
    packed = b"".join(exports.parts_of(export, packed=True))
    return [line["request_id"] for line in table(gzip.decompress(packed).decode())]


def expected() -> list[str]:
    found = AccessRequest.objects.order_by("-requested_at", "-pk").values_list("pk", flat=True)
    return [str(pk) for pk in found]


def test_an_export_is_written_whole(stage: Stage) -> None:
    copies(stage.ask(), 34)
    export = begin(stage.cast.requester)
    actions.run_exports(at=later())
    export.refresh_from_db()
    assert (export.state, export.rows_done, export.rows_total) == ("done", 35, 35)
    assert ids(export) == expected()
    assert export.size == len(b"".join(exports.parts_of(export, packed=False)))
    assert export.packed_size == sum(len(bytes(part.data)) for part in export.parts.all())
    letter = Letter.objects.get()
    assert (letter.to, letter.kind, letter.attachment) == (stage.cast.requester, "report", None)
    assert f"/exports/{export.pk}/" in letter.text


def test_an_export_without_rows_has_its_header(stage: Stage) -> None:
    export = begin(stage.cast.outsider)
    actions.run_exports(at=later())
    export.refresh_from_db()
    assert (export.state, export.rows_done) == ("done", 0)
    assert b"".join(exports.parts_of(export, packed=False)).startswith(b'"request_id"')


class Killed(BaseException):
    """What kill -9 is to a process: nothing of it runs on, no handler, no rollback of what was committed."""


def dying(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the worker die when it begins to write the part behind so many."""
    written = exports._commit

    def commit(export: Export, *args: Any) -> bool:
        if export.parts_done >= after:
            raise Killed
        return written(export, *args)

    monkeypatch.setattr(exports, "_commit", commit)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_who_dies_in_the_middle_is_followed_by_one_who_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    copies(stage.ask(), 34)
    export = begin(stage.cast.requester)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        dying(patched, after)
        actions.run_exports(at=later())
    export.refresh_from_db()
    assert (export.state, export.parts_done) == ("running", after)
    # The lease still holds: it may be that the worker is only slow.
    assert actions.run_exports(at=later(30)) == 0
    actions.run_exports(at=later(90))
    export.refresh_from_db()
    assert export.state == "done"
    assert ids(export) == expected()
    assert Letter.objects.count() == 1


def test_who_was_thought_dead_writes_nothing_more(stage: Stage) -> None:
    copies(stage.ask(), 34)
    export = begin(stage.cast.requester)
    slow = exports._claim(later())
    assert slow is not None
    assert exports._commit(slow, "first\n", 0, "", later())
    actions.run_exports(at=later(90))
    assert not exports._commit(slow, "again\n", 0, "", later(91))
    assert not exports.mailing.finish(slow, at=later(91), kept=DAY)
    export.refresh_from_db()
    assert (export.state, export.parts.count()) == ("done", export.parts_done)
    assert Letter.objects.count() == 1


def test_two_workers_claim_it_once(fresh_database: str, cast: Any) -> None:
    export = begin(cast.requester)
    at, found, gate = later(), [], threading.Barrier(4)

    def claim() -> None:
        try:
            gate.wait(10)
            found.append(exports._claim(at))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one.pk for one in found if one] == [export.pk]
    assert Export.objects.get().epoch == 1


def test_a_long_export_lets_others_have_their_turn(stage: Stage) -> None:
    copies(stage.ask(), 34)
    long, short = begin(stage.cast.requester), begin(stage.cast.outsider)
    now = later()
    assert actions.run_exports(seconds=0.000001, at=now) == 1
    long.refresh_from_db()
    assert (long.state, long.parts_done) == ("running", 1)
    while Export.objects.filter(state__in=["queued", "running"]).exists():
        actions.run_exports(seconds=0.000001, at=now)
    long.refresh_from_db()
    assert ids(long) == expected()
    short.refresh_from_db()
    assert short.state == "done"


def test_rows_that_come_while_it_is_written_wait_for_the_next(stage: Stage) -> None:
    copies(stage.ask(), 24)
    there, export = expected(), begin(stage.cast.requester)
    actions.run_exports(seconds=0.000001, at=later())
    stage.ask()
    while Export.objects.filter(state="running").exists():
        actions.run_exports(at=later(2))
    export.refresh_from_db()
    assert ids(export) == there


def test_what_fails_is_tried_again_and_then_said_to_have_failed(
    stage: Stage, enter: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(stage.ask(), 24)
    export = begin(stage.cast.requester)
    actions.run_exports(seconds=0.000001, at=later())
    monkeypatch.setattr(sheets.ActivitySheet, "piece", lambda *_: 1 / 0)
    for number in range(1, 8):
        actions.run_exports(at=later(100 * number))
    export.refresh_from_db()
    assert (export.state, export.parts.count()) == ("failed", 0)
    page = text(enter(stage.cast.requester).get(f"/exports/{export.pk}/"))
    assert "Ask again" in page
    assert "division" not in page


def test_who_lost_the_right_meanwhile_gets_what_they_may_see_now(stage: Stage) -> None:
    stage.ask()
    viewer = people.person("Vera", Role.VIEWER)
    export = begin(viewer)
    RoleAssignment.objects.filter(user=viewer).delete()
    actions.run_exports(at=later())
    export.refresh_from_db()
    assert (export.state, export.rows_done) == ("done", 0)


@pytest.fixture
def written(stage: Stage) -> Export:
    """An export of everything, asked for by a viewer."""
    copies(stage.ask(), 12)
    export = begin(people.person("Vera", Role.VIEWER))
    actions.run_exports(at=later())
    return Export.objects.get(pk=export.pk)


@pytest.mark.parametrize("where", ["", "part/", "download/"])
def test_an_export_is_there_for_who_asked_and_nobody_else(
    stage: Stage, enter: SignIn, written: Export, where: str
) -> None:
    url = f"/exports/{written.pk}/{where}"
    assert enter(written.asked_by).get(url).status_code == 200
    for user in (stage.cast.outsider, stage.cast.requester, stage.cast.admin):
        answer, nothing = (
            enter(user).get(url),
            enter(user).get(url.replace(str(written.pk), "0" * 8 + str(written.pk)[8:])),
        )
        assert (answer.status_code, nothing.status_code) == (404, 404)
        assert "Vera" not in text(answer)


def test_a_right_that_was_lost_closes_the_download(enter: SignIn, written: Export) -> None:
    RoleAssignment.objects.filter(user=written.asked_by).delete()
    for where in ("", "part/", "download/"):
        assert enter(User.objects.get(pk=written.asked_by_id)).get(f"/exports/{written.pk}/{where}").status_code == 404
    assert "All of it" not in text(enter(User.objects.get(pk=written.asked_by_id)).get("/reports/"))


def test_the_download_is_the_csv_and_is_recorded(written: Export) -> None:
    url = f"/exports/{written.pk}/download/"
    status, plain = fetch(written.asked_by, url, post=False)
    _, packed = fetch(written.asked_by, url, {"packed": "1"}, post=False)
    assert status == 200
    assert len(table(plain.decode())) == 13
    assert gzip.GzipFile(fileobj=io.BytesIO(packed)).read() == plain
    entries = AuditEntry.objects.filter(action="export.fetched")
    assert {(entry.actor_id, entry.subject_id) for entry in entries} == {(str(written.asked_by_id), str(written.pk))}


def test_the_page_says_how_far_it_has_come(stage: Stage, enter: SignIn) -> None:
    copies(stage.ask(), 39)
    export, client = begin(stage.cast.requester), enter(stage.cast.requester)
    url = f"/exports/{export.pk}/"
    assert "Waiting for its turn" in text(client.get(url))
    actions.run_exports(seconds=0.000001, at=later())
    page = client.get(url)
    assert "10 of 40 rows" in text(page)
    assert 'value="25"' in page.content.decode()
    assert client.get(f"{url}download/").status_code == 410
    while Export.objects.filter(state="running").exists():
        actions.run_exports(at=later(2))
    assert "<progress" not in client.get(f"{url}part/").content.decode()
    assert "40 rows" in text(client.get(url))


def test_an_export_goes_after_a_week_and_is_forgotten_after_five_more(written: Export, enter: SignIn) -> None:
    done = written.finished_at
    assert done is not None
    assert actions.sweep_expired(at=done + 7 * DAY - SECOND) == 0
    assert actions.sweep_expired(at=done + 7 * DAY) == 1
    assert not ExportPart.objects.exists()
    page = enter(written.asked_by).get(f"/exports/{written.pk}/")
    assert "Expired" in text(page)
    assert enter(written.asked_by).get(f"/exports/{written.pk}/download/").status_code == 410
    actions.sweep_expired(at=done + 36 * DAY)
    assert not Export.objects.exists()
