"""Somebody from outside and access: always a second factor, an end with the stay, and somebody who answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access_requests import actions
from accounts import actions as people
from accounts.models import Attribute, User
from tests.accounts.threads import together
from tests.cast import Cast
from tests.story import NOON, Story, begin, flow, put_into, simulated_provider

DAY = timedelta(days=1)


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A flow that asks nobody, and one that asks the approvers."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration, mode="none")
        yield told


@pytest.fixture
def vera(story: Story) -> User:
    """From outside, an engineer for an hour."""
    ada = story.cast.admin
    made = people.invite("vera@vendor.example", "Vera", NOON + DAY, actor=story.by(ada), at=NOON)
    put_into("engineers", made)
    return made


def proven(story: Story, user: User, *names: str, **more: Any) -> Any:
    request = story.ask(*names, user=user, **more)
    actions.prove_factor(request, user=user, actor=story.by(user), at=story.now)
    story.work()
    return story.fresh(request)


def test_a_second_factor_is_owed_though_the_flow_takes_none(story: Story, vera: User) -> None:
    assert story.ask("orders_prod").state == "approved"
    request = story.ask("orders_prod", user=vera)
    assert story.fresh(request).state == "pending_mfa"
    assert proven(story, vera, "orders_dev").state == "active"


def test_when_the_stay_ends_while_access_is_active_it_is_revoked_and_proven(story: Story, vera: User) -> None:
    request = proven(story, vera, "orders_prod", duration_seconds=3600)
    people.extend_stay(vera, story.now + timedelta(minutes=10), actor=story.by(story.cast.admin), at=story.now)
    assert len(story.held(vera)) == 1
    story.now += timedelta(minutes=10)
    assert people.sweep_leaving(at=story.now) == 1
    story.catch_up()
    ended = story.fresh(request)
    assert (ended.state, ended.ended_how, story.held(vera)) == ("revoked", "proven", set())
    waiting = User.objects.get(pk=vera.pk)
    with pytest.raises(actions.BadAsk):
        story.ask("orders_dev", user=waiting)


def test_what_still_waits_when_the_stay_ends_comes_to_nothing(story: Story, vera: User) -> None:
    request = story.ask("orders_prod", user=vera)
    people.end_stay(vera, actor=story.by(story.cast.admin), at=story.now)
    story.catch_up()
    assert story.fresh(request).state in {"lapsed", "cancelled"}


def test_extending_and_the_sweep_at_once_leave_one_of_them(story: Story, vera: User) -> None:
    ada, then = story.by(story.cast.admin), NOON + DAY
    together(lambda: people.extend_stay(vera, then + DAY, actor=ada, at=NOON), lambda: people.sweep_leaving(at=then))
    vera.refresh_from_db()
    # Either she was extended first and is here, or she was disabled first; an extension by an admin lets nobody in.
    assert vera.leaves_at == then + DAY
    assert people.sweep_leaving(at=then) == 0


def test_without_somebody_who_answers_they_ask_for_nothing_until_an_admin_takes_over(story: Story, vera: User) -> None:
    held = proven(story, vera, "orders_prod")
    host = people.create_user("bea@example.com", "Bea", actor=story.by(story.cast.admin), roles=["admin"])
    people.take_over(vera, actor=story.by(host))
    people.disable_user(host, actor=story.by(story.cast.admin))
    vera = User.objects.get(pk=vera.pk)
    with pytest.raises(actions.BadAsk) as refused:
        story.ask("orders_dev", user=vera)
    assert [one.code for one in refused.value.problems] == ["INVITER_GONE"]
    assert "Bea, who invited Vera, is not here any more." in str(refused.value)
    # What they hold goes on until its end.
    assert story.fresh(held).state == "active"
    people.take_over(vera, actor=story.by(story.cast.admin))
    assert story.ask("orders_dev", user=User.objects.get(pk=vera.pk)).state == "pending_mfa"


def test_whoever_decides_sees_that_they_are_from_outside(story: Story, vera: User) -> None:
    flow(
        story.integration,
        "Ask",
        requestors={"conditions": [{"type": "user", "operator": "is", "values": [vera.email]}]},
        columns={"grant_duration_minutes": 600},
    )
    story.now = timezone.now()
    people.extend_stay(vera, story.now + 9 * DAY, actor=story.by(story.cast.admin), at=story.now)
    request = story.ask("orders_prod", user=vera, duration_seconds=36000, mfa_at=story.now)
    assert request.state == "pending"
    abel = Client()
    abel.force_login(story.cast.approver)
    for path in ("/tasks/", f"/requests/{request.pk}/"):
        assert 'data-tone="quiet"' in abel.get(path).content.decode()
        assert "outside" in abel.get(path).content.decode()
    rita, ada = story.ask("orders_dev", duration_seconds=60), Client()
    ada.force_login(story.cast.admin)
    page = ada.get(f"/requests/{rita.pk}/")
    assert (page.status_code, "outside" in page.content.decode()) == (200, False)


def test_a_flow_gives_them_only_what_names_them(story: Story, vera: User) -> None:
    everybody = {"conditions": [{"type": "city", "operator": "is_not", "values": ["Atlantis"]}]}
    flow(story.integration, "Everybody", mode="none", requestors=everybody)
    stranger = people.invite("walt@vendor.example", "Walt", NOON + DAY, actor=story.by(story.cast.admin), at=NOON)
    Attribute.objects.create(user=stranger, type="city", value="Berlin")
    with pytest.raises(actions.BadAsk):
        story.ask("orders_prod", user=stranger)
    Attribute.objects.create(user=story.cast.outsider, type="city", value="Berlin")
    assert story.ask("orders_prod", user=story.cast.outsider).state == "approved"
    put_into("engineers", stranger)
    assert story.ask("orders_prod", user=stranger).state == "pending_mfa"
