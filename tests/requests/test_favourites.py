"""Favourites: one's own requests, kept once, and not without end."""

from __future__ import annotations

import pytest

from access_requests import actions
from access_requests.models import Favourite
from audit.models import AuditEntry
from tests.story import Story


def test_a_request_is_kept_once_and_dropped(story: Story) -> None:
    request, rita = story.ask("orders_prod"), story.cast.requester
    for _ in range(2):
        actions.keep_favourite(request, user=rita, actor=story.by(rita))
    assert [one.request for one in Favourite.objects.filter(user=rita)] == [request]
    for _ in range(2):
        actions.drop_favourite(request, user=rita, actor=story.by(rita))
    assert not Favourite.objects.exists()
    names = AuditEntry.objects.filter(action__startswith="request.favourite").values_list("action", flat=True)
    assert sorted(names) == ["request.favourite_dropped", "request.favourite_kept"]


def test_only_ones_own(story: Story) -> None:
    request = story.ask("orders_prod")
    for user in (story.cast.outsider, story.cast.approver, story.cast.admin):
        with pytest.raises(actions.NotYours):
            actions.keep_favourite(request, user=user, actor=story.by(user))


def test_there_is_an_end_to_them(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access_requests.actions.favourites.FAVOURITES_MAX", 1)
    rita = story.cast.requester
    actions.keep_favourite(story.ask("orders_prod"), user=rita, actor=story.by(rita))
    with pytest.raises(actions.NotPossible, match="Drop one first"):
        actions.keep_favourite(story.ask("orders_dev"), user=rita, actor=story.by(rita))
