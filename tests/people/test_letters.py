"""What the admins are told where a directory needs them, by letter and on its page; and who put whom into a group."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from accounts import actions as accounts
from accounts.choices import LetterKind
from accounts.models import Letter
from audit.actor import Actor
from audit.choices import ActorKind, Source
from integrations import actions
from integrations.queries import known_of
from tests.cast import PASSWORD, Cast
from tests.http_server import Answer
from tests.people.okta_site import TOKEN, OktaSite, okta_site
from tests.people.world import Connected, connected


@pytest.fixture
def site() -> Iterator[OktaSite]:
    with okta_site() as site:
        yield site


@pytest.fixture
def okta(fresh_database: None, cast: Cast, site: OktaSite) -> Connected:
    return connected(cast, "okta-directory", {"address": site.address}, {"token": TOKEN}, "Okta")


PROVISIONING = Actor(kind=ActorKind.SYSTEM, name="Identity provider", source=Source.API)
OTHER = Actor(kind=ActorKind.SYSTEM, name="Other provider", source=Source.API)


def letters() -> list[Letter]:
    return list(Letter.objects.filter(kind=LetterKind.DIRECTORY).order_by("pk"))


def a_sync_that_fails(okta: Connected, site: OktaSite, **later: float) -> None:
    okta.later(**later)
    site.now += timedelta(**later)
    number = len(site.asked)
    # Whatever it asks, and however often.
    site.trouble = {number + one: Answer(data={"hello": "world"}) for one in range(1, 9)}
    assert okta.sync().state == "failed"
    site.trouble = {}


def test_the_admins_hear_of_syncs_that_fail_at_the_third_time_and_then_once_a_day(
    okta: Connected, site: OktaSite, client: Client
) -> None:
    okta.sync()
    a_sync_that_fails(okta, site, hours=1)
    a_sync_that_fails(okta, site, hours=1)
    assert not letters()
    a_sync_that_fails(okta, site, hours=1)
    (letter,) = letters()
    assert letter.to == okta.cast.admin
    assert letter.subject == "Okta could not be read 3 times running"
    assert "no list" in letter.text and f"/{okta.integration.pk}/change/" in letter.text
    a_sync_that_fails(okta, site, hours=1)
    assert len(letters()) == 1
    a_sync_that_fails(okta, site, hours=24)
    assert [one.subject[-15:] for one in letters()] == ["3 times running", "5 times running"]
    client.login(email="ada@example.com", password=PASSWORD)
    where = f"/admin/integrations/integration/{okta.integration.pk}/change/"
    assert "The last 5 syncs failed." in client.get(where).content.decode()
    okta.later(hours=1)
    assert okta.sync().state == "succeeded"
    assert "syncs failed" not in client.get(where).content.decode()
    # Another streak is another matter, also within the day.
    for _ in range(3):
        a_sync_that_fails(okta, site, hours=1)
    assert len(letters()) == 3


def test_the_admins_hear_once_that_a_directory_waits_for_their_yes(
    okta: Connected, site: OktaSite, client: Client
) -> None:
    okta.sync()
    for key in ("00u3", "00u4"):
        del site.users[key]
    for members in site.members.values():
        members[:] = [one for one in members if one in site.users]
    okta.later(hours=25)
    site.now += timedelta(hours=25)
    run = okta.sync()
    assert run.state == "waiting"
    (letter,) = letters()
    assert letter.subject == "2 people would go by Okta: it waits for a yes"
    page = next(word for word in letter.text.split() if "/going/" in word)
    client.login(email="ada@example.com", password=PASSWORD)
    answer = client.get(page[page.index("/admin/") :])
    assert answer.status_code == 200 and "dora@example.com" in answer.content.decode()
    assert actions.allow_leaving(run, actor=okta.admin, at=okta.now)
    actions.sweep_people(at=lambda: okta.now)
    okta.later(hours=25)
    assert okta.sync().state == "succeeded"
    assert len(letters()) == 1


def test_who_pushed_somebody_into_a_group_is_said_by_the_identities_page(db: None, cast: Cast) -> None:
    def of(group: str) -> tuple[str, str]:
        return next((one.source, one.by) for one in known_of(cast.requester) if one.value == group)

    def push(by: Actor, joining: set[uuid.UUID], leaving: set[uuid.UUID]) -> None:
        with transaction.atomic():
            assert accounts.change_pushed_group(
                pushed, actor=by, name="Pushed", external_id="x-1", joining=joining, leaving=leaving
            )

    me = {cast.requester.pk}
    pushed = accounts.push_group("Pushed", "x-1", me | {cast.approver.pk}, actor=PROVISIONING)
    assert of("Pushed") == ("push", "Identity provider")
    # A push of somebody else says nothing of who was there before.
    push(OTHER, {cast.outsider.pk}, set())
    assert of("Pushed") == ("push", "Identity provider")
    push(OTHER, set(), me)
    push(OTHER, me, set())
    assert of("Pushed") == ("push", "Other provider")
