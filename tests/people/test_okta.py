"""Okta as a directory, against an organization whose answers are held against Okta's own description."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Group
from integrations import actions
from integrations.models import Origin, StagedFact
from tests.cast import Cast
from tests.http_server import Answer
from tests.people.okta_site import TOKEN, OktaSite, error, limited, okta_site
from tests.people.world import Connected, attributes_of, connected, groups_of, user


@pytest.fixture
def site() -> Iterator[OktaSite]:
    with okta_site() as site:
        yield site


@pytest.fixture
def okta(fresh_database: None, cast: Cast, site: OktaSite) -> Connected:
    return connected(cast, "okta-directory", {"address": site.address}, {"token": TOKEN}, "Okta")


def test_the_first_sync_takes_over_people_groups_managers_and_attributes(okta: Connected, cast: Cast) -> None:
    run = okta.sync()
    assert (run.state, run.added, run.warnings) == ("succeeded", 4, [])
    assert user("bea").name == "Bea Example"
    assert user("cem").manager == user("dora").manager == user("bea")
    assert attributes_of("bea") == {("okta_city", "Berlin"), ("okta_department", "Payments")}
    assert groups_of("cem") == {"Engineers", "Everyone"}
    assert groups_of("emil") == {"Everyone"}
    # Who was here already is the same person: the address is the identity.
    assert user("rita").pk == cast.requester.pk
    assert user("rita").name == "Rita Requester"
    assert not StagedFact.objects.exists()


def test_every_page_of_people_groups_and_members_is_read(okta: Connected, site: OktaSite) -> None:
    okta.sync()
    places = [(one.path, one.query.get("after")) for one in site.asked]
    assert places.count(("/api/v1/users", ["2"])) == places.count(("/api/v1/users", ["4"])) == 1
    assert [after for path, after in places if path == "/api/v1/groups/00g2/users"] == [None, ["2"], ["4"]]


def test_a_second_sync_asks_for_what_changed_and_takes_that_over(okta: Connected, site: OktaSite) -> None:
    okta.sync()
    okta.later(minutes=20)
    site.now += timedelta(minutes=20)
    site.asked.clear()
    site.person("00u2", "Cem", managerId="00u3", city="Aachen", at=site.stamp())
    site.person("00u6", "Finn", at=site.stamp())
    site.group("00g1", "Engineers", "00u1", "00u6", at=site.stamp())
    run = okta.sync()
    assert (run.state, run.whole, run.added, run.warnings) == ("succeeded", False, 1, [])
    assert user("cem").manager == user("dora")
    assert attributes_of("cem") == {("okta_city", "Aachen")}
    assert groups_of("cem") == {"Everyone"}
    assert groups_of("finn") == {"Engineers"}
    searched = next(one.query["search"][0] for one in site.asked if "search" in one.query)
    assert searched == 'lastUpdated gt "2026-03-02T11:50:00.000Z"'
    assert not [one for one in site.asked if one.path == "/api/v1/groups/00g2/users"]


def test_who_is_suspended_there_is_disabled_here_and_comes_back(okta: Connected, site: OktaSite) -> None:
    actions.edit_directory(
        okta.settings,
        settings={"share_percent": 50, "creates_people": True, "sync_minutes": 15, "whole_hours": 24},
        attributes=[("profile.city", "okta_city")],
        actor=okta.admin,
        at=okta.now,
    )
    okta.sync()
    site.now += timedelta(hours=1)
    okta.later(hours=1)
    site.person("00u4", "Emil", status="SUSPENDED", at=site.stamp())
    assert okta.sync().missing == 1
    assert not user("emil").is_active
    site.now += timedelta(hours=1)
    okta.later(hours=1)
    site.person("00u4", "Emil", at=site.stamp())
    okta.sync()
    assert user("emil").is_active


def test_a_page_that_fails_in_the_middle_changes_nothing_and_the_sync_goes_on_there(
    okta: Connected, site: OktaSite
) -> None:
    # users/me by the check, users and groups by it, users/me, two pages of people; then it breaks.
    site.trouble[7] = error(500, "E0000009", "Internal Server Error")
    run = okta.read()
    assert run.state == "running"
    assert not Origin.objects.exists() and not Group.objects.exists()
    assert okta.order().error["kind"] == "unreachable"
    site.asked.clear()
    okta.later(seconds=30)
    run = okta.sync()
    assert (run.state, run.added) == ("succeeded", 4)
    first = next(one for one in site.asked if one.path == "/api/v1/users")
    assert first.query["after"] == ["4"]


def test_when_okta_asks_to_wait_the_sync_goes_on_then(okta: Connected, site: OktaSite) -> None:
    site.trouble[5] = limited(site, 300)
    run = okta.read()
    order = okta.order()
    assert run.state == "running"
    wait = (order.next_try_at - okta.now).total_seconds()
    assert 300 <= wait <= 303
    okta.later(seconds=299)
    actions.run_until_idle(seconds=5, at=lambda: okta.now)
    assert okta.run().state == "running"
    okta.later(seconds=10)
    assert okta.sync().state == "succeeded"


def test_in_the_middle_of_a_groups_members_nothing_is_lost(okta: Connected, site: OktaSite) -> None:
    # Three by the check; me, three pages of people, groups, members: 1 and 2 of Engineers, then 1 of Everyone.
    site.trouble[12] = error(503, "E0000010", "Service is in read only mode")
    assert okta.read().state == "running"
    site.asked.clear()
    okta.later(seconds=30)
    assert okta.sync().state == "succeeded"
    assert groups_of("emil") == {"Everyone"} and groups_of("dora") == {"Engineers", "Everyone"}
    assert not [one for one in site.asked if one.path in {"/api/v1/users", "/api/v1/groups/00g1/users"}]


def test_a_wrong_token_is_said_in_words_before_anything_is_saved(okta: Connected, site: OktaSite) -> None:
    report = actions.try_connection("okta-directory", {"address": site.address}, {"token": "wrong"}, actor=okta.admin)
    assert report.error is not None and report.error.kind == "credentials_rejected"
    site.trouble[len(site.asked) + 3] = error(403, "E0000006", "You do not have permission")
    found = actions.try_connection("okta-directory", {"address": site.address}, {"token": TOKEN}, actor=okta.admin)
    assert [one.level for one in found.findings] == ["ok", "error"]
    assert "okta.groups.read" in found.findings[1].fix


def test_an_address_that_is_no_okta_tells_of_nobody_instead_of_emptying_the_directory(
    okta: Connected, site: OktaSite
) -> None:
    okta.sync()
    okta.later(hours=25)
    site.now = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
    number = len(site.asked)
    site.trouble[number + 5] = Answer(data={"hello": "world"})
    run = okta.read()
    assert run.state == "failed" and "no list" in run.error
    assert user("emil").is_active
