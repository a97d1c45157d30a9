"""The setting `drain_seconds`: said only where it is on, everywhere a flow is told; refused where it means nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flows import actions
from flows.differences import changes
from flows.document import compose
from flows.findings import doubts
from flows.models import AccessFlow
from flows.sentence import sentence
from tests.cast import Cast
from tests.drift.looking import begin_accounts
from tests.story import Story, begin, document, simulated_provider
from tests.story import flow as make_flow

SAYS = "sessions that are open at the end may go on for 30 min"


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        make_flow(told.integration)
        yield told


def define(story: Story, **columns: Any) -> AccessFlow:
    flow = AccessFlow.objects.get()
    told = {"name": flow.name, "approval_mode": "any_of", "grant_duration_minutes": 60} | columns
    return actions.define(told, document(story.integration), actor=story.by(story.cast.admin), flow=flow)


@pytest.mark.parametrize("minutes", [0, 30])
def test_it_is_in_document_and_sentence_only_where_it_is_on(story: Story, minutes: int) -> None:
    flow = AccessFlow.objects.get()
    before = compose(flow)
    flow.drain_minutes = minutes
    told = compose(flow)
    assert told["settings"].get("drain_seconds", 0) == minutes * 60
    assert (told == before) is (minutes == 0)
    assert (SAYS in sentence(told, {})) is bool(minutes)


def test_a_change_of_it_is_told_and_restored(story: Story) -> None:
    before = compose(AccessFlow.objects.get())
    flow = define(story, drain_minutes=30)
    flow.refresh_from_db()
    assert flow.current is not None
    words = "Sessions that are open at the end may go on for 30 min instead of not at all."
    assert changes(before, flow.current.document, {}) == [words]
    actions.restore(flow, 1, actor=story.by(story.cast.admin))
    flow.refresh_from_db()
    assert flow.drain_minutes == 0
    assert flow.current is not None
    assert "drain_seconds" not in flow.current.document["settings"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"drain_minutes": 481}, "at most 8 h"),
        ({"drain_minutes": 30, "grant_duration_minutes": None, "indefinite": True}, "Access without an end"),
        (
            {"drain_minutes": 30, "trigger": "automatic", "approval_mode": "none", "justification_required": False,
             "grant_duration_minutes": None, "indefinite": True},
            "nothing drains",
        ),
    ],
)  # fmt: skip
def test_where_it_means_nothing_it_is_refused(story: Story, columns: dict[str, Any], why: str) -> None:
    with pytest.raises(actions.BadFlow, match=why):
        define(story, **columns)


def test_it_is_doubted_where_the_target_cannot(story: Story, cast: Cast) -> None:
    told = compose(define(story, drain_minutes=30))
    assert not [one for one in doubts(told) if "open sessions" in one.text]
    accounts = begin_accounts(cast)
    there = {**told["targets"][0], "integration": str(accounts.integration.pk), "resource_type": "group"}
    found = [one.text for one in doubts({**told, "targets": [there]}) if "open sessions" in one.text]
    assert found == ["Directory cannot let open sessions go on without letting new ones begin: there all ends at once."]
