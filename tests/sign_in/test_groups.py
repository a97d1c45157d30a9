"""Groups that come with a sign-in: gained, lost, never mixed up with those made here, and asked about at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts import actions
from accounts.choices import ChangeKind, GroupSource
from accounts.claims import GROUPS_MAX, Told
from accounts.models import Change, Group, GroupMembership
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import Cast
from tests.desk.conftest import signed_in
from tests.sign_in.provider import Provider, configured
from tests.sign_in.walking import PRODUCT, Walker, last, trail
from tests.story import Story, begin, flow, simulated_provider

ISSUER = "https://login.example.com"


def names(cast: Cast, source: GroupSource = GroupSource.OIDC) -> set[str]:
    """Return Rita's groups from there."""
    return set(Group.objects.filter(members=cast.requester, source=source).values_list("name", flat=True))


def told(*groups: str, subject: str = "rita", trouble: str = "") -> Told:
    """Return what the provider says of Rita."""
    return Told(ISSUER, subject, f"{subject}@example.com", True, "", groups, trouble)


def test_groups_come_and_go_with_what_the_provider_says(cast: Cast, rita: Walker, acme: Provider) -> None:
    acme.person("rita", groups=["Engineers", "On call"])
    rita.sign_in()
    assert names(cast) == {"Engineers", "On call"}
    acme.person("rita", groups=["On call", "Leads"])
    Walker(acme).sign_in()
    assert names(cast) == {"On call", "Leads"}
    assert trail().count("user.groups_told") == 2
    # The group stays: policy may name it.
    assert Group.objects.filter(name="Engineers", source=GroupSource.OIDC).exists()


def test_what_changed_is_on_record_and_told_upwards(cast: Cast, rita: Walker, acme: Provider) -> None:
    actions.sign_in_with(told("Engineers", "Old"), create=False)
    Change.objects.all().delete()
    actions.sign_in_with(told("Engineers", "New"), create=False)
    assert last().action == "user.groups_told"
    assert last().details == {"added": ["New"], "removed": ["Old"], "new_groups": ["New"]}
    (news,) = Change.objects.all()
    assert (news.kind, news.payload) == (ChangeKind.PERSON_CHANGED, {"users": [str(cast.requester.pk)]})
    before = len(trail())
    actions.sign_in_with(told("Engineers", "New"), create=False)
    assert (len(trail()), Change.objects.count()) == (before, 1)


def test_groups_made_here_are_never_touched(cast: Cast, rita: Walker, acme: Provider) -> None:
    ours = actions.create_group("Engineers", actor=system())
    actions.add_member(ours, cast.requester, actor=system())
    acme.person("rita", groups=["Engineers"])
    rita.sign_in()
    assert Group.objects.filter(name="Engineers").count() == 2
    acme.person("rita", groups=[])
    Walker(acme).sign_in()
    assert names(cast) == set()
    assert names(cast, GroupSource.LOCAL) == {"Engineers"}


@pytest.mark.parametrize(
    "claim",
    [None, [], "Engineers", {"Engineers": True}, 7, [None, 1, {}, [], ["Engineers"], {"name": "Engineers"}]],
    ids=["absent", "none", "text", "object", "number", "list of junk"],
)
def test_without_a_list_that_names_it_a_group_is_lost(cast: Cast, rita: Walker, acme: Provider, claim: Any) -> None:
    acme.person("rita", groups=["Engineers"])
    rita.sign_in()
    acme.person("rita", groups=claim)
    walker = Walker(acme)
    walker.sign_in()
    assert walker.is_in()
    assert names(cast) == set()


def test_too_many_groups_are_none_at_all_and_the_record_says_why(cast: Cast, rita: Walker, acme: Provider) -> None:
    many = [f"team-{number:04}" for number in range(GROUPS_MAX)]
    acme.person("rita", groups=many)
    rita.sign_in()
    assert len(names(cast)) == GROUPS_MAX
    acme.person("rita", groups=[f"team-{number:04}" for number in range(5000)])
    Walker(acme).sign_in()
    assert names(cast) == set()
    said = AuditEntry.objects.filter(action="user.groups_told").latest("id").details
    assert said["trouble"] == f"The claim groups lists 5000 groups; at most {GROUPS_MAX} are taken."
    assert (len(said["removed"]), said["removed"][-1]) == (201, "… and 800 more")


def test_names_that_are_none_are_left_out_and_the_others_taken(cast: Cast, rita: Walker, acme: Provider) -> None:
    junk = ["", " Engineers", "Eng\u0000", "a\nb", "\u202eevil", "x" * 201, "\ud800"]
    acme.person("rita", groups=["Größe 7", "x" * 200, "Engineers", "Engineers", *junk])
    rita.sign_in()
    assert names(cast) == {"Größe 7", "x" * 200, "Engineers"}


def test_a_claim_of_another_name_is_read_and_none_where_it_is_switched_off(cast: Cast, acme: Provider) -> None:
    acme.person("rita", groups=["Engineers"], family_name=["Staff"])
    with configured(acme.settings(groups_claim="family_name"), PRODUCT):
        Walker(acme).sign_in()
    assert names(cast) == {"Staff"}
    with configured(acme.settings(groups_claim=""), PRODUCT):
        Walker(acme).sign_in()
    assert names(cast) == set()


