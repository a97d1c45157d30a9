"""Bundles: flows carry their content as a snapshot, a change makes versions, nothing in use is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access_requests.choices import EndReason
from accounts.actions import NotAllowed
from audit import queries as trail
from audit.models import AuditEntry
from flows import actions
from flows.document import compose, compose_bundle, digest
from flows.models import AccessFlow, AccessTarget, Bundle, Change, FlowVersion
from tests.cast import Cast
from tests.story import Story, begin, document, flow, simulated_provider


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        yield begin(cast)


def target(story: Story, *permissions: str) -> dict[str, Any]:
    return document(story.integration)["targets"][0] | {"permissions": list(permissions or ("READ_ONLY",))}


def bundle(story: Story, *permissions: str, name: str = "Kit", **more: Any) -> Bundle:
    return actions.define_bundle(name, [target(story, *permissions)], actor=story.by(story.cast.admin), **more)


def giving(story: Story, kit: Bundle, name: str = "Databases") -> AccessFlow:
    return flow(story.integration, name, targets=[{"kind": "bundle", "bundle": str(kit.pk)}])


def test_a_flow_carries_the_bundle_as_a_snapshot(story: Story) -> None:
    kit = bundle(story)
    saved = giving(story, kit)
    assert saved.current is not None
    (one,) = saved.current.document["targets"]
    assert one == {"kind": "bundle", "bundle": str(kit.pk), "name": "Kit", "targets": one["targets"]}
    (inside,) = one["targets"]
    assert (inside["kind"], inside["integration"]) == ("integration", str(story.integration.pk))
    assert inside["permissions"] == ["READ_ONLY"]
    assert "for everything in the bundle “Kit” for" in saved.current.sentence


def test_saving_a_changed_bundle_gives_every_flow_that_gives_it_a_version(story: Story) -> None:
    kit, other = bundle(story), bundle(story, name="Other")
    first, second, third = giving(story, kit, "A"), giving(story, kit, "B"), giving(story, other, "C")
    news = Change.objects.count()
    bundle(story, "READ_ONLY", "ADMIN", bundle=kit)
    for row, versions in ((first, 2), (second, 2), (third, 1)):
        row.refresh_from_db()
        assert row.versions.count() == versions
        # What the version says is exactly what the rows say: saving the flow again changes nothing.
        assert row.current is not None
        assert row.current.digest == digest(compose(row)) == digest(row.current.document)
    assert Change.objects.count() == news + 2
    (entry, *_) = trail.of_subject("flow", str(first.pk)).order_by("-id")
    assert (entry.action, entry.actor_name) == ("flow.saved", "Ada")
    assert entry.details["reason"] == "The bundle Kit changed."
    saved = AuditEntry.objects.filter(action="bundle.saved").latest("id")
    assert saved.details["after"]["targets"][0]["permissions"] == ["ADMIN", "READ_ONLY"]


def test_saving_what_has_not_changed_makes_no_version_and_no_entry(story: Story) -> None:
    kit = bundle(story)
    saved = giving(story, kit)
    entries = AuditEntry.objects.count()
    bundle(story, bundle=kit)
    assert (saved.versions.count(), AuditEntry.objects.count()) == (1, entries)
    bundle(story, bundle=kit, description="For incidents")
    assert saved.versions.count() == 1
    assert AuditEntry.objects.filter(action="bundle.saved").count() == 2


def test_access_that_a_bundle_no_longer_gives_ends(story: Story) -> None:
    kit = bundle(story, "READ_ONLY", "ADMIN")
    giving(story, kit)
    story.now = timezone.now()
    kept, lost = story.granted("orders_prod"), story.granted("orders_dev", permission="ADMIN")
    assert (kept.state, lost.state) == ("active", "active")
    bundle(story, "READ_ONLY", bundle=kit)
    story.catch_up()
    kept, lost = story.fresh(kept), story.fresh(lost)
    assert kept.state == "active"
    assert (lost.state, lost.end_reason) == ("revoked", EndReason.NOT_ELIGIBLE)


def test_a_bundle_is_narrowed_even_when_a_flow_that_gives_it_could_not_be_saved_by_itself(story: Story) -> None:
    kit = bundle(story, "READ_ONLY", "ADMIN")
    saved = giving(story, kit)
    story.cast.approver.memberships.all().delete()
    bundle(story, "READ_ONLY", bundle=kit)
    assert saved.versions.count() == 2


def test_a_bundle_in_use_is_not_deleted_and_its_flows_are_named(story: Story) -> None:
    kit = bundle(story)
    saved = giving(story, kit)
    with pytest.raises(actions.StillNeeded) as refused:
        actions.delete_bundle(kit, actor=story.by(story.cast.admin))
    assert refused.value.flows == [saved]
    actions.delete(saved, actor=story.by(story.cast.admin))
    actions.delete_bundle(kit, actor=story.by(story.cast.admin))
    assert not Bundle.objects.exists()
    assert not AccessTarget.objects.exists()
    assert AuditEntry.objects.filter(action="bundle.deleted", subject_name="Kit").exists()


def test_only_who_writes_policy_writes_bundles(story: Story) -> None:
    kit = bundle(story)
    for user in (story.cast.requester, story.cast.outsider):
        with pytest.raises(NotAllowed):
            actions.define_bundle("Mine", [target(story)], actor=story.by(user))
        with pytest.raises(NotAllowed):
            actions.define_bundle("Kit", [target(story, "ADMIN")], actor=story.by(user), bundle=kit)
        with pytest.raises(NotAllowed):
            actions.delete_bundle(kit, actor=story.by(user))
    assert compose_bundle(kit)["targets"][0]["permissions"] == ["READ_ONLY"]


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([], "Say what is in the bundle"),
        ([{"kind": "bundle", "bundle": "x"}], "No bundle lies in a bundle"),
        ([{"permissions": ["FLY"]}], "There is no permission FLY"),
        ([{"resource_type": "boat"}], "no resource type “boat”"),
    ],
)
def test_what_cannot_be_a_bundle_is_refused(story: Story, targets: list[dict[str, Any]], words: str) -> None:
    whole = [one if one.get("kind") else target(story) | one for one in targets]
    with pytest.raises(actions.BadFlow, match=words):
        actions.define_bundle("Bad", whole, actor=story.by(story.cast.admin))
    assert not Bundle.objects.exists()


def test_a_flow_whose_bundle_is_gone_is_refused(story: Story) -> None:
    kit = bundle(story)
    gone = str(kit.pk)
    actions.delete_bundle(kit, actor=story.by(story.cast.admin))
    with pytest.raises(Exception, match=r"(?i)bundle|foreign key"):
        flow(story.integration, targets=[{"kind": "bundle", "bundle": gone}])
    assert not AccessFlow.objects.exists()


def test_who_read_an_older_bundle_does_not_save_over_a_newer_one(story: Story) -> None:
    kit = bundle(story)
    read = digest(compose_bundle(kit))
    bundle(story, "ADMIN", bundle=kit, after=read)
    with pytest.raises(actions.Overtaken):
        bundle(story, "READ_ONLY", bundle=kit, after=read)
    assert compose_bundle(kit)["targets"][0]["permissions"] == ["ADMIN"]


def test_a_bundle_in_many_flows_costs_a_few_queries_for_each(story: Story) -> None:
    kit = bundle(story)
    for number in range(10):
        giving(story, kit, f"Flow {number}")
    with CaptureQueriesContext(connection) as asked:
        bundle(story, "ADMIN", bundle=kit)
    assert FlowVersion.objects.count() == 20
    assert len(asked) <= 30 + 10 * 25
