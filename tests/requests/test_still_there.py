"""A read-back that still finds access keeps the end open, and says so: on the page, and in the trail once."""

from __future__ import annotations

from django.test import Client

from access_requests import actions
from access_requests.models import Proof
from audit import queries as trail
from tests.cast import PASSWORD
from tests.journeys.browser import words_of
from tests.story import Story


def entries(story: Story, number: int) -> list[list[str]]:
    found = trail.of_subject("request", str(number)).filter(action="request.still_there")
    return [one.details["found"] for one in found]


def test_what_is_still_found_keeps_it_open_and_loud_until_it_is_gone(story: Story) -> None:
    request = story.granted("orders_prod", "orders_dev")
    group = story.group(request)
    story.target.stuck.add(str(group.pk))
    rita = request.grantee
    actions.hand_back(request, user=rita, actor=story.by(rita), at=story.now)
    story.work()
    for _ in range(4):
        story.later(minutes=2)
    assert story.fresh(request).state == "revoking"
    assert not Proof.objects.filter(group=group).exists()
    left = ["READ_ONLY on orders_dev (login)", "READ_ONLY on orders_prod (login)"]
    assert story.group(request).still_found == left
    assert entries(story, request.pk) == [left], "said once, not at every try"
    client = Client()
    assert client.login(username=rita.email, password=PASSWORD)
    page = words_of(client.get(f"/requests/{request.pk}/").content.decode())
    assert "Simulated server still shows access that is over" in page
    assert left[0] in page
    held = story.target.holds[str(rita.pk)][str(group.pk)]
    held.remove(next(one for one in held if one.resource == "orders_dev"))
    story.later(hours=2)
    assert entries(story, request.pk) == [left, [left[1]]], "another finding is another entry"
    story.target.stuck.clear()
    story.later(hours=2)
    assert story.fresh(request).ended_how == "proven"
    assert story.group(request).still_found == []
    page = words_of(client.get(f"/requests/{request.pk}/").content.decode())
    assert "still shows access" not in page
