"""Credentials: sealed until seen, handed out once, to their grantee only, and never in the open."""

from __future__ import annotations

import json
import threading

import pytest
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connections, transaction

from access_requests import actions
from access_requests.models import AccessSession
from tests.story import Story


def take(story: Story, session: AccessSession, user=None) -> dict[str, str]:
    owner = user or story.cast.requester
    return actions.take_credentials(session, user=owner, actor=story.by(owner), at=story.now)


def test_the_grantee_sees_the_password_once_and_it_is_the_one_at_the_target(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    assert session.credentials_status == "AVAILABLE"
    login = session.group.login
    assert take(story, session) == {"password": story.target.passwords[login]}
    session.refresh_from_db()
    assert (session.credentials_status, session.sealed_credentials, session.consumed_by) == ("VIEWED", "", "portal")
    with pytest.raises(actions.AlreadySeen):
        take(story, session)


def test_nobody_else_gets_it(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    for user in (story.cast.admin, story.cast.approver, story.cast.outsider):
        with pytest.raises(actions.NotYours):
            take(story, session, user)
        with pytest.raises(actions.NotYours):
            actions.reset_credentials(session, user=user, actor=story.by(user), at=story.now)
    session.refresh_from_db()
    assert session.credentials_status == "AVAILABLE"


def test_of_many_at_once_one_gets_it(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    got, refused = [], []

    def run() -> None:
        try:
            got.append(take(story, session))
        except actions.AlreadySeen:
            refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


def test_a_reset_makes_a_new_password_and_the_old_one_is_gone(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    old = take(story, session)["password"]
    owner = story.cast.requester
    actions.reset_credentials(session, user=owner, actor=story.by(owner), at=story.now)
    with pytest.raises(actions.NothingToSee):
        take(story, session)
    story.work()
    assert "reset_credentials:1" in story.target.seen
    new = take(story, session)["password"]
    assert new != old
    assert story.target.passwords[session.group.login] == new


def test_a_second_grant_does_not_touch_a_password_that_was_seen(story: Story) -> None:
    first = story.session(story.granted("orders_prod"))
    password = take(story, first)["password"]
    second = story.session(story.granted("orders_dev"))
    assert story.target.passwords[first.group.login] == password
    first.refresh_from_db()
    assert (first.credentials_status, second.credentials_status) == ("VIEWED", "AVAILABLE")


def test_when_access_ends_unseen_credentials_are_gone(story: Story) -> None:
    session = story.session(story.granted("orders_prod", duration_seconds=60))
    story.later(seconds=60)
    session.refresh_from_db()
    assert (session.credentials_status, session.sealed_credentials) == ("NOT_APPLICABLE", "")
    with pytest.raises(actions.NothingToSee):
        take(story, session)


def test_no_table_holds_a_password_or_the_connectors_secret_in_the_open(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    canaries = [story.target.passwords[session.group.login], "the-connectors-own-password"]
    take(story, session)
    for model in apps.get_models():
        for row in model._default_manager.all().values():
            text = json.dumps(row, cls=DjangoJSONEncoder, default=repr)
            assert not [canary for canary in canaries if canary in text], model


def test_sealed_credentials_leave_the_order_with_its_report(story: Story) -> None:
    story.granted("orders_prod")
    results = [json.dumps(order.result) for order in apps.get_model("integrations.Order").objects.all()]
    assert any("grants" in result for result in results)
    assert not [result for result in results if "sealed_credentials" in result]


def test_the_database_keeps_ciphertext_only_while_it_is_available(story: Story) -> None:
    session = story.session(story.granted("orders_prod"))
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessSession.objects.filter(pk=session.pk).update(credentials_status="VIEWED")
