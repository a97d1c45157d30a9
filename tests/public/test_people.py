"""Managed groups, users and attributes for a Terraform provider."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import GroupSource, TokenScope
from accounts.models import Attribute, Group
from integrations.models import Origin
from tests.public.conftest import Api, api, fields
from tests.story import Story

GROUPS, USERS, ATTRIBUTES = "/api/admin/v1/groups", "/api/admin/v3/users", "/api/admin/v1/attributes"


def members(admin: Api, pk: str) -> list[str]:
    return [one["email"] for one in admin.get(f"{GROUPS}/{pk}/members").json()["items"]]


def test_a_managed_group_lives_with_its_members(story: Story, admin: Api) -> None:
    made = admin.made(GROUPS, {"name": "Night", "members_emails": ["rita@example.com", "Abel@Example.com"]})
    assert made == {"id": made["id"], "name": "Night"}
    assert members(admin, made["id"]) == ["abel@example.com", "rita@example.com"]
    address = f"{GROUPS}/{made['id']}"
    assert admin.send("PUT", f"{address}/members", {"members_emails": ["otto@example.com"]}).status_code == 204
    assert members(admin, made["id"]) == ["otto@example.com"]
    assert admin.send("PUT", f"{address}/members/rita@example.com").status_code == 204
    assert admin.send("DELETE", f"{address}/members/otto@example.com").status_code == 204
    assert admin.send("DELETE", f"{address}/members/otto@example.com").status_code == 404
    assert members(admin, made["id"]) == ["rita@example.com"]
    assert admin.changed(f"{address}/name", {"name": "Nights"})["name"] == "Nights"
    assert [one["name"] for one in admin.get(GROUPS, name="Night*").json()["items"]] == ["Nights"]
    assert admin.send("DELETE", address).status_code == 204
    assert admin.get(address).status_code == 404


def test_an_unknown_member_is_named_and_nothing_is_made(story: Story, admin: Api) -> None:
    answer = admin.send("POST", GROUPS, {"name": "Night", "members_emails": ["rita@example.com", "no@example.com"]})
    assert fields(answer) == {"members_emails"}
    assert "no@example.com" in answer.json()["detail"]
    assert not Group.objects.filter(name="Night").exists()


def test_a_group_from_elsewhere_is_changed_there(story: Story, admin: Api) -> None:
    group = Group.objects.create(name="Told", source=GroupSource.OIDC)
    answer = admin.send("PUT", f"{GROUPS}/{group.pk}/members", {"members_emails": ["rita@example.com"]})
    assert answer.status_code == 409


def test_users_are_read_with_roles_and_where_they_come_from(story: Story, admin: Api) -> None:
    rita = story.cast.requester
    Origin.objects.create(integration=story.integration, source_id="u1", user=rita)
    Attribute.objects.create(user=rita, type="okta_city", value="Berlin")
    shown = admin.get(f"{USERS}/{rita.pk}").json()
    assert shown["source_integration_name"] == story.integration.name
    assert (shown["first_name"], shown["last_name"], shown["active"]) == ("Rita", "", True)
    assert (shown["roles"], shown["attributes"]) == (["Grantee"], {"okta_city": "Berlin"})
    found = [admin.get(USERS, **query).json()["items"] for query in (
        {"first_name": "Rit*"}, {"source_integration_id": str(story.integration.pk)},
        {"source_integration_name": story.integration.name},
    )]  # fmt: skip
    assert [[one["email"] for one in each] for each in found] == [["rita@example.com"]] * 3
    assert [one["email"] for one in admin.get(USERS, role="Admin").json()["items"]] == ["ada@example.com"]
    assert admin.get(f"{USERS}/nobody").status_code == 404


def test_attributes_are_each_type_and_value_once(story: Story, admin: Api) -> None:
    for user in (story.cast.requester, story.cast.approver):
        Attribute.objects.create(user=user, type="okta_city", value="Berlin")
    Origin.objects.create(integration=story.integration, source_id="u1", user=story.cast.requester)
    city = admin.get(ATTRIBUTES, type="okta_city").json()["items"]
    assert city == [{"type": "okta_city", "value": "Berlin"}]
    every, query = [], {"limit": "2"}
    while True:
        page = admin.get(ATTRIBUTES, **query).json()
        every += [(one["type"], one["value"]) for one in page["items"]]
        if not page["pagination"]["next_page_token"]:
            break
        query = {"page_token": page["pagination"]["next_page_token"], "limit": "2"}
    assert every == sorted(set(every))
    assert {kind for kind, _ in every} >= {"user", "group", "okta_city"}
    (rita,) = admin.get(ATTRIBUTES, type="user", source_integration_reference=story.integration.name).json()["items"]
    assert (rita["value"], rita["source_id"]) == ("rita@example.com", "u1")
    assert admin.get(ATTRIBUTES, search="BERL").json()["items"] == city
    assert admin.get(ATTRIBUTES, page_token="forged").status_code == 400


def test_who_may_not_is_refused_on_every_address(story: Story, admin: Api) -> None:
    group = Group.objects.create(name="Night")
    outsider, reader = api(story.cast.outsider), api(story.cast.admin, TokenScope.ADMIN_READ)
    one = f"{GROUPS}/{group.pk}"
    calls = [("GET", GROUPS), ("POST", GROUPS), ("GET", one), ("DELETE", one), ("PUT", f"{one}/name"),
             ("GET", f"{one}/members"), ("PUT", f"{one}/members"), ("PUT", f"{one}/members/rita@example.com"),
             ("DELETE", f"{one}/members/rita@example.com"), ("GET", USERS),
             ("GET", f"{USERS}/{story.cast.admin.pk}"), ("GET", ATTRIBUTES)]  # fmt: skip
    for method, address in calls:
        assert outsider.send(method, address, {}).status_code == 403, address
        assert Api({}, admin.client).send(method, address, {}).status_code == 401, address
        if method != "GET":
            assert reader.send(method, address, {}).status_code == 403, address


def test_pages_take_as_many_queries_as_one_row(story: Story, admin: Api) -> None:
    admin.get(GROUPS)  # notes that the token was used, once a minute
    counts = []
    for number in range(3):
        group = Group.objects.create(name=f"G{number}")
        Origin.objects.create(integration=story.integration, source_id=f"g{number}", group=group)
        if number in (0, 2):
            for address in (GROUPS, USERS, ATTRIBUTES, f"{GROUPS}/{group.pk}/members"):
                with CaptureQueriesContext(connection) as caught:
                    assert admin.get(address).status_code == 200
                counts.append(len(caught))
    assert counts[:4] == counts[4:]
    assert max(counts) <= 7
