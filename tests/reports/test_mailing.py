"""Reports by the clock: sent once, to who may see them then, as CSV in a letter or as a link."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from access_requests import actions
from access_requests.actions import mailing
from access_requests.models import AccessRequest, Export, Report
from accounts.choices import Role
from accounts.models import Letter, RoleAssignment, User
from audit.models import AuditEntry
from tests import cast as people
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text
from tests.reports.making import table
from tests.reports.test_fields import copies
from tests.reports.test_reports import NOON, monday

DUE = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def tick(at: datetime) -> int:
    """Let the jobs of the timetable run."""
    started = actions.sweep_reports(at=at)
    actions.run_exports(at=at)
    return started


def asked_before_due(stage: Stage) -> AccessRequest:
    access = stage.ask()
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=NOON)
    return access


def csv_of(letter: Letter) -> list[dict[str, str]]:
    content = bytes(letter.attachment or b"")
    return table((gzip.decompress(content) if letter.attachment_name.endswith(".gz") else content).decode())


def test_a_report_is_sent_when_it_is_due_and_not_before(stage: Stage) -> None:
    access = asked_before_due(stage)
    report = monday(stage.cast.requester)
    assert tick(DUE - timedelta(seconds=1)) == 0
    assert tick(DUE) == 1
    assert tick(DUE) == 0
    letter = Letter.objects.get()
    assert letter.to == stage.cast.requester
    assert letter.subject == "Weekly: 1 row"
    assert (letter.attachment_name, letter.attachment_type) == ("weekly-20261123T0700Z.csv", "text/csv")
    assert [line["request_id"] for line in csv_of(letter)] == [str(access.pk)]
    report.refresh_from_db()
    assert (report.next_run_at, report.last_run_at, report.last_note) == (DUE + WEEK, DUE, "")
    entry = AuditEntry.objects.get(action="report.sent")
    assert (entry.details["recipients"], entry.details["rows"]) == (["rita@example.com"], 1)


def test_what_was_missed_while_the_server_was_down_is_sent_once(stage: Stage) -> None:
    report = monday(stage.cast.requester)
    assert tick(DUE + 5 * WEEK + timedelta(hours=3)) == 1
    assert tick(DUE + 5 * WEEK + timedelta(hours=4)) == 0
    report.refresh_from_db()
    assert report.next_run_at == DUE + 6 * WEEK
    assert Letter.objects.count() == 1


def test_two_sweeps_at_once_start_it_once(fresh_database: str, cast: Any) -> None:
    monday(cast.requester)
    gate, started = threading.Barrier(4), []

    def sweep() -> None:
        try:
            gate.wait(10)
            started.append(actions.sweep_reports(at=DUE))
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(started) == [0, 0, 0, 1]
    assert Export.objects.count() == 1


def test_who_lost_the_right_is_left_out_and_the_report_says_so(stage: Stage, enter: SignIn) -> None:
    asked_before_due(stage)
    vera, walt = people.person("Vera", Role.VIEWER), people.person("Walt", Role.VIEWER)
    report = monday(stage.cast.admin, vera, walt)
    RoleAssignment.objects.filter(user=walt).delete()
    tick(DUE)
    assert [letter.to for letter in Letter.objects.all()] == [vera]
    report.refresh_from_db()
    assert report.last_note == "Not sent to walt@example.com: may no longer see what it tells."
    assert AuditEntry.objects.get(action="report.sent").details["left_out"] == ["walt@example.com"]
    export = Export.objects.get()
    assert enter(vera).get(f"/exports/{export.pk}/").status_code == 200
    assert enter(walt).get(f"/exports/{export.pk}/").status_code == 404
    assert "walt@example.com" in text(enter(stage.cast.admin).get("/reports/"))


def test_who_was_disabled_is_left_out(stage: Stage) -> None:
    vera = people.person("Vera", Role.VIEWER)
    monday(stage.cast.admin, vera)
    User.objects.filter(pk=vera.pk).update(is_active=False)
    tick(DUE)
    assert not Letter.objects.exists()


def test_an_owner_who_lost_the_right_sends_only_what_they_may_see(stage: Stage) -> None:
    asked_before_due(stage)
    vera = people.person("Vera", Role.VIEWER)
    monday(vera, vera)
    RoleAssignment.objects.filter(user=vera).delete()
    tick(DUE)
    assert csv_of(Letter.objects.get()) == []


@pytest.mark.parametrize("kind", ["activity", "audit"])
def test_a_report_of_who_left_is_paused_and_says_why(stage: Stage, kind: str) -> None:
    ada = people.person("Anna", Role.ADMIN)
    report = monday(ada, kind=kind, filters={})
    if kind == "activity":
        User.objects.filter(pk=ada.pk).update(is_active=False)
    else:
        RoleAssignment.objects.filter(user=ada).delete()
    assert tick(DUE) == 0
    report.refresh_from_db()
    assert (report.next_run_at, report.paused_at) == (None, DUE)
    assert report.last_note == "Paused: Anna may no longer see what it tells."
    assert not Export.objects.exists()
    assert AuditEntry.objects.get(action="report.paused").actor_kind == "system"


def test_a_report_that_makes_no_sense_any_more_fails_with_its_reason(stage: Stage, enter: SignIn) -> None:
    report = monday(stage.cast.requester)
    Report.objects.filter(pk=report.pk).update(filters={"state": "gone"})
    tick(DUE)
    export = Export.objects.get()
    assert (export.state, "gone" in export.error) == ("failed", True)
    report.refresh_from_db()
    assert report.last_note.startswith("The last run failed. ")
    assert not Letter.objects.exists()
    assert enter(stage.cast.requester).get("/reports/").status_code == 200


def test_an_audit_report_brings_the_trail(stage: Stage) -> None:
    monday(stage.cast.admin, kind="audit", filters={"action": "report.saved"})
    tick(DUE)
    (line,) = csv_of(Letter.objects.get())
    assert (line["action"], line["subject_name"], line["actor_name"]) == ("report.saved", "Weekly", "Ada")


@pytest.mark.parametrize(
    ("plain", "packed", "ending"), [(2**20, 2**20, ".csv"), (100, 2**20, ".csv.gz"), (100, 100, "")]
)
def test_a_letter_brings_what_is_small_and_a_link_to_what_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, plain: int, packed: int, ending: str
) -> None:
    copies(AccessRequest.objects.get(pk=asked_before_due(stage).pk), 3)
    monkeypatch.setattr(mailing, "PLAIN_MAX", plain)
    monkeypatch.setattr(mailing, "PACKED_MAX", packed)
    report = monday(stage.cast.admin)
    Report.objects.filter(pk=report.pk).update(filters={"period": "last-12-month"})
    tick(DUE)
    letter, export = Letter.objects.get(), Export.objects.get()
    assert letter.attachment_name == (f"weekly-20261123T0700Z{ending}" if ending else "")
    assert ("too large for a letter" in letter.text) == (not ending)
    assert f"/exports/{export.pk}/" in letter.text
    if ending:
        assert len(csv_of(letter)) == export.rows_done == 4


def test_a_run_is_left_out_while_the_one_before_is_being_written(stage: Stage) -> None:
    report = monday(stage.cast.requester)
    assert actions.sweep_reports(at=DUE) == 1
    assert actions.sweep_reports(at=DUE + WEEK) == 0
    report.refresh_from_db()
    assert report.last_note == "Left out: the run before is still being written."
    assert Export.objects.count() == 1


def test_a_deleted_report_leaves_what_was_sent(stage: Stage, enter: SignIn) -> None:
    report = monday(stage.cast.requester)
    tick(DUE)
    enter(stage.cast.requester).post(f"/reports/{report.pk}/delete/")
    assert not Report.objects.exists()
    assert Export.objects.get().report is None


@pytest.mark.parametrize("name", ["../../etc/passwd", 'a"\r\nX: y', "Ünïcode ☃", "=cmd"])
def test_a_file_is_named_by_letters_and_digits_only(stage: Stage, name: str) -> None:
    export = Export(name=name, kind="activity", asked_at=DUE)
    assert set(mailing.file_name(export)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.TZ")
