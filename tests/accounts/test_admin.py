"""People in the admin site: written only through the actions, by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts import actions
from accounts.choices import Role
from accounts.models import Change, Group, GroupMembership, User
from audit.actor import system
from audit.models import AuditEntry
from tests.cast import Cast
from tests.cast import person as somebody

USERS, GROUPS = "/admin/accounts/user/", "/admin/accounts/group/"
NEW = "correct-horse-battery-2"


@pytest.fixture
def admin(cast: Cast, client: Client) -> Client:
    """Sign the admin in."""
    client.force_login(cast.admin)
    return client


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return the fields of an inline table."""
    fields: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    return fields | {f"{prefix}-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}


def person_form(**values: Any) -> dict[str, Any]:
    """Return the fields of a person's page, with empty tables."""
    form = {"email": "eve@example.com", "name": "Eve", "time_zone": "", "manager": "", "roles": [], "new_password": ""}
    return form | formset("memberships") | formset("attributes") | values


def new_actions(since: int) -> list[str]:
    """Return the actions recorded after the entry `since`."""
    return list(AuditEntry.objects.filter(pk__gt=since).order_by("id").values_list("action", flat=True))


def newest() -> int:
    """Return the number of the newest entry."""
    return AuditEntry.objects.latest("id").pk


def said(response: Any) -> list[str]:
    """Return the messages of a response."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_person_is_created_with_roles_groups_and_attributes(cast: Cast, admin: Client) -> None:
    group, since = actions.create_group("Ops", actor=system()), newest()
    form = person_form(
        email=" EVE@Example.com", roles=["viewer", "grantee"], manager="Abel@example.com ", new_password=NEW
    )
    form |= formset("memberships", {"group": group.name}) | formset("attributes", {"type": "city", "value": "Bonn"})
    response = admin.post(f"{USERS}add/", form)
    assert response.status_code == 302, response.context["errors"]
    eve = User.objects.get(email="eve@example.com")
    assert (eve.manager, eve.role_set()) == (cast.approver, {Role.VIEWER, Role.GRANTEE})
    assert eve.check_password(NEW)
    assert [*eve.groups.all()] == [group]
    assert [*eve.attributes.values_list("type", "value")] == [("city", "Bonn")]
    assert new_actions(since) == ["user.created", "group.member_added", "user.attributes_set"]
    entry = AuditEntry.objects.get(action="user.created")
    assert (entry.actor_id, entry.source) == (str(cast.admin.pk), "admin")


def test_a_person_is_edited_and_only_what_changed_is_recorded(cast: Cast, admin: Client) -> None:
    old, new = (actions.create_group(name, actor=system()) for name in ("Old", "New"))
    actions.add_member(old, cast.requester, actor=system())
    actions.set_attributes(cast.requester, [("city", "Bonn"), ("team", "db")], actor=system())
    (membership,), (city, team) = cast.requester.memberships.all(), cast.requester.attributes.order_by("type")
    since, news = newest(), Change.objects.count()
    form = person_form(email="rita@example.com", name="Rita R.", roles=["viewer"])
    form |= formset("memberships", {"id": membership.pk, "group": old.name, "user": cast.requester.pk, "DELETE": "on"},
                    {"group": new.name}, initial=1)  # fmt: skip
    form |= formset("attributes", {"id": city.pk, "type": "city", "value": "Berlin"},
                    {"id": team.pk, "type": "team", "value": "db"}, initial=2)  # fmt: skip
    assert admin.post(f"{USERS}{cast.requester.pk}/change/", form).status_code == 302
    user = User.objects.get(pk=cast.requester.pk)
    assert (user.name, user.role_set()) == ("Rita R.", {Role.VIEWER})
    assert [*user.groups.all()] == [new]
    assert set(user.attributes.values_list("value", flat=True)) == {"Berlin", "db"}
    assert new_actions(since) == [
        *("user.edited", "user.roles_set", "group.member_removed", "group.member_added", "user.attributes_set")
    ]
    assert Change.objects.count() == news + 3


def test_saving_a_page_unchanged_records_nothing(cast: Cast, admin: Client) -> None:
    since = newest()
    form = person_form(email="rita@example.com", name="Rita", roles=["grantee"])
    assert admin.post(f"{USERS}{cast.requester.pk}/change/", form).status_code == 302
    assert new_actions(since) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"email": "Abel@example.com"}, b"Abel already has the address abel@example.com."),
        ({"email": "x"}, b"Enter a valid email address."),
        ({"time_zone": "Mars"}, b"There is no time zone"),
        ({"new_password": "short"}, b"too short"),
    ],
)
def test_what_cannot_be_is_shown_on_the_form(cast: Cast, admin: Client, values: dict[str, str], words: bytes) -> None:
    since = newest()
    for path in ("add", f"{cast.requester.pk}/change"):
        response = admin.post(f"{USERS}{path}/", person_form(**values))
        assert (response.status_code, words in response.content) == (200, True)
    assert new_actions(since) == []


def test_a_refused_action_is_a_message_and_nothing_stays(cast: Cast, admin: Client) -> None:
    since = newest()
    form = person_form(email="ada@example.com", name="Ada Changed", roles=["viewer"])
    response = admin.post(f"{USERS}{cast.admin.pk}/change/", form)
    assert "last active admin" in said(response)[0]
    assert User.objects.get(pk=cast.admin.pk).name == "Ada"
    chosen = {"action": "disable", "_selected_action": [cast.requester.pk, cast.admin.pk]}
    assert "last active admin" in said(admin.post(USERS, chosen))[0]
    assert User.objects.get(pk=cast.requester.pk).is_active
    assert new_actions(since) == []


def test_people_are_disabled_and_enabled_and_never_deleted(cast: Cast, admin: Client) -> None:
    chosen = [cast.requester.pk, cast.outsider.pk]
    admin.post(USERS, {"action": "disable", "_selected_action": chosen})
    assert not User.objects.filter(pk__in=chosen, is_active=True).exists()
    admin.post(USERS, {"action": "enable", "_selected_action": chosen})
    assert User.objects.filter(pk__in=chosen, is_active=True).count() == 2
    assert admin.post(f"{USERS}{cast.requester.pk}/delete/", {"post": "yes"}).status_code == 403
    admin.post(USERS, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert User.objects.filter(pk__in=chosen).count() == 2


def test_ones_own_new_password_keeps_the_session_and_anothers_ends_it(cast: Cast, admin: Client) -> None:
    other = Client()
    other.force_login(cast.requester)
    form = person_form(email="rita@example.com", name="Rita", roles=["grantee"], new_password=NEW)
    admin.post(f"{USERS}{cast.requester.pk}/change/", form)
    assert other.get("/account/").status_code == 302
    form = person_form(email="ada@example.com", name="Ada", roles=["admin"], new_password=NEW)
    assert admin.post(f"{USERS}{cast.admin.pk}/change/", form).status_code == 302
    assert admin.get(USERS).status_code == 200


def test_groups_are_made_renamed_and_deleted_through_the_actions(cast: Cast, admin: Client) -> None:
    since = newest()
    form = {"name": "Ops"} | formset("memberships", {"user": cast.requester.email})
    assert admin.post(f"{GROUPS}add/", form).status_code == 302
    group = Group.objects.get()
    membership = GroupMembership.objects.get()
    form = {"name": "Operations"} | formset(
        "memberships", {"id": membership.pk, "group": group.pk, "user": cast.outsider.email}, initial=1
    )
    assert admin.post(f"{GROUPS}{group.pk}/change/", form).status_code == 302
    assert [*group.members.all()] == [cast.outsider]
    assert admin.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.exists()
    second = actions.create_group("Second", actor=system())
    admin.post(GROUPS, {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"})
    assert not Group.objects.exists()
    assert new_actions(since) == [
        *("group.created", "group.member_added", "group.renamed", "group.member_removed", "group.member_added"),
        *("group.deleted", "group.created", "group.deleted"),
    ]


def test_a_large_groups_members_are_not_on_its_page(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.admin._MEMBERS_SHOWN", 1)
    group = actions.create_group("Ops", actor=system())
    page = f"{GROUPS}{group.pk}/change/"
    assert b"memberships-TOTAL_FORMS" in admin.get(page).content
    for name in ("A", "B"):
        actions.add_member(group, somebody(name), actor=system())
    assert b"memberships-TOTAL_FORMS" not in admin.get(page).content
    assert admin.post(page, {"name": "Renamed"}).status_code == 302
    assert group.members.count() == 2


@pytest.mark.parametrize("role", [Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER])
def test_other_staff_see_people_and_change_nothing(cast: Cast, client: Client, role: Role) -> None:
    group = actions.create_group("Ops", actor=system())
    client.force_login(somebody("Staff", role))
    since = newest()
    page = f"{USERS}{cast.requester.pk}/change/"
    for path in (USERS, page, GROUPS, f"{GROUPS}{group.pk}/change/"):
        assert client.get(path).status_code == 200
    shown = client.get(page).content
    assert b"rita@example.com" in shown
    assert b"Grantee" in shown
    assert b'name="email"' not in shown
    assert b"new_password" not in shown
    for path in (page, f"{USERS}add/", f"{GROUPS}add/", f"{GROUPS}{group.pk}/change/", f"{GROUPS}{group.pk}/delete/"):
        assert client.post(path, person_form() | {"post": "yes"}).status_code == 403, path
    for path, verb in ((USERS, "disable"), (USERS, "enable"), (GROUPS, "delete_selected")):
        client.post(path, {"action": verb, "_selected_action": [cast.requester.pk, group.pk], "post": "yes"})
    assert User.objects.get(pk=cast.requester.pk).is_active
    assert Group.objects.exists()
    assert new_actions(since) == []


@pytest.mark.parametrize("who", ["requester", "outsider", None])
def test_who_is_no_staff_sees_nothing(cast: Cast, client: Client, who: str | None) -> None:
    if who:
        client.force_login(getattr(cast, who))
    for path in (USERS, f"{USERS}{cast.admin.pk}/change/", f"{USERS}add/", GROUPS):
        response = client.get(path)
        assert (response.status_code, response["Location"].startswith("/admin/login/")) == (302, True)


def test_the_list_costs_the_same_however_many_people(
    cast: Cast, admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        somebody(f"P{number}", Role.VIEWER, Role.GRANTEE)
    with django_assert_max_num_queries(13):
        assert admin.get(USERS).status_code == 200


def test_nothing_that_only_looks_like_people_is_in_the_admin_site(admin: Client) -> None:
    for path in ("/admin/auth/group/", "/admin/account/emailaddress/"):
        assert admin.get(path).status_code == 404


def test_who_may_only_look_is_led_to_no_page_of_absences(cast: Cast) -> None:
    address = f"/admin/accounts/user/{cast.requester.pk}/change/"
    for role, led in ((Role.VIEWER, False), (Role.ADMIN, True)):
        client = Client()
        client.force_login(somebody(f"Look{role}", role))
        page = client.get(address).content.decode()
        assert "Nobody stands in." in page
        assert ("/away/" in page) is led
