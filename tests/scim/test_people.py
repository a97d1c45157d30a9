"""People who are pushed: made, linked, changed, disabled, forgotten; never more than a directory may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from accounts import actions
from accounts.choices import STAFF_SCOPES, ChangeKind, LetterKind, Role, TokenScope
from accounts.models import Change, Group, Letter, PushedPerson, PushedValue, RoleAssignment, User
from audit.actor import system
from audit.models import AuditEntry
from tests.cast import Cast
from tests.scim.directory import CORE, ENTERPRISE, Directory, person, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def idp(db: None) -> Directory:
    return Directory()


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def test_who_is_pushed_becomes_a_person_with_attributes_and_manager_and_without_any_role(idp: Directory) -> None:
    boss = idp.person("boss")
    extension = {"department": "Ops", "manager": {"value": boss["id"]}}
    address = {"locality": "Berlin", "country": "DE", "type": "work"}
    told = {"title": "Engineer", "timezone": "Europe/Berlin", "addresses": [address], "externalId": "e-1"}
    made = idp.person(
        "ann", roles=[{"value": "admin"}], entitlements=[{"value": "x"}], **told, **{ENTERPRISE: extension}
    )
    ann = user_of(made)
    assert (ann.email, ann.name, ann.time_zone) == ("ann@example.com", "Ann", "Europe/Berlin")
    assert ann.manager == user_of(boss)
    assert set(ann.attributes.values_list("type", "value")) == {
        ("scim_title", "Engineer"),
        ("scim_department", "Ops"),
        ("scim_city", "Berlin"),
        ("scim_country", "DE"),
    }
    assert not ann.roles.exists()
    assert not ann.has_usable_password()
    assert "roles" not in made
    assert entries("user.provisioned") == 2
    assert Change.objects.filter(kind=ChangeKind.PERSON_CHANGED, subject_id=str(ann.pk)).exists()


def test_a_known_address_is_linked_and_not_doubled(idp: Directory, cast: Cast) -> None:
    idp.person("rita", displayName="Rita from the directory")
    assert User.objects.filter(email="rita@example.com").count() == 1
    cast.requester.refresh_from_db()
    assert cast.requester.name == "Rita from the directory"
    assert set(cast.requester.roles.values_list("role", flat=True)) == {Role.GRANTEE}
    assert entries("user.push_linked") == 1


def test_nobody_takes_over_an_admin_a_service_or_somebody_from_outside(idp: Directory, cast: Cast) -> None:
    before = list(User.objects.order_by("pk").values())
    for name in ("ada", "Ada"):
        assert idp.call("POST", "Users", person(name)).status == 403
    service = User.objects.get(is_service=True).email.partition("@")[0]
    told = person(service, emails=[{"value": User.objects.get(is_service=True).email}])
    assert idp.call("POST", "Users", told).status == 403
    assert list(User.objects.order_by("pk").values()) == before
    assert not PushedPerson.objects.exists()


def test_an_admin_keeps_their_address_and_is_let_in_again_by_people_only(idp: Directory, cast: Cast) -> None:
    made = idp.person("eve")
    eve = user_of(made)
    actions.set_roles(eve, [Role.ADMIN], actor=system())
    moved = {"op": "replace", "path": "emails", "value": [{"value": "mallory@example.com", "primary": True}]}
    assert idp.patch(f"Users/{made['id']}", moved).status == 403
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": False}).body["active"] is False
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": True}).body["active"] is False
    assert not User.objects.get(pk=eve.pk).is_active


def test_the_last_admin_is_not_disabled_by_a_push(idp: Directory) -> None:
    made = idp.person("eve")
    actions.set_roles(user_of(made), [Role.ADMIN], actor=system())
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": False}).status == 409
    assert idp.call("DELETE", f"Users/{made['id']}").status == 409
    assert user_of(made).is_active


def test_disabling_ends_sessions_and_tells_the_floors_above_in_one_transaction(idp: Directory) -> None:
    made = idp.person("ann")
    ann, browser = user_of(made), Client()
    browser.force_login(ann)
    assert browser.get("/account/").status_code == 200
    idp.patch(f"Users/{made['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert browser.get("/account/").status_code == 302
    assert entries("user.disabled") == 1
    assert Change.objects.filter(kind=ChangeKind.PERSON_DISABLED, subject_id=str(ann.pk)).count() == 1
    idp.patch(f"Users/{made['id']}", {"op": "replace", "value": {"active": True}})
    assert user_of(made).is_active
    assert browser.get("/account/").status_code == 302


def test_whom_an_admin_disabled_no_push_lets_in_again(idp: Directory) -> None:
    made = idp.person("ann")
    actions.disable_user(user_of(made), actor=system())
    idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "title", "value": "Chief"})
    answer = idp.call("PUT", f"Users/{made['id']}", person("ann", active=True))
    assert answer.body["active"] is False
    assert not user_of(made).is_active


def test_who_is_told_to_be_inactive_never_gets_in(idp: Directory) -> None:
    made = idp.person("ann", active=False)
    assert (made["active"], user_of(made).is_active) == (False, False)
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": True}).body["active"] is True


def test_delete_disables_and_forgets_and_the_trail_stays(idp: Directory) -> None:
    made = idp.person("ann", title="Engineer")
    ann = user_of(made)
    idp.group("Ops", made["id"])
    assert idp.call("DELETE", f"Users/{made['id']}").status == 204
    assert idp.call("GET", f"Users/{made['id']}").status == 404
    assert idp.call("DELETE", f"Users/{made['id']}").status == 404
    ann.refresh_from_db()
    assert not ann.is_active
    assert not ann.groups.exists()
    assert not ann.attributes.exists()
    assert not PushedValue.objects.exists()
    assert AuditEntry.objects.filter(subject_id=str(ann.pk)).count() >= 3
    again = idp.person("ann")
    assert again["id"] != made["id"]
    assert user_of(again) == ann
    assert user_of(again).is_active


def test_other_sources_keep_their_attributes_and_groups(idp: Directory, cast: Cast) -> None:
    actions.set_attributes(cast.requester, [("okta_city", "Paris")], actor=system())
    local = actions.create_group("Ops", actor=system())
    actions.add_member(local, cast.requester, actor=system())
    made = idp.person("rita", title="Engineer")
    idp.call("PUT", f"Users/{made['id']}", person("rita"))
    assert set(cast.requester.attributes.values_list("type", "value")) == {("okta_city", "Paris")}
    idp.call("DELETE", f"Users/{made['id']}")
    assert list(Group.objects.filter(members=cast.requester)) == [local]


def test_the_same_again_changes_nothing_and_keeps_its_version(idp: Directory) -> None:
    made = idp.person("ann", title="Engineer")
    before = AuditEntry.objects.count(), Change.objects.count()
    answer = idp.call("PUT", f"Users/{made['id']}", person("ann", title="Engineer", active=True))
    assert answer.headers["ETag"] == 'W/"1"'
    assert (AuditEntry.objects.count(), Change.objects.count()) == before


def test_versions_are_held_against_what_the_client_has_seen(idp: Directory) -> None:
    made = idp.person("ann")
    path, title = f"Users/{made['id']}", {"op": "replace", "path": "title", "value": "Chief"}
    assert idp.patch(path, title, If_Match='W/"1"').headers["ETag"] == 'W/"2"'
    assert idp.patch(path, title, If_Match='W/"1"').status == 412
    assert idp.call("DELETE", path, If_Match='W/"1"').status == 412
    assert idp.call("GET", path, If_None_Match='W/"2"').status == 304
    assert idp.call("GET", path, If_None_Match='W/"1"').status == 200
    assert idp.call("DELETE", path, If_Match="*").status == 204


def test_a_user_name_or_an_address_is_one_persons(idp: Directory) -> None:
    idp.person("ann")
    made = idp.person("bob")
    for told in (person("ANN"), person("other", emails=[{"value": "Ann@example.com"}])):
        answer = idp.call("POST", "Users", told)
        assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
    answer = idp.patch(f"Users/{made['id']}", {"op": "replace", "path": "userName", "value": "ann"})
    assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
    answer = idp.patch(
        f"Users/{made['id']}", {"op": "replace", "path": 'emails[type eq "work"].value', "value": "ann@example.com"}
    )
    assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
    assert user_of(made).email == "bob@example.com"


@pytest.mark.parametrize("said", ["id", "externalId", "userName"])
def test_a_manager_is_found_by_our_id_their_id_or_their_name(idp: Directory, said: str) -> None:
    boss = idp.person("boss", externalId="x-9")
    made = idp.person("ann", **{ENTERPRISE: {"manager": {"value": boss[said]}}})
    assert made[ENTERPRISE]["manager"]["value"] == boss["id"]
    path = f"{ENTERPRISE}:manager"
    idp.patch(f"Users/{made['id']}", {"op": "Add", "path": path, "value": ""})
    assert user_of(made).manager is None
    idp.patch(f"Users/{made['id']}", {"op": "Add", "path": path, "value": boss["id"]})
    assert user_of(made).manager == user_of(boss)
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": path, "value": made["id"]}).status == 400
    assert idp.patch(f"Users/{made['id']}", {"op": "replace", "path": path, "value": "nobody"}).status == 400


def test_many_disabled_within_a_minute_raise_one_alarm_and_are_disabled_all_the_same(
    idp: Directory, cast: Cast
) -> None:
    made = [idp.person(f"p{number}") for number in range(6)]
    with override_settings(SCIM_DISABLES_PER_MINUTE=3):
        for one in made:
            idp.patch(f"Users/{one['id']}", {"op": "replace", "path": "active", "value": False})
    assert not User.objects.filter(email__startswith="p", is_active=True).exclude(is_service=True).exists()
    assert entries("user.many_pushed_out") == 1
    assert Letter.objects.get(kind=LetterKind.PUSHED_OUT).to == cast.admin


def test_nobody_comes_in_without_a_service_token_of_this_scope(idp: Directory, cast: Cast) -> None:
    service = actions.create_service("Other", roles=[Role.ADMIN], actor=system())
    _, other = actions.issue_token(
        service, "other", scopes=[next(one for one in STAFF_SCOPES if one != TokenScope.SCIM)], actor=system()
    )
    for token in ("", "lk_nothing", "\u00e4", other, "lk_" + "x" * 10_000):
        stranger = Directory(token=token.encode("ascii", "replace").decode())
        for method, path in (("GET", "Users"), ("POST", "Users"), ("POST", "Bulk"), ("GET", "Schemas")):
            assert stranger.call(method, path, {} if method == "POST" else None).status == 401
    browser = Client()
    browser.force_login(cast.admin)
    assert browser.get("/scim/v2/Users").status_code == 401


def test_a_provider_that_sends_a_user_name_only_is_understood(idp: Directory) -> None:
    answer = idp.call("POST", "Users", {"schemas": [CORE], "userName": "Ann@Example.com"})
    assert answer.status == 201
    assert user_of(answer.body).email == "ann@example.com"


def test_lists_page_sort_and_show_what_is_asked_for(idp: Directory, django_assert_num_queries: Any) -> None:
    made = [idp.person(name, title=title) for name, title in (("b", "x"), ("a", "y"), ("c", "x"))]
    assert [one["userName"] for one in idp.found("Users", sortBy="userName")["Resources"]] == ["a", "b", "c"]
    down = idp.found("Users", sortBy="userName", sortOrder="descending", count=1, startIndex=2)
    assert ([one["userName"] for one in down["Resources"]], down["totalResults"], down["itemsPerPage"]) == (["b"], 3, 1)
    (one,) = idp.found("Users", filter='userName eq "a"', attributes="title")["Resources"]
    assert one == {"schemas": [CORE], "id": made[1]["id"], "title": "y"}
    assert "emails" not in idp.found("Users", excludedAttributes="emails")["Resources"][0]
    assert idp.found("Users", count=0)["totalResults"] == 3
    # The token and its last use, how many, the page, the groups of the page.
    with django_assert_num_queries(4):
        idp.found("Users", filter='title eq "x" and emails[type eq "work"]')


def test_an_admin_sees_where_somebody_came_from(idp: Directory, cast: Cast) -> None:
    made = idp.person("ann", externalId="e-1")
    group = idp.group("Ops", made["id"])
    browser = Client()
    browser.force_login(cast.admin)
    page = browser.get(f"/admin/accounts/user/{user_of(made).pk}/change/").content.decode()
    for told in ("e-1", "SCIM: directory", made["id"]):
        assert told in page
    assert "Directory (SCIM)" in browser.get("/admin/accounts/group/").content.decode()
    assert group["id"]


def test_members_of_a_pushed_group_are_changed_by_nobody_here(idp: Directory, cast: Cast) -> None:
    idp.group("Ops")
    group = Group.objects.get(name="Ops")
    changes: tuple[Callable[[], Any], ...] = (
        lambda: actions.add_member(group, cast.requester, actor=system()),
        lambda: actions.remove_member(group, cast.requester, actor=system()),
        lambda: actions.rename_group(group, "X", actor=system()),
    )
    for change in changes:
        with pytest.raises(actions.KeptElsewhere):
            change()
    assert not RoleAssignment.objects.filter(user__groups=group).exists()
