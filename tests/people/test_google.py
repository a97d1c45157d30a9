"""Google Workspace as a directory, against an account whose answers are held against Google's discovery document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import User
from integrations import actions
from tests.cast import Cast
from tests.http_server import Answer
from tests.people.google_site import SUBJECT, GoogleSite, error, google_site
from tests.people.world import Connected, attributes_of, connected, groups_of, user


@pytest.fixture
def site() -> Iterator[GoogleSite]:
    with google_site() as site:
        yield site


@pytest.fixture
def google(fresh_database: None, cast: Cast, site: GoogleSite) -> Connected:
    config = {"subject": SUBJECT, "address": site.address}
    return connected(cast, "google-workspace-directory", config, {"key": site.key_file()}, "Google")


def test_everybody_is_taken_over_with_managers_groups_and_attributes(google: Connected) -> None:
    run = google.sync()
    assert (run.state, run.added, run.warnings) == ("succeeded", 3, [])
    assert user("cem").manager == user("bea")
    assert attributes_of("bea") == {("google_department", "Payments"), ("google_org_unit", "/")}
    assert groups_of("dora") == {"Engineers"}
    assert not User.objects.filter(email="emil@example.com").exists()


def test_every_sync_reads_everybody_and_writes_what_is_otherwise(google: Connected, site: GoogleSite) -> None:
    google.sync()
    site.person("g3", "Dora", orgUnitPath="/Berlin")
    site.members["t1"].pop(0)
    google.later(minutes=20)
    run = google.sync()
    assert (run.state, run.whole, run.added) == ("succeeded", True, 0)
    assert attributes_of("dora") == {("google_org_unit", "/Berlin")}
    assert groups_of("bea") == set()


def test_too_much_asked_is_no_lack_of_a_right(google: Connected, site: GoogleSite) -> None:
    # Token, people and groups by the check; token, one page of people: then Google has had enough.
    site.trouble[6] = error(403, "quotaExceeded")
    assert google.read().state == "running"
    assert 60 <= (google.order().next_try_at - google.now).total_seconds() <= 63
    assert not User.objects.filter(email="bea@example.com").exists()
    google.later(seconds=65)
    site.asked.clear()
    assert google.sync().state == "succeeded"
    people = [one for one in site.asked if one.path.endswith("/users")]
    assert people[0].query["pageToken"] == ["2"]


def test_what_is_forbidden_is_said_with_the_right_it_takes(google: Connected, site: GoogleSite) -> None:
    config, secrets = {"subject": SUBJECT, "address": site.address}, {"key": site.key_file()}
    site.trouble[len(site.asked) + 3] = error(403, "forbidden")
    found = actions.try_connection("google-workspace-directory", config, secrets, actor=google.admin)
    assert [one.level for one in found.findings] == ["ok", "error"]
    assert "admin.directory.group.readonly" in found.findings[1].fix
    wrong = actions.try_connection(
        "google-workspace-directory", config | {"subject": "boss@example.com"}, secrets, actor=google.admin
    )
    assert wrong.error is not None and wrong.error.kind == "credentials_rejected"


def test_an_answer_that_is_not_googles_tells_of_nobody(google: Connected, site: GoogleSite) -> None:
    google.sync()
    google.later(minutes=20)
    # Token, people and groups by the check that goes before; token: then something else answers.
    site.trouble[len(site.asked) + 5] = Answer(data={"status": "maintenance"})
    run = google.read()
    assert run.state == "failed" and user("bea").is_active
