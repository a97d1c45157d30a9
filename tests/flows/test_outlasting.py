"""The setting `only_while_eligible`: said only where it is off, everywhere a flow is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows import actions
from flows.differences import changes
from flows.document import compose
from flows.models import AccessFlow
from flows.sentence import sentence
from tests.cast import Cast
from tests.story import Story, begin, document, simulated_provider
from tests.story import flow as make_flow


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        make_flow(told.integration)
        yield told


STAYS = "open access stays when they are no longer eligible"


@pytest.mark.parametrize("outlasts", [True, False])
def test_it_is_in_document_and_sentence_only_where_it_is_off(story: Story, outlasts: bool) -> None:
    flow = AccessFlow.objects.get()
    flow.outlasts_eligibility = outlasts
    document = compose(flow)
    assert ("only_while_eligible" in document["settings"]) is outlasts
    assert (STAYS in sentence(document, {})) is outlasts


def test_a_change_of_it_is_told_and_restored(story: Story) -> None:
    flow = AccessFlow.objects.get()
    before = compose(flow)
    columns = {"name": flow.name, "approval_mode": "any_of", "grant_duration_minutes": 60, "outlasts_eligibility": True}
    actions.define(columns, document(story.integration), actor=story.by(story.cast.admin), flow=flow)
    flow.refresh_from_db()
    after = flow.current.document
    assert after["settings"]["only_while_eligible"] is False
    assert changes(before, after, {}) == ["Open access stays to its end when the person does not match any more."]
    actions.restore(flow, 1, actor=story.by(story.cast.admin))
    flow.refresh_from_db()
    assert flow.outlasts_eligibility is False
    assert "only_while_eligible" not in flow.current.document["settings"]
