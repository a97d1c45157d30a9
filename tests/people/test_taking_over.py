"""What a directory told is taken over whole, after a yes where many would go, and never further than it may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from access_requests.actions import NotPossible, reconciling
from access_requests.models import ReconcileRun
from accounts import actions as accounts
from accounts.actions import NotAllowed
from accounts.choices import ChangeKind
from accounts.models import Change, Group, User
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from flows.forms.shelf import Shelf
from integrations import actions
from integrations.models import Directory, Integration, Origin, StagedFact, SyncRun
from tests.cast import PASSWORD, Cast
from tests.people.okta_site import TOKEN, OktaSite, okta_site
from tests.people.world import Connected, attributes_of, connected, groups_of, user


@pytest.fixture
def site() -> Iterator[OktaSite]:
    with okta_site() as site:
        yield site


@pytest.fixture
def okta(fresh_database: None, cast: Cast, site: OktaSite) -> Connected:
    return connected(cast, "okta-directory", {"address": site.address}, {"token": TOKEN}, "Okta")


def gone_after_a_day(okta: Connected, site: OktaSite, *keys: str) -> SyncRun:
    """Delete people there, and read everybody a day later."""
    okta.sync()
    for key in keys:
        site.users.pop(key)
        for members in site.members.values():
            if key in members:
                members.remove(key)
    okta.later(hours=25)
    site.now += timedelta(hours=25)
    return okta.sync()


def test_more_than_a_tenth_wait_for_a_yes_and_nobody_is_touched(okta: Connected, site: OktaSite) -> None:
    run = gone_after_a_day(okta, site, "00u3", "00u4")
    assert (run.state, run.leaving, run.applied) == ("waiting", 2, 0)
    assert user("dora").is_active and user("emil").is_active
    assert AuditEntry.objects.filter(action="directory.waits").count() == 1
    # While it waits no other begins by itself.
    okta.later(hours=2)
    assert actions.sync_due(at=okta.now) == 0


def test_a_yes_takes_it_over_and_the_trail_names_who_went(okta: Connected, site: OktaSite) -> None:
    run = gone_after_a_day(okta, site, "00u3", "00u4")
    assert actions.allow_leaving(run, actor=okta.admin, at=okta.now)
    assert not actions.allow_leaving(run, actor=okta.admin, at=okta.now)
    actions.sweep_people(at=lambda: okta.now)
    assert (okta.run().state, okta.run().missing) == ("succeeded", 2)
    assert not user("dora").is_active and groups_of("dora") == set() and attributes_of("dora") == set()
    entry = AuditEntry.objects.get(action="directory.allowed")
    assert entry.details["some"] == ["dora@example.com", "emil@example.com"]
    assert entry.actor_email == "ada@example.com"


def test_a_no_forgets_it_and_the_next_sync_asks_again(okta: Connected, site: OktaSite) -> None:
    run = gone_after_a_day(okta, site, "00u3", "00u4")
    assert actions.refuse_leaving(run, actor=okta.admin, at=okta.now)
    actions.sweep_people(at=lambda: okta.now)
    assert user("dora").is_active and not StagedFact.objects.exists()
    okta.later(hours=1)
    assert actions.sync_due(at=okta.now) == 1


def test_only_who_may_change_people_says_yes(okta: Connected, site: OktaSite, cast: Cast) -> None:
    run = gone_after_a_day(okta, site, "00u3", "00u4")
    with pytest.raises(NotAllowed):
        actions.allow_leaving(run, actor=person(cast.outsider, Source.ADMIN), at=okta.now)
    assert okta.run().state == "waiting"


def test_what_is_killed_between_two_portions_goes_on_where_it_was(
    okta: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.actions.people import applying

    monkeypatch.setattr(applying, "AT_ONCE", 1)
    run = okta.read()
    steps = 0
    # Each portion is a transaction of its own: a process may end after any of them, and here it always does.
    while okta.run().state == "applying":
        actions.apply_some(run.pk, at=okta.now)
        steps += 1
    assert steps > 10
    assert groups_of("emil") == {"Everyone"} and user("cem").manager == user("bea")
    assert okta.run().added == 4


def test_groups_made_here_and_what_was_said_by_hand_stay(okta: Connected, site: OktaSite, cast: Cast) -> None:
    okta.sync()
    ours = accounts.create_group("Everyone", actor=system())
    accounts.add_member(ours, user("emil"), actor=system())
    accounts.set_attributes(
        user("bea"), {("team", "blue"), ("okta_city", "Berlin"), ("okta_department", "Payments")}, actor=system()
    )
    with pytest.raises(accounts.KeptElsewhere):
        accounts.add_member(Group.objects.get(name="Engineers"), cast.outsider, actor=system())
    okta.later(hours=25)
    site.now += timedelta(hours=25)
    site.person("00u1", "Bea", city="Bern")
    site.group("00g2", "Everyone", "00u1", "00u2", "00u3", "00u5")
    assert okta.sync().state == "succeeded"
    assert set(ours.members.all()) == {user("emil")}
    assert attributes_of("bea") == {("team", "blue"), ("okta_city", "Bern")}


def test_a_person_disabled_by_hand_stays_disabled_whatever_the_directory_says(okta: Connected, site: OktaSite) -> None:
    okta.sync()
    accounts.disable_user(user("bea"), actor=system())
    site.now += timedelta(hours=25)
    okta.later(hours=25)
    site.person("00u1", "Bea", city="Bern")
    okta.sync()
    assert not user("bea").is_active


def test_who_is_in_another_directory_too_is_not_disabled(okta: Connected, site: OktaSite, cast: Cast) -> None:
    Directory.objects.update(share_percent=100)
    okta.sync()
    with okta_site() as other:
        second = connected(cast, "okta-directory", {"address": other.address}, {"token": TOKEN}, "Other")
        Directory.objects.update(share_percent=100)
        second.sync()
        gone_after_a_day(okta, site, "00u4")
        assert (
            user("emil").is_active and not Origin.objects.get(integration=okta.integration, user=user("emil")).present
        )
        gone_after_a_day(second, other, "00u4")
    assert not user("emil").is_active


def test_the_last_admin_is_never_disabled_and_the_run_says_so(okta: Connected, site: OktaSite, cast: Cast) -> None:
    site.person("00u9", "Ada")
    Directory.objects.update(share_percent=100)
    run = gone_after_a_day(okta, site, "00u9")
    assert User.objects.get(pk=cast.admin.pk).is_active
    assert run.state == "succeeded" and "last active admin" in run.warnings[0]


def test_the_address_of_an_admin_is_not_changed_by_a_directory(okta: Connected, site: OktaSite, cast: Cast) -> None:
    site.person("00u9", "Ada")
    okta.sync()
    site.now += timedelta(hours=25)
    okta.later(hours=25)
    site.person("00u9", "Ada", email="mallory@example.com")
    run = okta.sync()
    assert User.objects.get(pk=cast.admin.pk).email == "ada@example.com"
    assert "administers Latchkey" in run.warnings[0]


def test_news_of_who_is_disabled_goes_up_so_that_access_ends(okta: Connected, site: OktaSite) -> None:
    Directory.objects.update(share_percent=100)
    gone_after_a_day(okta, site, "00u4")
    assert Change.objects.filter(kind=ChangeKind.PERSON_DISABLED, subject_id=str(user("emil").pk)).count() == 1


def test_a_sync_of_the_same_writes_nothing_of_people(okta: Connected, site: OktaSite) -> None:
    okta.sync()
    entries = AuditEntry.objects.exclude(action__startswith="integration.").exclude(action__startswith="order.")
    before = entries.count()
    okta.later(hours=25)
    site.now += timedelta(hours=25)
    run = okta.sync()
    assert (run.state, run.whole, run.added, run.changed, run.missing) == ("succeeded", True, 0, 0, 0)
    assert entries.count() == before


def test_a_directory_that_goes_leaves_its_groups_to_us_and_disables_nobody(okta: Connected) -> None:
    okta.sync()
    assert actions.delete(Integration.objects.get(), actor=okta.admin, at=okta.now)
    assert {group.source for group in Group.objects.all()} == {"local"}
    assert groups_of("cem") == {"Engineers", "Everyone"} and attributes_of("bea") == set()
    assert user("bea").is_active


def test_the_pages_tell_who_would_go_and_take_the_answer(okta: Connected, site: OktaSite, client: Client) -> None:
    run = gone_after_a_day(okta, site, "00u3", "00u4")
    client.login(email="ada@example.com", password=PASSWORD)
    base = f"/admin/integrations/integration/{okta.integration.pk}/"
    assert "2 people and 0 groups would go" in client.get(f"{base}change/").content.decode()
    assert "2 people and 0 groups would go by it" in client.get("/admin/").content.decode()
    page = client.get(f"{base}going/?run={run.pk}").content.decode()
    assert "dora@example.com" in page and "emil@example.com" in page and "bea@example.com" not in page
    assert client.post(f"{base}going/", {"run": run.pk, "answer": "yes"}).status_code == 302
    assert okta.run().state == "applying"
    for bad in ("", "x", "9" * 30):
        assert client.get(f"{base}going/?run={bad}").status_code == 404


def test_no_drift_is_looked_for_in_a_directory_and_nobody_can_ask_for_something_there(okta: Connected) -> None:
    okta.sync()
    reconciling.sweep_drift(at=okta.now)
    assert not ReconcileRun.objects.exists()
    with pytest.raises(NotPossible):
        reconciling.look_now(okta.integration, actor=okta.admin, at=okta.now)
    assert Shelf([]).integrations == []


def test_the_settings_page_keeps_what_was_typed_and_says_what_is_wrong(okta: Connected, client: Client) -> None:
    client.login(email="ada@example.com", password=PASSWORD)
    where = f"/admin/integrations/integration/{okta.integration.pk}/directory/"
    typed = {"share_percent": 20, "sync_minutes": 30, "whole_hours": 12, "attributes": "profile.team = group"}
    refused = client.post(where, typed)
    assert refused.status_code == 422 and "profile.team = group" in refused.content.decode()
    assert client.post(where, typed | {"attributes": "profile.team = okta_team\n"}).status_code == 302
    row = okta.settings
    assert (row.share_percent, row.creates_people, row.cursor) == (20, False, "")
    assert [str(one) for one in row.attributes.all()] == ["profile.team → okta_team"]
    assert AuditEntry.objects.filter(action="directory.edited").count() == 1


def test_the_identities_page_says_where_each_fact_came_from(okta: Connected, client: Client, cast: Cast) -> None:
    okta.sync()
    accounts.edit_user(user("cem"), name="Cem by Hand", actor=okta.admin)
    accounts.create_group("Ours", actor=okta.admin)
    accounts.add_member(Group.objects.get(name="Ours"), user("cem"), actor=okta.admin)
    from integrations.queries import known_of

    known = {(one.fact, one.value): (one.source, one.by) for one in known_of(user("cem"))}
    assert known["E-mail address", "cem@example.com"] == ("directory", "Okta")
    assert known["Name", "Cem by Hand"] == ("by hand", "Ada")
    assert known["Manager", "Bea Example, bea@example.com"] == ("directory", "Okta")
    assert known["okta_city", "Köln"] == ("directory", "Okta")
    assert known["Group", "Engineers"] == ("directory", "Okta")
    assert known["Group", "Ours"] == ("by hand", "Ada")
    where = f"/admin/integrations/integration/person/{user('cem').pk}/"
    client.login(email="ada@example.com", password=PASSWORD)
    assert "00u2" in client.get(where).content.decode()
    client.login(email="otto@example.com", password=PASSWORD)
    assert client.get(where).status_code in {302, 403}