def test_a_group_from_there_is_not_changed_here(cast: Cast, db: None) -> None:
    actions.sign_in_with(told("Engineers"), create=False)
    group, admin = Group.objects.get(), person(cast.admin, Source.ADMIN)
    for refused in (
        lambda: actions.add_member(group, cast.outsider, actor=admin),
        lambda: actions.remove_member(group, cast.requester, actor=admin),
        lambda: actions.rename_group(group, "Ours", actor=admin),
    ):
        with pytest.raises(actions.KeptElsewhere, match="Engineers comes from single sign-on"):
            refused()
    desk = signed_in(cast.admin)
    page = desk.get(f"/admin/accounts/group/{group.pk}/change/")
    assert (page.status_code, b'name="name"' in page.content) == (200, False)
    assert b"Single sign-on" in desk.get("/admin/accounts/group/").content
    # What is over may go.
    actions.delete_group(group, actor=admin)


def test_an_admin_edits_a_person_whose_groups_have_the_names_of_others(cast: Cast, db: None) -> None:
    ours = actions.create_group("Engineers", actor=system())
    actions.sign_in_with(told("Engineers", "Leads"), create=False)
    desk, path = signed_in(cast.admin), f"/admin/accounts/user/{cast.requester.pk}/change/"
    assert "Groups: Engineers, Leads." in desk.get(path).content.decode()
    form = {"email": "rita@example.com", "name": "Rita", "roles": ["grantee"], "new_password": "", "manager": ""}
    rows = {"memberships-0-group": "Engineers", "memberships-0-user": cast.requester.pk, "time_zone": ""}
    counts = {f"{name}-{which}": n for name, n in (("memberships", 1), ("attributes", 0))
              for which, n in (("TOTAL_FORMS", n), ("INITIAL_FORMS", 0))}  # fmt: skip
    assert desk.post(path, form | rows | counts).status_code == 302
    assert set(cast.requester.groups.values_list("name", "source")) == {
        ("Engineers", "local"), ("Engineers", "oidc"), ("Leads", "oidc")
    }  # fmt: skip
    actions.remove_member(ours, cast.requester, actor=system())
    actions.create_group("Engineers", actor=system())
    page = desk.post(path, form | rows | counts)
    assert (page.status_code, b"Several groups have this name" in page.content) == (200, True)


def test_an_admin_unlinks_people_on_the_list(cast: Cast, db: None) -> None:
    actions.sign_in_with(told("Engineers"), create=False)
    desk = signed_in(cast.admin)
    assert ISSUER in desk.get(f"/admin/accounts/user/{cast.requester.pk}/change/").content.decode()
    data = {"action": "forget_identities", "_selected_action": [str(cast.requester.pk), str(cast.outsider.pk)]}
    desk.post("/admin/accounts/user/", data)
    assert (last().action, last().subject_id) == ("user.identity_forgotten", str(cast.requester.pk))
    assert actions.sign_in_with(told(subject="rita"), create=False) == cast.requester


def test_people_who_bring_the_same_new_groups_at_once_all_get_them(fresh_database: str) -> None:
    teams = [f"team-{number}" for number in range(30)]
    results = together(
        *[lambda n=n: actions.sign_in_with(told(*(teams if n % 2 else teams[::-1]), subject=f"p{n}"), create=True)
          for n in range(4)]
    )  # fmt: skip
    assert {type(result).__name__ for result in results} == {"User"}
    assert Group.objects.count() == len(teams)
    assert GroupMembership.objects.count() == 4 * len(teams)


def test_one_person_twice_at_once_is_one_person(fresh_database: str) -> None:
    results = together(*[lambda: actions.sign_in_with(told("Engineers", subject="new"), create=True)] * 4)
    assert len({result.pk for result in results}) == 1
    assert trail().count("user.identity_linked") == 1


def test_two_accounts_with_one_address_at_once_link_one(fresh_database: str, cast: Cast) -> None:
    results = together(
        *[lambda n=n: actions.sign_in_with(Told(ISSUER, f"s{n}", "rita@example.com", True), create=False)
          for n in range(3)]
    )  # fmt: skip
    assert sorted(type(result).__name__ for result in results) == ["SignInRefused", "SignInRefused", "User"]
    assert cast.requester.identities.count() == 1


@pytest.fixture
def story(fresh_database: str, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        story = begin(cast)
        flow(story.integration)
        yield story


def test_whoever_loses_the_group_at_a_sign_in_loses_the_access(story: Story) -> None:
    cast = story.cast
    GroupMembership.objects.filter(user=cast.requester).delete()
    actions.sign_in_with(told("engineers"), create=False)
    request = story.granted("orders_prod")
    actions.sign_in_with(told(), create=False)
    story.catch_up()
    request = story.fresh(request)
    assert (request.state, request.end_reason) == ("revoked", "not_eligible")
    assert "no longer names Rita" in request.note
