"""The timetable: one file, in line with the tables beat reads, watched."""

from __future__ import annotations

import ast
import importlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from config import checks, scheduler, tasks, timetable, watchdog
from config.celery import app
from config.models import Heartbeat
from config.timetable import Line
from tests.platform.processes import ROOT

TASK_FILES = sorted([*ROOT.glob("*/tasks.py"), *ROOT.glob("requests/*/tasks.py")])
LONGEST_TASK = 10


def tasks_in(file: Path) -> list[ast.FunctionDef]:
    """Return the functions of a file that Celery runs."""
    functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    return [node for node in functions if any("shared_task" in ast.unparse(d) for d in node.decorator_list)]


@pytest.mark.parametrize("line", timetable.TIMETABLE, ids=lambda line: line.task)
def test_every_line_names_a_task_and_says_why(line: Line) -> None:
    importlib.import_module(line.task.rpartition(".")[0])
    assert line.task in app.tasks
    assert line.every >= 1
    assert line.why.endswith(".")


def test_every_task_of_ours_goes_by_its_path() -> None:
    """The timetable and the watchdog find tasks by it."""
    app.loader.import_default_modules()
    packages = {file.parent.name for file in TASK_FILES}
    ours = {task for task in app.tasks if task.split(".")[0] in packages}
    assert ours == {f"{file.parent.name}.tasks.{node.name}" for file in TASK_FILES for node in tasks_in(file)}


def test_every_sweep_and_delivery_is_on_the_timetable() -> None:
    named = {f"{file.parent.name}.tasks.{node.name}" for file in TASK_FILES for node in tasks_in(file)}
    clockwork = {name for name in named if name.rpartition(".")[2].startswith(("sweep", "deliver", "seal"))}
    assert clockwork
    assert clockwork <= {line.task for line in timetable.TIMETABLE}


@pytest.mark.parametrize("file", TASK_FILES, ids=lambda file: file.parent.name)
def test_tasks_are_doors_of_ten_lines(file: Path) -> None:
    tasks = tasks_in(file)
    assert tasks
    too_long = {node.name for node in tasks if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_TASK}
    assert too_long == set()


def test_a_first_start_writes_every_line(db: None) -> None:
    assert len(scheduler.reconcile()) == len(timetable.TIMETABLE)
    rows = {row.name: row for row in PeriodicTask.objects.select_related("interval")}
    for line in timetable.TIMETABLE:
        row = rows.pop(line.task)
        assert (row.task, row.interval.every, row.interval.period, row.enabled) == (
            line.task,
            line.every,
            "seconds",
            True,
        )
        assert row.description == line.why
        assert scheduler.TimetableScheduler.Entry(row, app=app).is_due().is_due, "a new job runs at once"
    assert not rows


def test_a_second_start_changes_nothing(db: None) -> None:
    scheduler.reconcile()
    before = {row.pk: row.date_changed for row in PeriodicTask.objects.all()}
    assert scheduler.reconcile() == []
    assert {row.pk: row.date_changed for row in PeriodicTask.objects.all()} == before


def test_what_somebody_changed_is_put_right(db: None) -> None:
    scheduler.reconcile()
    row = PeriodicTask.objects.get(name="access_requests.tasks.sweep")
    row.enabled, row.interval, row.crontab, row.kwargs = False, None, CrontabSchedule.objects.create(), '{"a": 1}'
    row.save()
    assert scheduler.reconcile() == ["Corrected access_requests.tasks.sweep: interval_id, crontab_id, enabled, kwargs."]
    row.refresh_from_db()
    assert (row.enabled, row.interval.every, row.crontab, row.kwargs) == (True, 2, None, "{}")


def test_a_line_that_is_gone_is_disabled_and_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler.reconcile()
    monkeypatch.setattr(timetable, "TIMETABLE", timetable.TIMETABLE[1:])
    gone = PeriodicTask.objects.get(name="access_requests.tasks.sweep")
    assert scheduler.reconcile() == ["Disabled access_requests.tasks.sweep: it is not in the timetable."]
    gone.refresh_from_db()
    assert gone.enabled is False
    assert scheduler.reconcile() == []


def test_beat_has_the_timetable_and_nothing_else(fresh_database: str) -> None:
    beat = scheduler.TimetableScheduler(app=app)
    assert set(beat.schedule) == {line.task for line in timetable.TIMETABLE}


def test_the_admin_does_not_reach_the_tables_of_beat() -> None:
    assert [model for model in admin.site._registry if model._meta.app_label == "django_celery_beat"] == []
    assert reverse("admin:accounts_user_changelist")
    with pytest.raises(NoReverseMatch):
        reverse("admin:django_celery_beat_periodictask_changelist")


def test_a_job_that_ends_well_leaves_a_heartbeat(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_written", {})
    name = timetable.TIMETABLE[0].task
    importlib.import_module(name.rpartition(".")[0])
    watchdog._note(sender=app.tasks[name])
    first = Heartbeat.objects.get(name=name).at
    watchdog._note(sender=app.tasks[name])
    assert Heartbeat.objects.get(name=name).at == first
    monkeypatch.setitem(watchdog._written, name, watchdog._written[name] - 6)
    watchdog._note(sender=app.tasks[name])
    assert Heartbeat.objects.get(name=name).at > first


def test_other_tasks_leave_none(db: None) -> None:
    watchdog._note(sender=tasks.wake)
    assert not Heartbeat.objects.exists()


def test_a_job_is_late_a_minute_after_its_period(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "TIMETABLE", (Line("a.tasks.b", 10, "."),))
    now = timezone.now()
    assert watchdog.late(now) == ["a.tasks.b has not run yet."]
    watchdog.note("a.tasks.b", now)
    assert watchdog.late(now + timedelta(seconds=70)) == []
    assert watchdog.late(now + timedelta(seconds=71)) == ["a.tasks.b last ran 71 s ago."]


def test_a_late_job_is_a_system_warning(db: None) -> None:
    assert checks.timetable_runs(databases=None) == []
    warnings = checks.timetable_runs(databases=["default"])
    assert {warning.id for warning in warnings} == {"latchkey.W002"}
    assert len(warnings) == len(timetable.TIMETABLE)
    for line in timetable.TIMETABLE:
        watchdog.note(line.task)
    assert checks.timetable_runs(databases=["default"]) == []
