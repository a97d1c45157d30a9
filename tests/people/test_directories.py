"""What every directory must do alike: read all pages, go on where it broke off, wait when told, and never run off with
more people than may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Group
from integrations import actions
from integrations.models import Directory, Origin, StagedFact
from tests.cast import Cast
from tests.http_server import Answer
from tests.people import jumpcloud_site, onelogin_site, pingone_site
from tests.people.site import Site
from tests.people.world import Connected, attributes_of, connected, groups_of, user


@dataclass(frozen=True)
class Kind:
    """One directory: its mock, how it is connected, and what its vendor says when too much was asked."""

    provider: str
    site: Callable[[], Site]
    config: Callable[[Site], dict[str, Any]]
    secrets: dict[str, str]
    wrong: dict[str, str]
    attribute: tuple[str, str]
    # How many requests come before the first page of people of a sync that follows a check.
    before: int
    limited: Callable[[], Answer]
    waits: float


KINDS = {
    "jumpcloud": Kind(
        provider="jumpcloud-directory",
        site=jumpcloud_site.JumpCloudSite,
        config=lambda site: {"address": site.address},
        secrets={"key": jumpcloud_site.KEY},
        wrong={"key": "jca_wrong"},
        attribute=("jumpcloud_department", "Payments"),
        before=2,
        # No header is documented: it goes on after the usual wait.
        limited=lambda: jumpcloud_site.error(429, "Too Many Requests"),
        waits=0,
    ),
    "onelogin": Kind(
        provider="onelogin-directory",
        site=onelogin_site.OneLoginSite,
        config=lambda site: {"address": site.address, "client_id": onelogin_site.CLIENT},
        secrets={"client_secret": onelogin_site.SECRET},
        wrong={"client_secret": "wrong"},
        attribute=("onelogin_department", "Payments"),
        before=4,
        limited=lambda: onelogin_site.error(
            429,
            "Rate limit exceeded",
            {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "300"},
        ),
        waits=300,
    ),
    "pingone": Kind(
        provider="pingone-directory",
        site=pingone_site.PingOneSite,
        config=lambda site: {
            "address": site.address,
            "login_address": site.address,
            "environment": pingone_site.ENVIRONMENT,
            "client_id": pingone_site.CLIENT,
            "manager_field": "leader",
        },
        secrets={"client_secret": pingone_site.SECRET},
        wrong={"client_secret": "wrong"},
        attribute=("pingone_title", "Payments"),
        before=4,
        limited=lambda: pingone_site.error(429, "REQUEST_LIMITED", "Rate limit reached.", {"Retry-After": "300"}),
        waits=300,
    ),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def site(kind: Kind) -> Iterator[Site]:
    with kind.site().open() as site:
        yield site


@pytest.fixture
def directory(fresh_database: None, cast: Cast, kind: Kind, site: Site) -> Connected:
    world = connected(cast, kind.provider, kind.config(site), kind.secrets, "There")
    Directory.objects.update(share_percent=25)
    return world


def a_day_later(directory: Connected, site: Site) -> None:
    directory.later(hours=25)
    site.now += timedelta(hours=25)
    site.asked.clear()


def test_everybody_is_taken_over_and_who_was_deleted_there_goes(
    directory: Connected, kind: Kind, site: Site, cast: Cast
) -> None:
    run = directory.sync()
    assert (run.state, run.whole, run.added, run.warnings) == ("succeeded", True, 4, [])
    assert user("rita").pk == cast.requester.pk
    assert user("cem").manager == user("dora").manager == user("bea") and user("bea").manager is None
    assert attributes_of("bea") == {kind.attribute}
    assert groups_of("cem") == {"Engineers", "Everyone"} and groups_of("emil") == {"Everyone"}
    assert not StagedFact.objects.exists()
    a_day_later(directory, site)
    site.person(2, "Cem", active=False)
    run = directory.sync()
    assert (run.state, run.missing) == ("succeeded", 1)
    assert not user("cem").is_active
    a_day_later(directory, site)
    site.remove(4)
    assert directory.sync().missing == 1
    assert not user("emil").is_active and user("dora").is_active


def test_where_it_breaks_off_nothing_is_changed_and_it_goes_on_there(
    directory: Connected, kind: Kind, site: Site
) -> None:
    # The first page of people is kept; the second fails, later one of a group's members.
    site.trouble[kind.before + 2] = Answer(status=503, data={"message": "Service Unavailable"})
    assert directory.read().state == "running"
    assert directory.order().error["kind"] == "unreachable"
    assert not Origin.objects.exists() and not Group.objects.exists()
    directory.later(seconds=30)
    first = [one for one in site.asked if one.path.endswith("users")][-1]
    site.asked.clear()
    site.trouble[8] = kind.limited()
    assert directory.read().state == "running"
    again = next(one for one in site.asked if one.path.endswith("users"))
    assert again.query == first.query, "it begins anew"
    wait = (directory.order().next_try_at - directory.now).total_seconds()
    assert kind.waits <= wait <= kind.waits + 5
    assert not Origin.objects.exists()
    directory.later(seconds=wait + 1)
    run = directory.sync()
    assert (run.state, run.added) == ("succeeded", 4)
    assert groups_of("dora") == {"Engineers", "Everyone"} and groups_of("emil") == {"Everyone"}


def test_more_than_the_share_waits_for_a_yes_and_a_list_that_is_none_empties_nothing(
    directory: Connected, kind: Kind, site: Site
) -> None:
    directory.sync()
    a_day_later(directory, site)
    # Something else answers at that address: with a token, where there is one, and with no list.
    for number in range(1, 5):
        site.trouble[number] = Answer(data={"hello": "world", "access_token": "x"})
    run = directory.read()
    assert run.state == "failed" and "no list" in run.error
    assert user("emil").is_active and groups_of("emil") == {"Everyone"}
    site.trouble.clear()
    directory.later(hours=1)
    site.remove(3, 4)
    run = directory.sync()
    assert (run.state, run.leaving, run.applied) == ("waiting", 2, 0)
    assert user("dora").is_active and user("emil").is_active
    assert actions.allow_leaving(run, actor=directory.admin, at=directory.now)
    actions.sweep_people(at=lambda: directory.now)
    assert not user("dora").is_active and not user("emil").is_active and user("bea").is_active


def test_wrong_secrets_are_said_in_words_before_anything_is_saved(directory: Connected, kind: Kind, site: Site) -> None:
    report = actions.try_connection(kind.provider, kind.config(site), kind.wrong, actor=directory.admin)
    assert report.error is not None and report.error.kind == "credentials_rejected"
    site.asked.clear()
    # The last thing a check tries is whether groups may be read.
    site.trouble[2 if kind.before == 2 else 3] = Answer(status=403, data={"message": "Forbidden"})
    found = actions.try_connection(kind.provider, kind.config(site), kind.secrets, actor=directory.admin)
    assert [one.level for one in found.findings] == ["ok", "error"]
    assert "setup/1_" in found.findings[1].fix


def test_signs_that_no_database_keeps_and_odd_ones_fail_no_sync(directory: Connected, kind: Kind, site: Site) -> None:
    odd = "Bea\0\ud800 \u202e\U0001f984"
    site.person(1, "Bea", department=odd, note={"a\0b": [odd, {"deep": "\udfff"}]}, firstname=odd, displayname=odd)
    site.person(6, "Rita\0", department="Payments")
    site.group(73, "Ops\0\U0001f984", 1)
    run = directory.sync()
    assert (run.state, run.added) == ("succeeded", 4)
    # Her address is nobody else's for the sign that cannot be kept.
    assert len(run.warnings) == 1 and "is no e-mail address" in run.warnings[0]
    assert not Origin.objects.filter(source_id=site.key.format(6)).exists()
    assert user("rita").pk == directory.cast.requester.pk and "\0" not in user("bea").name
    assert {name for name in groups_of("bea") if name.startswith("Ops")} == {"Ops\ufffd\U0001f984"}
    directory.later(hours=25)
    assert directory.sync().changed == 0
