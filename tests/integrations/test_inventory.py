"""The inventory: what a sync finds, changes, and misses; nothing is deleted, nothing that is the same is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit.actor import system
from connectors.contract.errors import NotPermitted
from connectors.contract.orders import ResourceFact
from integrations import actions
from integrations.models import Integration, Resource, StagedResource, SyncRun, Tag
from tests.cast import Cast
from tests.story import Story, begin, simulated_provider

AWKWARD = "Ünïcode \"quoted\" 'name' with \\ tab\tand 100% {braces}"


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        yield begin(cast, "orders_prod", "orders_dev", "billing_prod")


def sync(story: Story) -> SyncRun:
    actions.sync(story.integration, actor=system(), at=story.now)
    story.work()
    run = SyncRun.objects.first()
    assert run is not None
    return run


def counts(run: SyncRun) -> tuple[str, int, int, int, int]:
    return run.state, run.found, run.added, run.changed, run.missing


def test_the_first_sync_finds_everything_with_tags(story: Story) -> None:
    assert counts(SyncRun.objects.get()) == ("succeeded", 3, 3, 0, 0)
    assert dict(Tag.objects.values_list("resource__name", "value")) == {
        "orders_prod": "prod",
        "orders_dev": "dev",
        "billing_prod": "prod",
    }
    assert set(Tag.objects.values_list("type", flat=True)) == {"database"}


def test_a_sync_of_the_same_changes_nothing(story: Story) -> None:
    assert counts(sync(story)) == ("succeeded", 3, 0, 0, 0)
    assert not StagedResource.objects.exists()


def test_what_changed_is_rewritten_with_its_tags_and_keeps_its_identity(story: Story) -> None:
    before = Resource.objects.get(name="orders_dev").pk
    story.target.databases[1] = replace(
        story.target.databases[1], name="orders development", tags={"env": "test", "team": "Ö"}
    )
    assert counts(sync(story)) == ("succeeded", 3, 0, 1, 0)
    row = Resource.objects.get(pk=before)
    assert row.name == "orders development"
    assert dict(row.tags.values_list("key", "value")) == {"env": "test", "team": "Ö"}


def test_what_is_not_seen_is_missing_and_comes_back_as_the_same(story: Story) -> None:
    gone = story.target.databases.pop(0)
    assert counts(sync(story)) == ("succeeded", 2, 0, 0, 1)
    row = Resource.objects.get(name="orders_prod")
    assert row.status == "missing"
    story.target.databases.append(gone)
    assert counts(sync(story)) == ("succeeded", 3, 0, 1, 0)
    assert Resource.objects.get(name="orders_prod").pk == row.pk


def test_awkward_names_and_refusals_survive(story: Story) -> None:
    fact = ResourceFact(
        "database", AWKWARD, AWKWARD, f"server/{AWKWARD}", {AWKWARD: AWKWARD}, {"k": AWKWARD}, 7, {"ADMIN": AWKWARD}
    )
    story.target.databases.append(fact)
    assert counts(sync(story))[2] == 1
    row = Resource.objects.get(source_id=AWKWARD)
    assert (row.name, row.context, row.refusals, row.risk_level) == (AWKWARD, {"k": AWKWARD}, {"ADMIN": AWKWARD}, 7)
    assert list(row.tags.values_list("key", "value")) == [(AWKWARD, AWKWARD)]


def test_a_failed_sync_changes_nothing_and_says_why(story: Story) -> None:
    story.target.faults = [NotPermitted("The connector's user may not list databases.", fix="Grant CONNECT.")]
    run = sync(story)
    assert run.state == "failed"
    assert run.error == "The connector's user may not list databases. Grant CONNECT."
    assert Resource.objects.filter(status="active").count() == 3
    integration = Integration.objects.get()
    assert integration.status == "error"
    assert "Grant CONNECT" in integration.status_reason
    assert sync(story).state == "succeeded"
    assert Integration.objects.get().status == "active"


def test_a_sync_that_died_halfway_begins_again(story: Story) -> None:
    from connectors.contract.orders import Page
    from integrations.actions.inventory import restart, stage

    order = actions.order_for_system(story.integration, "discover", at=story.now)
    run = SyncRun.objects.get(order=order)
    stage(run, Page((story.target.databases[0], story.target.databases[0])))
    assert restart(order).pk == run.pk
    assert StagedResource.objects.count() == 0
    story.work()
    assert counts(SyncRun.objects.get(pk=run.pk)) == ("succeeded", 3, 0, 0, 0)


def test_a_page_that_comes_twice_is_one_resource(story: Story) -> None:
    story.target.databases += [ResourceFact("database", "twice", "twice", "server/twice")] * 2
    assert counts(sync(story))[1:3] == (5, 1)
    assert Resource.objects.filter(name="twice").count() == 1


def test_syncs_come_round_by_the_timetable(story: Story) -> None:
    assert actions.sync_due(at=story.now) == 0
    story.now = Integration.objects.get().sync_due_at
    assert actions.sync_due(at=story.now) == 1
    assert actions.sync_due(at=story.now) == 0
