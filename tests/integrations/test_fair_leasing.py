"""Leasing is fair: no integration starves another, ends come first, and a target that hangs leaves slots to others."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from connectors.contract.errors import ErrorReport, Unreachable
from connectors.contract.orders import Report
from integrations import actions
from integrations.actions.orders import wait_again
from integrations.actions.running import instance_of
from integrations.models import ConnectorInstance, Integration, Order
from tests.cast import Cast
from tests.story import NOON, SECOND, Story, begin, simulated_provider

NOTHING: dict[str, Any] = {"person": {"id": "p", "name": "P"}, "holds": [], "gone": []}
ENDS = {**NOTHING, "gone": [{"grant_id": "g", "login": "l", "units": []}]}
CAP = 4


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def other(story: Story) -> Integration:
    """A second integration of the same connector."""
    row = Integration.objects.get(pk=story.integration.pk)
    row.pk, row.name = None, "Other"
    row._state.adding = True
    row.save()
    return row


@pytest.fixture
def instance(story: Story) -> ConnectorInstance:
    return instance_of(story.integration.connector, at=NOON)


def crowd(integration: Integration, number: int, first: int = 0, **more: Any) -> list[Order]:
    """Queue an order for each of so many people."""
    from accounts.models import User

    people = User.objects.bulk_create(
        User(email=f"{integration.pk.hex[:6]}{n}@example.com", name="N") for n in range(first, first + number)
    )
    made = [
        Order(
            integration=integration,
            person=one,
            verb="apply",
            desired=NOTHING,
            next_try_at=NOON,
            created_at=NOON,
            **more,
        )
        for one in people
    ]
    return Order.objects.bulk_create(made)


def finish(order: Order, instance: ConnectorInstance, error: ErrorReport | None = None) -> None:
    assert actions.settle(Report(str(order.pk), order.epoch, error=error), instance=instance, at=NOON)


def test_a_crowd_of_one_integration_waits_its_turn(
    story: Story, other: Integration, instance: ConnectorInstance
) -> None:
    crowd(story.integration, 20)
    crowd(other, 3)
    Order.objects.filter(integration=other).update(next_try_at=NOON + SECOND, created_at=NOON + SECOND)
    got = []
    for step in range(6):
        order = actions.lease(instance, at=NOON + (2 + step) * SECOND)
        assert order is not None
        got.append(order.integration_id == other.pk)
        actions.settle(
            Report(str(order.pk), order.epoch, error=ErrorReport(Unreachable.kind, "Down.", "")),
            instance=instance,
            at=NOON + (2 + step) * SECOND,
        )
        Order.objects.filter(pk=order.pk).update(next_try_at=NOON + timedelta(days=1))
    assert sum(got) == 3
    assert got[:2] in ([True, False], [False, True])


def test_ends_come_before_grants_within_an_integration(story: Story, instance: ConnectorInstance) -> None:
    crowd(story.integration, 3)
    with transaction.atomic():
        end = actions.order_for_person(story.integration, story.cast.requester, ENDS, at=NOON + SECOND)
    assert actions.lease(instance, at=NOON + 2 * SECOND) == end


def test_a_target_that_hangs_has_its_share_of_leases_and_no_more(
    story: Story, other: Integration, instance: ConnectorInstance
) -> None:
    crowd(story.integration, 10)
    leased = [actions.lease(instance, at=NOON) for _ in range(CAP + 2)]
    assert [one is not None for one in leased] == [True] * CAP + [False, False]
    crowd(other, 1)
    mine = actions.lease(instance, at=NOON)
    assert mine is not None
    assert mine.integration_id == other.pk
    assert leased[0] is not None
    finish(leased[0], instance)
    assert actions.lease(instance, at=NOON) is not None


def test_of_many_who_lease_at_once_no_integration_gets_more_than_its_share(
    story: Story, other: Integration, instance: ConnectorInstance
) -> None:
    crowd(story.integration, 12)
    crowd(other, 12)
    got: list[Order] = []

    def work() -> None:
        try:
            for _ in range(3):
                order = actions.lease(instance, at=NOON)
                got.extend([order] if order else [])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while (order := actions.lease(instance, at=NOON)) is not None:
        got.append(order)
    assert len({one.pk for one in got}) == len(got) == 2 * CAP
    assert sum(one.integration_id == other.pk for one in got) == CAP


def test_an_order_never_waits_longer_than_an_hour_however_often_it_failed(
    story: Story, instance: ConnectorInstance, settings: Any
) -> None:
    assert settings.RETRY_SECONDS_MAX == 3600
    (order,) = crowd(story.integration, 1)
    now, error = NOON, ErrorReport(Unreachable.kind, "Down.", "Wait.")
    Order.objects.filter(pk=order.pk).update(attempts=500)
    for _ in range(5):
        leased = actions.lease(instance, at=now)
        assert leased is not None
        assert actions.settle(Report(str(leased.pk), leased.epoch, error=error), instance=instance, at=now)
        leased.refresh_from_db()
        assert 1800 <= (leased.next_try_at - now).total_seconds() <= 3600
        now = leased.next_try_at
    Order.objects.filter(pk=order.pk).update(attempts=2**31 - 100)
    assert actions.lease(instance, at=now) is not None


def test_what_is_still_there_is_asked_again_soon_then_later_and_later() -> None:
    assert wait_again(0) == 0
    assert wait_again(1) == 5
    waits = [wait_again(again) for again in range(1, 400)]
    assert 5 <= waits[1] <= 10
    assert all(1800 <= one <= 3600 for one in waits[12:])


def test_an_order_whose_json_cannot_be_read_holds_up_no_other(story: Story) -> None:
    (poison,) = crowd(story.integration, 1)
    Order.objects.filter(pk=poison.pk).update(desired={"holds": [{"nonsense": 1}]}, next_try_at=NOON - SECOND)
    (fine,) = crowd(story.integration, 1, first=1)
    actions.run_until_idle(seconds=10, at=lambda: NOON)
    poison.refresh_from_db()
    fine.refresh_from_db()
    assert fine.state == "done"
    assert (poison.state, poison.error["kind"]) == ("queued", "misconfigured")
    assert poison.next_try_at > NOON


def test_a_report_that_cannot_be_kept_holds_up_no_other(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.actions import orders

    poison, fine = crowd(story.integration, 2)
    real = orders._close

    def close(order: Order, *rest: Any) -> None:
        if order.pk == poison.pk:
            raise ValueError("no")
        real(order, *rest)

    monkeypatch.setattr(orders, "_close", close)
    actions.run_until_idle(seconds=10, at=lambda: NOON)
    poison.refresh_from_db()
    fine.refresh_from_db()
    assert (fine.state, poison.state) == ("done", "queued")
    assert poison.lease_until is None


def test_a_look_costs_the_same_with_thousands_queued(
    story: Story, other: Integration, instance: ConnectorInstance
) -> None:
    """Statements are pinned, and the time of a lease among 5,000 is compared to that among few, in one run."""
    few = _lease_seconds(story.integration, other, instance)
    crowd(story.integration, 5000, first=100)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    many = _lease_seconds(story.integration, other, instance)
    print(json.dumps({"few_ms": few * 1000, "many_ms": many * 1000, "ratio": many / few}))
    assert many < 10 * few
    with CaptureQueriesContext(connection) as told:
        assert actions.lease(instance, at=NOON) is not None
    asked = [
        one["sql"]
        for one in told.captured_queries
        if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]
    assert len(asked) <= 6
    with CaptureQueriesContext(connection) as told:
        assert actions.lease(instance, at=NOON - timedelta(days=1)) is None
    assert len(told.captured_queries) == 1


def _lease_seconds(integration: Integration, other: Integration, instance: ConnectorInstance) -> float:
    """Return the median of twenty leases, giving each back."""
    if not Order.objects.filter(person__isnull=False).exists():
        crowd(integration, 3)
        crowd(other, 3)
    took = []
    for _ in range(20):
        start = time.perf_counter()
        order = actions.lease(instance, at=NOON)
        took.append(time.perf_counter() - start)
        assert order is not None
        Order.objects.filter(pk=order.pk).update(state="queued", lease_until=None)
    return sorted(took)[10]
