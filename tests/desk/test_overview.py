"""The overview: honest figures, each part to who may see it, and what is late with a way to hurry it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from audit.models import AuditEntry
from config import watchdog
from config.timetable import TIMETABLE
from connectors.contract.errors import Unreachable
from integrations import actions
from integrations.choices import ConnectorHealth
from integrations.models import Connector, ConnectorInstance, Integration, Order, SyncRun
from integrations.queries import queue, seen
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.story import Story

INDEX = "admin:index"


def overview(client: Client) -> str:
    """Return the overview."""
    page = client.get(reverse(INDEX))
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


@pytest.fixture
def late(story: Story) -> Story:
    """A story with an end that is overdue, at the real time."""
    story.now = timezone.now() - timedelta(hours=2)
    story.work()
    story.granted("orders_prod")
    story.target.down = Unreachable("sim does not answer.", fix="Start it.")
    story.later(hours=1, minutes=5)
    story.later(minutes=5)
    return story


def test_an_overdue_end_says_what_when_how_often_and_why_not_yet(late: Story, desk: Client) -> None:
    text = overview(desk)
    assert "1 end is overdue" in text
    (request,) = late.cast.requester.requests_held.all()
    assert f">AR-{request.pk}</a></b>" in text
    assert "Read only on server/orders_prod" in text
    assert "sim does not answer. Start it." in text
    assert "Try now" in text


def test_try_now_makes_the_order_due_and_is_on_record(late: Story, desk: Client) -> None:
    order = Order.objects.get(person=late.cast.requester, state="queued")
    Order.objects.filter(pk=order.pk).update(next_try_at=timezone.now() + timedelta(hours=1))
    page = desk.post(reverse("admin:integrations_order_hurry", args=[order.pk]), follow=True)
    assert page.redirect_chain == [(reverse(INDEX), 302)]
    assert "due now" in page.content.decode()
    order.refresh_from_db()
    assert order.next_try_at <= timezone.now()
    assert AuditEntry.objects.filter(action="order.hurried", actor_name="Ada").exists()
    again = desk.post(reverse("admin:integrations_order_hurry", args=[order.pk]), follow=True).content.decode()
    assert "It did not wait" in again


def test_figures_count_what_is_active_ending_and_waiting(story: Story, desk: Client) -> None:
    story.now = timezone.now()
    story.granted("orders_prod")
    story.ask("orders_dev")
    told = desk.get(reverse(INDEX)).context["figures"]
    assert (told.active, told.people, told.ending_soon, told.waiting, told.overdue) == (1, 1, 1, 1, 0)
    assert told.next_end_at is not None


def test_every_role_sees_its_parts_and_no_others(late: Story) -> None:
    parts = {
        "Overdue ends": {Role.ADMIN, Role.POWER_USER, Role.VIEWER},
        "Try now": {Role.ADMIN, Role.POWER_USER},
        "Queue": {Role.ADMIN, Role.POWER_USER, Role.VIEWER, Role.DEPLOYMENT},
        "All connectors": {Role.ADMIN, Role.POWER_USER, Role.VIEWER, Role.DEPLOYMENT},
        "Not sealed yet": {Role.ADMIN, Role.POWER_USER, Role.VIEWER},
        "Timetable": {Role.ADMIN, Role.POWER_USER, Role.VIEWER, Role.DEPLOYMENT},
        "rita@example.com": {Role.ADMIN, Role.POWER_USER, Role.VIEWER},
    }
    for role in (Role.ADMIN, Role.POWER_USER, Role.VIEWER, Role.DEPLOYMENT):
        text = overview(signed_in(person(f"Staff{role.value}", role)))
        assert {words for words in parts if words in text} == {words for words in parts if role in parts[words]}, role


def test_the_timetable_says_which_job_is_late(desk: Client) -> None:
    for line in TIMETABLE:
        watchdog.note(line.task)
    assert "Every job ran in time" in overview(desk)
    watchdog.note(TIMETABLE[0].task, timezone.now() - timedelta(hours=1))
    text = overview(desk)
    assert "1 late" in text
    assert "access may not end in time" in text


def test_trouble_of_integrations_and_failed_syncs_are_told(story: Story, desk: Client) -> None:
    assert "No integration is in trouble" in overview(desk)
    Integration.objects.update(status="error", status_reason="The password is wrong.")
    order = Order.objects.filter(verb="discover").first()
    SyncRun.objects.filter(order=order).update(state="failed", error="It broke off.")
    text = overview(desk)
    assert "The password is wrong." in text
    assert "It broke off." in text


def test_the_queue_counts_open_orders_by_verb(story: Story) -> None:
    assert queue() == []
    actions.sync(story.integration, actor=story.by(story.cast.admin))
    story.approve(story.ask("orders_prod"))
    from access_requests import actions as requests

    requests.sweep(at=story.now)
    told = {one.verb: (one.queued, one.leased) for one in queue()}
    assert told == {"discover": (1, 0), "apply": (1, 0)}


def test_a_connector_is_well_mixed_silent_or_never_seen(db: None) -> None:
    now, row = timezone.now(), Connector.objects.create(name="east", kind="remote")
    assert seen(row, now).health is ConnectorHealth.NEVER
    first = ConnectorInstance.objects.create(connector=row, version="1", last_seen_at=now)
    assert seen(row, now).health is ConnectorHealth.WELL
    ConnectorInstance.objects.create(connector=row, version="2", last_seen_at=now)
    assert seen(row, now).health is ConnectorHealth.MIXED
    assert seen(row, now + timedelta(minutes=5)).health is ConnectorHealth.SILENT
    ConnectorInstance.objects.exclude(pk=first.pk).update(stopped_at=now)
    assert seen(row, now).versions == ("1",)


def test_the_overview_takes_a_bounded_number_of_queries(late: Story, desk: Client) -> None:
    overview(desk)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            overview(desk)
        return len(queries)

    before = count()
    for number in range(20):
        Order.objects.create(integration=late.integration, verb="apply", person=person(f"P{number}"))
    assert count() == before
    assert before <= 40
