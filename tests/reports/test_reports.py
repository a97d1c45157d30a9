"""Saved reports: one's own, by name; changed, paused and deleted by who may; refused with what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access_requests import actions
from access_requests.models import Report
from access_requests.reports import fields
from accounts.choices import Role
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from tests import cast as people
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text
from tests.reports.making import fetch, table

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def wish(**more: Any) -> actions.Wish:
    return actions.Wish(**{"kind": "activity", "name": "Weekly", "filters": {"period": "last-7-day"}, **more})


def save(user: User, **more: Any) -> Report:
    return actions.save_report(wish(**more), user=user, actor=person(user, Source.PORTAL), at=NOON)


def monday(user: User, *recipients: User, **more: Any) -> Report:
    """Save a report that is sent every Monday at 8 in Berlin."""
    addresses = [one.email for one in recipients or (user,)]
    return save(user, cron="0 8 * * 1", time_zone="Europe/Berlin", recipients=addresses, **more)


def test_a_report_keeps_filters_columns_and_when_it_is_next(stage: Stage) -> None:
    report = monday(
        stage.cast.requester, filters={"period": "last-30-day", "state": "late"}, columns=["status", "request_id"]
    )
    report.refresh_from_db()
    assert report.filters == {"state": "late"}
    assert report.columns == ["request_id", "status"]
    assert report.next_run_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert [one.email for one in report.recipients.all()] == ["rita@example.com"]
    entry = AuditEntry.objects.get(action="report.saved")
    assert (entry.subject_name, entry.details["recipients"]) == ("Weekly", ["rita@example.com"])


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"name": "  "}, "name of at most"),
        ({"name": "x" * 121}, "name of at most"),
        ({"filters": {"period": "sometime"}}, "sometime"),
        ({"columns": ["status", "password"]}, "of those there are"),
        ({"columns": []}, "at least one column"),
        ({"cron": "* * * * *", "recipients": ["rita@example.com"]}, "once an hour"),
        ({"cron": "0 8 * * 1", "time_zone": "Mars", "recipients": ["rita@example.com"]}, "no time zone"),
        ({"cron": "0 8 * * 1", "recipients": []}, "at least one person"),
        ({"cron": "0 8 * * 1", "recipients": ["otto@example.com"]}, "otto@example.com: not in the directory, or"),
        ({"cron": "0 8 * * 1", "recipients": ["nobody@example.com"]}, "nobody@example.com: not in the directory, or"),
        ({"cron": "0 8 * * 1", "recipients": [f"p{n}@example.com" for n in range(21)]}, "20 people at most"),
        ({"kind": "audit", "filters": {}}, "permission to export the audit trail"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(stage: Stage, more: dict[str, Any], word: str) -> None:
    with pytest.raises(actions.NotPossible, match=word):
        save(stage.cast.requester, **more)
    assert not Report.objects.exists()
    assert not AuditEntry.objects.filter(action="report.saved").exists()


def test_a_name_is_once_for_each_person_whatever_its_case(stage: Stage) -> None:
    save(stage.cast.requester)
    save(stage.cast.approver)
    with pytest.raises(actions.NotPossible, match="called weekly already"):
        save(stage.cast.requester, name="weekly")


def test_who_sees_every_request_may_send_it_to_others_who_do(stage: Stage) -> None:
    viewer, gone = people.person("Vera", Role.VIEWER), people.person("Gus", Role.ADMIN)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert monday(stage.cast.admin, viewer).recipients.get() == viewer
    for refused in (stage.cast.requester, gone):
        with pytest.raises(actions.NotPossible, match=refused.email):
            monday(stage.cast.admin, viewer, refused, name="Other")


def test_who_sees_every_request_may_be_sent_anybodys_report(stage: Stage) -> None:
    assert monday(stage.cast.requester, stage.cast.admin).recipients.get() == stage.cast.admin


def test_pausing_stops_and_resuming_goes_on_from_the_next_time(stage: Stage) -> None:
    user = stage.cast.requester
    by, report = person(user, Source.PORTAL), monday(user)
    actions.pause_report(report, user=user, actor=by, at=NOON)
    report.refresh_from_db()
    assert (report.next_run_at, report.paused_at) == (None, NOON)
    actions.change_report(
        report, wish(name="Other", cron="0 9 * * 1", recipients=[user.email]), user=user, actor=by, at=NOON
    )
    report.refresh_from_db()
    assert (report.next_run_at, report.paused_at, report.name) == (None, NOON, "Other")
    actions.resume_report(report, user=user, actor=by, at=NOON + timedelta(days=20))
    report.refresh_from_db()
    assert report.next_run_at == datetime(2026, 12, 14, 9, 0, tzinfo=UTC)
    told = AuditEntry.objects.filter(subject_type="report").order_by("id").values_list("action", flat=True)
    assert list(told) == ["report.saved", "report.paused", "report.changed", "report.resumed"]
    with pytest.raises(actions.NotPossible, match="not paused"):
        actions.resume_report(report, user=user, actor=by)


@pytest.mark.parametrize("verb", ["change", "pause", "delete"])
def test_only_its_owner_and_who_may_change_everybodys_change_it(stage: Stage, verb: str) -> None:
    report = monday(stage.cast.requester)

    def act(user: User) -> None:
        by = person(user, Source.PORTAL)
        if verb == "change":
            actions.change_report(report, wish(name="Mine now"), user=user, actor=by)
        else:
            getattr(actions, f"{verb}_report")(report, user=user, actor=by)

    for user in (stage.cast.outsider, stage.cast.approver, people.person("Vera", Role.VIEWER)):
        with pytest.raises(actions.NotYours):
            act(user)
    act(stage.cast.admin)
    assert not Report.objects.filter(name="Weekly", next_run_at__isnull=False).exists()


PAGES = (("get", ""), ("post", ""), ("post", "csv/"), ("post", "pause/"), ("post", "resume/"), ("post", "delete/"))


@pytest.mark.parametrize(("method", "where"), PAGES)
def test_for_an_outsider_a_report_does_not_exist(stage: Stage, enter: SignIn, method: str, where: str) -> None:
    report = monday(stage.cast.requester, name="Secret plan")
    for user in (stage.cast.outsider, stage.cast.approver):
        client = enter(user)
        there = getattr(client, method)(f"/reports/{report.pk}/{where}")
        nowhere = getattr(client, method)(f"/reports/{report.pk + 1000}/{where}")
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert "Secret" not in text(there)
        assert "Secret" not in text(client.get("/reports/"))
        assert "Secret" not in text(client.get("/activity/"))
    report.refresh_from_db()
    assert report.next_run_at


def test_a_viewer_reads_reports_of_others_and_changes_none(stage: Stage, enter: SignIn) -> None:
    report = monday(stage.cast.requester)
    client = enter(people.person("Vera", Role.VIEWER))
    assert "of Rita" in text(client.get("/reports/"))
    assert "Save the report" not in text(client.get(f"/reports/{report.pk}/"))
    assert client.post(f"/reports/{report.pk}/", {"name": "x", "columns": ["status"]}).status_code == 404
    assert client.post(f"/reports/{report.pk}/delete/").status_code == 404


def test_a_filter_becomes_a_report_without_a_script(stage: Stage, enter: SignIn) -> None:
    client = enter(stage.cast.requester)
    page = client.get("/reports/new/?state=late&schedule=1")
    assert "At 08:00, only on Monday (UTC)" in text(page)
    typed = {"name": "Late ones", "columns": list(fields.NAMES), "cron": "61 8 * * 1", "time_zone": "Europe/Berlin"}
    typed |= {"recipients": "rita@example.com"}
    answer = client.post("/reports/new/?state=late", typed)
    assert answer.status_code == 422
    assert "out of range" in text(answer)
    assert "Late ones" in answer.content.decode()
    looked = client.post("/reports/new/?state=late", typed | {"cron": "0 7 1 * *", "preview": "1"})
    assert looked.status_code == 200
    assert "At 07:00, on day 1 of the month (Europe/Berlin)" in text(looked)
    assert looked.content.decode().count("<time") == 5
    # In the zone of the report, whatever the reader's.
    assert len(re.findall(r"\d{4}, 07:00", text(looked))) == 5
    assert not Report.objects.exists()
    assert client.post("/reports/new/?state=late", typed | {"cron": "0 7 1 * *"}).status_code == 302
    report = Report.objects.get()
    assert (report.filters, report.cron) == ({"state": "late"}, "0 7 1 * *")
    assert "Late ones" in text(client.get("/activity/"))


def test_filters_of_a_report_are_changed_on_the_activity_page(stage: Stage, enter: SignIn) -> None:
    report, client = monday(stage.cast.requester), enter(stage.cast.requester)
    page = client.get(f"/activity/?state=open&report={report.pk}")
    assert "Take these for Weekly" in text(page)
    assert client.get(f"/activity/?report={report.pk}9").status_code == 200
    typed = {"name": "Weekly", "columns": ["status"]}
    client.post(f"/reports/{report.pk}/?state=open&period=last-30-day", typed)
    report.refresh_from_db()
    assert (report.filters, report.columns, report.cron) == ({"state": "open"}, ["status"], "")


@pytest.mark.parametrize("query", ["cron=0+8+*+*+1", "cron=junk&time_zone=Mars", "", "cron=" + "x" * 500])
def test_the_reading_of_a_schedule_never_breaks(stage: Stage, enter: SignIn, query: str) -> None:
    assert enter(stage.cast.outsider).get(f"/reports/schedule/?{query}").status_code == 200


def test_csv_now_tells_what_the_reader_may_see(stage: Stage) -> None:
    stage.ask("orders")
    report = monday(stage.cast.admin, columns=["resources"])
    assert len(table(fetch(stage.cast.admin, f"/reports/{report.pk}/csv/")[1].decode())) == 1
    own = save(stage.cast.requester, name="Mine", columns=["resources"], filters={"what": "nothing"})
    assert table(fetch(stage.cast.requester, f"/reports/{own.pk}/csv/")[1].decode()) == []


def test_an_audit_report_is_for_who_may_export_the_trail(stage: Stage, enter: SignIn) -> None:
    assert enter(stage.cast.requester).get("/reports/new/?kind=audit").status_code == 404
    client = enter(stage.cast.admin)
    assert client.get("/reports/new/?kind=audit&action=request.created").status_code == 200
    client.post("/reports/new/?kind=audit&action=request.created", {"name": "Trail"})
    report = Report.objects.get()
    assert (report.kind, report.filters, report.columns) == ("audit", {"action": "request.created"}, [])
    answer = client.post(f"/reports/{report.pk}/csv/")
    assert answer["Location"] == "/audit/export.csv?action=request.created"
    assert client.post("/reports/new/?kind=audit&action=no.such", {"name": "Junk"}).status_code == 422
    assert client.get("/reports/new/?kind=people").status_code == 404
