"""Flows: saved as versions, refused when nobody could approve, read back as a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction

from accounts.actions import NotAllowed
from audit import queries as trail
from flows import actions
from flows.models import AccessFlow, AccessTarget, FlowVersion
from integrations import actions as systems
from tests.cast import Cast
from tests.story import Story, begin, document, flow, put_into, simulated_provider


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    """A connected, not yet synced, simulated server: its types come from the manifest."""
    with simulated_provider():
        put_into("engineers", cast.requester)
        put_into("approvers", cast.approver)
        from audit.actor import system
        from tests.simulated import Target

        integration = systems.connect(
            "Server", "simulated", config={"hostname": "x"}, secrets={"password": "y"}, actor=system()
        )
        yield Story(cast, integration, Target())


def test_a_flow_reads_back_as_one_sentence(story: Story) -> None:
    saved = flow(story.integration)
    assert saved.current is not None
    assert saved.current.sentence == (
        "People in the group “engineers” may ask, for themselves, for READ_ONLY on any database of Server for at most "
        "1 h, with a justification; someone in the group “approvers” approves."
    )


def test_saving_again_makes_a_version_only_when_something_changed(story: Story) -> None:
    saved = flow(story.integration)
    actor = story.by(story.cast.admin)
    assert actions.save(saved, actor=actor).number == 1
    saved.grant_duration_minutes = 30
    saved.save()
    assert actions.save(saved, actor=actor).number == 2
    assert FlowVersion.objects.filter(flow=saved).count() == 2
    entries = trail.of_subject("flow", str(saved.pk)).filter(action="flow.saved").order_by("id")
    assert [entry.details["version"] for entry in entries] == [1, 2]


@pytest.mark.parametrize(
    ("change", "columns", "words"),
    [
        ({"requestors": {"conditions": []}}, {}, "Say who may ask"),
        ({"targets": []}, {}, "Say what can be asked for"),
        ({"approval": {"groups": []}}, {}, "Add an approver group"),
        (
            {"approval": {"groups": [{"conditions": [{"type": "group", "values": ["nobody"]}]}]}},
            {},
            "nobody could ever approve",
        ),
        ({}, {"approval_mode": "none"}, "remove the approver groups"),
        (
            {"approval": {"groups": [{"conditions": [{"type": "Owner", "operator": "is_not", "values": []}]}]}},
            {},
            "The owner is asked",
        ),
        ({"requestors": {"conditions": [{"type": "group", "values": []}]}}, {}, "Give the condition"),
        ({}, {"trigger": "automatic", "approval_mode": "none", "justification_required": False}, "Without an end"),
    ],
)
def test_a_flow_that_cannot_work_is_refused_and_nothing_is_kept(
    story: Story, change: dict, columns: dict, words: str
) -> None:
    with pytest.raises(actions.BadFlow, match=words):
        flow(story.integration, columns=columns, **change)
    assert not AccessFlow.objects.exists()


def test_all_of_needs_somebody_in_every_group(story: Story) -> None:
    groups = [
        {"conditions": [{"type": "group", "operator": "is", "values": [name]}]} for name in ("approvers", "empty")
    ]
    flow(story.integration, "Any", "any_of", approval={"groups": groups})
    with pytest.raises(actions.BadFlow, match="Every group has to approve"):
        flow(story.integration, "All", "all_of", approval={"groups": groups})


def test_wrong_permissions_and_types_are_named(story: Story) -> None:
    good = document(story.integration)["targets"][0]
    with pytest.raises(actions.BadFlow, match="no permission FLY; there are ADMIN, READ_ONLY"):
        flow(story.integration, targets=[good | {"permissions": ["FLY"]}])
    with pytest.raises(actions.BadFlow, match="no resource type “boat”"):
        flow(story.integration, targets=[good | {"resource_type": "boat"}])


def test_who_may_not_write_policy_is_refused(story: Story) -> None:
    saved = flow(story.integration)
    for user in (story.cast.requester, story.cast.outsider):
        with pytest.raises(NotAllowed):
            actions.set_active(saved, False, actor=story.by(user))
        with pytest.raises(NotAllowed):
            actions.delete(saved, actor=story.by(user))
    saved.refresh_from_db()
    assert saved.active


def test_a_flow_without_requests_is_deleted_and_takes_its_rows_along(story: Story) -> None:
    saved = flow(story.integration)
    actions.delete(saved, actor=story.by(story.cast.admin))
    assert not AccessFlow.objects.exists()
    assert not AccessTarget.objects.exists()


def test_a_flow_with_requests_stays(fresh_database: None, cast: Cast) -> None:
    with simulated_provider():
        story = begin(cast)
        saved = flow(story.integration)
        story.ask("orders_prod")
        with pytest.raises(actions.StillNeeded, match="Switch it off"):
            actions.delete(saved, actor=story.by(cast.admin))
        assert AccessFlow.objects.exists()
        with pytest.raises(systems.StillNeeded):
            systems.delete(story.integration, actor=story.by(cast.admin))


@pytest.mark.parametrize(
    "columns",
    [
        {"indefinite": True, "grant_duration_minutes": 5},
        {"indefinite": False, "grant_duration_minutes": None},
        {"trigger": "automatic", "approval_mode": "any_of"},
    ],
)
def test_the_database_refuses_flows_that_contradict_themselves(story: Story, columns: dict) -> None:
    saved = flow(story.integration)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessFlow.objects.filter(pk=saved.pk).update(**columns)


def test_the_database_refuses_a_target_that_names_two_things_or_none(story: Story) -> None:
    saved = flow(story.integration)
    for fields in ({"kind": "integration"}, {"kind": "query", "integration": story.integration, "query": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AccessTarget.objects.create(flow=saved, **fields)
