"""Microsoft Entra ID as a directory, against a tenant whose answers are held against Graph's own description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Group, User
from integrations import actions
from tests.cast import Cast
from tests.people.entra_site import SECRET, EntraSite, entra_site, error
from tests.people.world import Connected, attributes_of, connected, groups_of, user


@pytest.fixture
def site() -> Iterator[EntraSite]:
    with entra_site() as site:
        yield site


def config(site: EntraSite) -> dict[str, str]:
    return {
        "tenant": "contoso.example",
        "client_id": "app-1",
        "graph_address": site.address,
        "login_address": site.address,
    }


@pytest.fixture
def entra(fresh_database: None, cast: Cast, site: EntraSite) -> Connected:
    return connected(cast, "entra-id-directory", config(site), {"client_secret": SECRET}, "Entra ID")


def test_the_first_sync_takes_over_everybody_but_guests_and_machines(entra: Connected) -> None:
    run = entra.sync()
    assert (run.state, run.whole, run.added, run.warnings) == ("succeeded", True, 3, [])
    assert user("cem").manager == user("dora").manager == user("bea")
    assert attributes_of("bea") == {("entra_city", "Berlin")}
    assert groups_of("cem") == {"Engineers", "Everyone"}
    # Who may not sign in there is not made here, and a guest is no person of the tenant.
    assert not User.objects.filter(email__in=["emil@example.com", "gast@example.com"]).exists()


def test_the_next_sync_reads_only_what_changed(entra: Connected, site: EntraSite) -> None:
    entra.sync()
    entra.settings.__class__.objects.update(share_percent=100)
    site.person("u-2", "Cem", manager="u-3", city="Aachen")
    site.remove("users", "u-3")
    site.person("u-6", "Finn")
    site.group("g-1", "Engineering", "u-6")
    site.remove("groups", "g-2")
    site.asked.clear()
    entra.later(minutes=20)
    run = entra.sync()
    assert (run.state, run.whole, run.added, run.missing) == ("succeeded", False, 1, 1)
    assert not user("dora").is_active
    assert attributes_of("cem") == {("entra_city", "Aachen")}
    assert groups_of("finn") == {"Engineering"}
    assert set(Group.objects.values_list("name", flat=True)) == {"Engineering"}
    read = [one.path for one in site.asked]
    assert "/v1.0/users" not in read and "/v1.0/users/u-1" not in read


def test_a_mark_that_microsoft_forgot_means_a_whole_reading(entra: Connected, site: EntraSite) -> None:
    entra.sync()
    site.forgotten = len(site.changed) + 1
    site.person("u-6", "Finn")
    entra.later(minutes=20)
    run = entra.sync()
    assert (run.state, run.whole, run.added) == ("succeeded", True, 1)


def test_a_page_that_fails_in_the_middle_goes_on_there_and_waits_as_long_as_it_is_asked(
    entra: Connected, site: EntraSite
) -> None:
    # Three by the check; token, two marks, one page of people: then too much was asked.
    site.trouble[8] = error(429, "TooManyRequests", "Too many requests", {"Retry-After": "120"})
    assert entra.read().state == "running"
    assert not User.objects.filter(email="bea@example.com").exists()
    wait = (entra.order().next_try_at - entra.now).total_seconds()
    assert 120 <= wait <= 123
    site.asked.clear()
    entra.later(seconds=125)
    assert entra.sync().state == "succeeded"
    assert user("bea").is_active
    people = [one for one in site.asked if one.path == "/v1.0/users"]
    assert people[0].query["$skiptoken"] == ["2"]


def test_a_wrong_secret_is_said_in_microsofts_words_and_without_the_secret(entra: Connected, site: EntraSite) -> None:
    wrong = {"client_secret": "wrong-secret"}
    report = actions.try_connection("entra-id-directory", config(site), wrong, actor=entra.admin)
    assert report.error is not None and report.error.kind == "credentials_rejected"
    assert "AADSTS7000215" in report.error.message and "wrong-secret" not in report.error.message
    right = actions.try_connection("entra-id-directory", config(site), {"client_secret": SECRET}, actor=entra.admin)
    assert [one.level for one in right.findings] == ["ok"]
