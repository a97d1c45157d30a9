"""Orders: one open per (integration, person), leased with an epoch, proven only after every earlier lease is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from connectors.contract.errors import CredentialsRejected, ErrorReport, Unreachable
from connectors.contract.orders import Report
from integrations import actions
from integrations.actions.running import instance_of
from integrations.models import ConnectorInstance, Integration, Order
from tests.cast import Cast
from tests.story import NOON, SECOND, Story, begin, simulated_provider

NOTHING = {"person": {"id": "p", "name": "P"}, "holds": [], "gone": []}


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def instances(story: Story) -> tuple[ConnectorInstance, ConnectorInstance]:
    """Two instances of the connector."""
    first = instance_of(story.integration.connector, at=NOON)
    second = ConnectorInstance.objects.create(connector=first.connector, version="0", place="another")
    return first, second


def order(story: Story, at=NOON) -> Order:
    with transaction.atomic():
        return actions.order_for_person(story.integration, story.cast.requester, NOTHING, at=at)


def test_a_newer_order_supersedes_the_open_one(story: Story) -> None:
    old, new = order(story), order(story)
    old.refresh_from_db()
    assert (old.state, new.state) == ("superseded", "queued")


def test_the_database_refuses_a_second_open_order(story: Story) -> None:
    order(story)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(integration=story.integration, person=story.cast.requester, verb="apply")


def test_a_check_names_no_person_and_an_apply_does(story: Story) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(integration=story.integration, verb="apply")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(integration=story.integration, person=story.cast.requester, verb="check")


def test_an_order_waits_for_the_lease_of_the_one_it_superseded(story: Story, instances) -> None:
    first, second = instances
    old = order(story)
    assert actions.lease(first, at=NOON) == old
    new = order(story, NOON + SECOND)
    assert actions.lease(second, at=NOON + SECOND) is None
    assert actions.lease(second, at=NOON + 59 * SECOND) is None
    taken = actions.lease(second, at=NOON + 60 * SECOND)
    assert taken == new


def test_the_final_report_of_a_superseded_order_is_refused_and_frees_its_lease(story: Story, instances) -> None:
    first, second = instances
    old = order(story)
    leased = actions.lease(first, at=NOON)
    assert leased is not None
    new = order(story, NOON + SECOND)
    assert not actions.settle(Report(str(old.pk), leased.epoch), instance=first, at=NOON + SECOND)
    assert actions.lease(second, at=NOON + SECOND) == new


def test_reports_of_an_older_epoch_are_refused(story: Story, instances) -> None:
    first, second = instances
    order(story)
    stale = actions.lease(first, at=NOON)
    assert stale is not None
    late = NOON + timedelta(seconds=61)
    assert actions.expire_leases(at=late) == 1
    fresh = actions.lease(second, at=late)
    assert fresh is not None
    assert fresh.epoch == stale.epoch + 1
    assert not actions.settle(Report(str(stale.pk), stale.epoch), instance=first, at=late)
    assert not actions.settle(Report(str(stale.pk), fresh.epoch), instance=first, at=late)
    assert actions.settle(Report(str(fresh.pk), fresh.epoch), instance=second, at=late)
    assert not actions.settle(Report(str(fresh.pk), fresh.epoch), instance=second, at=late)


def test_a_failed_try_waits_longer_and_longer_and_never_stops(story: Story, instances) -> None:
    first, _ = instances
    order(story)
    now, waits = NOON, []
    error = ErrorReport(Unreachable.kind, "Down.", "Wait.")
    for _ in range(30):
        leased = actions.lease(first, at=now)
        assert leased is not None
        actions.settle(Report(str(leased.pk), leased.epoch, error=error), instance=first, at=now)
        leased.refresh_from_db()
        assert leased.state == "queued"
        assert leased.error["message"] == "Down."
        waits.append((leased.next_try_at - now).total_seconds())
        now = leased.next_try_at
    assert 0.5 <= waits[0] <= 2
    assert all(wait <= 3600 for wait in waits)
    assert all(wait >= 1800 for wait in waits[15:])


def test_of_many_who_lease_at_once_each_order_goes_to_one(story: Story, instances, settings) -> None:
    settings.LEASES_PER_INTEGRATION = 8
    with transaction.atomic():
        for name in ("a", "b", "c", "d", "e"):
            user = type(story.cast.requester).objects.create(email=f"{name}@example.com", name=name)
            actions.order_for_person(story.integration, user, NOTHING, at=NOON)
    got: list[str] = []

    def run() -> None:
        try:
            while leased := actions.lease(instances[0], at=NOON):
                got.append(str(leased.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A lease attempt that loses the race may give up early; what is left is still there for the next.
    while leased := actions.lease(instances[0], at=NOON):
        got.append(str(leased.pk))
    assert len(got) == len(set(got)) == 5


def test_another_connectors_instance_gets_nothing(story: Story) -> None:
    from integrations.models import Connector

    order(story)
    other = Connector.objects.create(name="elsewhere")
    stranger = ConnectorInstance.objects.create(connector=other, version="0")
    assert actions.lease(stranger, at=NOON) is None


def test_one_check_and_one_sync_are_open_at_a_time(story: Story) -> None:
    first = actions.order_for_system(story.integration, "discover", at=NOON)
    assert actions.order_for_system(story.integration, "discover", at=NOON) == first
    assert actions.order_for_system(story.integration, "check", at=NOON) != first


@pytest.mark.parametrize("error", [Unreachable("Down."), CredentialsRejected("The password is wrong.")])
def test_what_answers_again_hurries_what_waits(story: Story, error: Exception) -> None:
    order(story)
    story.target.down = error
    story.work()
    waiting = Order.objects.get(state="queued")
    Order.objects.filter(pk=waiting.pk).update(next_try_at=story.now + timedelta(hours=1))
    story.target.down = None
    actions.order_for_system(story.integration, "check", at=story.now)
    story.work()
    waiting.refresh_from_db()
    assert waiting.state == "done"
    assert Integration.objects.get().status == "active"
