"""Spaces by the API: drawn by admins, their members said by their owners, policy in them written by both."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import SpaceRole
from audit.models import AuditEntry
from flows.actions import add_member, define_scope, define_space
from flows.models import AccessFlow, Bundle, Space
from tests.public.conftest import Api, api, fields
from tests.public.test_flows import BUNDLES, FLOWS, SCOPES, integration_target
from tests.public.test_flows import body as flow_body
from tests.story import Story, put_into

SPACES = "/api/admin/v1/spaces"


@pytest.fixture
def admin(story: Story) -> Api:
    define_scope("Everything", 'resource_type = "database"', actor=story.by(story.cast.admin))
    return api(story.cast.admin)


def body(**change: Any) -> dict[str, Any]:
    return {"name": "Payments", "space_scope_references": ["Everything"]} | change


def member(who: str, *roles: str, kind: str = "user") -> dict[str, Any]:
    return {"identity_reference": who, "identity_type": kind, "space_roles": list(roles)}


def owned(story: Story) -> Space:
    """Return a space that the requester owns and the approver manages."""
    from flows.models import AccessScope

    space = define_space("Mine", [AccessScope.objects.get(name="Everything")], actor=story.by(story.cast.admin))
    for who, role in ((story.cast.requester, SpaceRole.OWNER), (story.cast.approver, SpaceRole.MANAGER)):
        add_member(space, who, role, actor=story.by(story.cast.admin))
    return space


def test_a_space_is_made_read_changed_and_deleted(story: Story, admin: Api) -> None:
    people = [member("rita@example.com", "SpaceOwner"), member("engineers", "SpaceManager", kind="group")]
    made = admin.made(SPACES, body(members=people))
    assert (made["members"], made["space_scope_references"]) == (people, ["Everything"])
    assert admin.get(f"{SPACES}/{made['id']}").json() == made
    entries = AuditEntry.objects.count()
    assert admin.changed(f"{SPACES}/{made['id']}", body(members=people)) == made
    assert admin.changed(f"{SPACES}/{made['id']}", body()) == made, "members that are left out stay"
    assert AuditEntry.objects.count() == entries, "what is so already is no change"
    changed = admin.changed(f"{SPACES}/{made['id']}", body(name="Pay", members=people[:1]))
    assert (changed["name"], changed["members"]) == ("Pay", people[:1])
    assert [one["name"] for one in admin.get(SPACES, name="P*").json()["items"]] == ["Pay"]
    assert admin.send("DELETE", f"{SPACES}/{made['id']}").status_code == 204
    assert admin.get(f"{SPACES}/{made['id']}").status_code == 404


def test_a_space_in_which_something_lies_stays(story: Story, admin: Api) -> None:
    made = admin.made(SPACES, body())
    scope = admin.made(f"{SCOPES}?space_reference=Payments", {"name": "Own", "query": 'resource_name = "a"'})
    assert (scope["space_id"], scope["space_name"]) == (made["id"], "Payments")
    assert admin.send("DELETE", f"{SPACES}/{made['id']}").status_code == 409


def test_members_one_by_one(story: Story, admin: Api) -> None:
    space = owned(story)
    owner, where = api(story.cast.requester), f"{SPACES}/{space.pk}/members"
    told = owner.changed(f"{where}/otto@example.com", {"space_roles": ["SpaceManager", "SpaceOwner"]})
    assert set(told["space_roles"]) == {"SpaceManager", "SpaceOwner"}
    told = owner.changed(f"{where}/otto@example.com", {"space_roles": ["SpaceManager"]})
    assert told == member("otto@example.com", "SpaceManager")
    assert owner.send("DELETE", f"{where}/otto@example.com").status_code == 204
    assert owner.send("DELETE", f"{where}/otto@example.com").status_code == 404
    assert len(owner.get(where).json()["items"]) == 2
    kept = owner.changed(where, {"members": [member("rita@example.com", "SpaceOwner")]})["items"]
    assert kept == [member("rita@example.com", "SpaceOwner")]


def test_an_owner_says_who_belongs_and_a_manager_does_not(story: Story, admin: Api) -> None:
    space = owned(story)
    other = define_space("Other", [], actor=story.by(story.cast.admin))
    owner, manager = api(story.cast.requester), api(story.cast.approver)
    roles = {"space_roles": ["SpaceManager"]}
    for who, where in ((manager, space), (owner, other)):
        for method, path, told in (
            ("PUT", "/members/otto@example.com", roles),
            ("PUT", "/members", {"members": []}),
            ("DELETE", "/members/rita@example.com", None),
        ):
            assert who.send(method, f"{SPACES}/{where.pk}{path}", told).status_code == 403
    for who in (owner, manager):
        assert who.get(f"{SPACES}/{space.pk}").status_code == 200
        for method, told in (("PUT", body(name="Wider")), ("DELETE", None)):
            assert who.send(method, f"{SPACES}/{space.pk}", told).status_code == 403
        assert who.send("POST", SPACES, body()).status_code == 403
    assert space.members.count() == 2


def test_a_manager_writes_policy_in_their_space_and_nowhere_else(story: Story, admin: Api) -> None:
    owned(story)
    define_space("Other", [], actor=story.by(story.cast.admin))
    manager, targets = api(story.cast.approver), [integration_target(story.integration.name, "READ_ONLY")]
    kit = {"name": "Kit", "access_targets": targets}
    made = manager.made(f"{FLOWS}?space_reference=Mine", flow_body(story))
    bundle = manager.made(f"{BUNDLES}?space_reference=Mine", kit)
    assert {made["space_name"], bundle["space_name"]} == {"Mine"}
    assert manager.changed(f"{FLOWS}/{made['id']}", flow_body(story, name="Other name"))["space_name"] == "Mine"
    assert manager.changed(f"{BUNDLES}/{bundle['id']}", kit)["id"] == bundle["id"]
    for place in ("", "?space_reference=Other"):
        assert manager.send("POST", f"{FLOWS}{place}", flow_body(story, name="x")).status_code == 403
        assert manager.send("POST", f"{BUNDLES}{place}", kit | {"name": "x"}).status_code == 403
        assert (
            manager.send("POST", f"{SCOPES}{place}", {"name": "x", "query": 'resource_name = "a"'}).status_code == 403
        )
    account = admin.made(FLOWS, flow_body(story))
    older = f"/api/v1/access-flows/{made['id']}"
    assert manager.send("PATCH", older, {"name": "Older name"}).status_code == 200
    for address in (f"{FLOWS}/{account['id']}", f"/api/terraform/v1/access-flows/{account['id']}"):
        assert manager.send("PUT", address, flow_body(story)).status_code == 403
        assert manager.send("DELETE", address).status_code == 403
    assert [one["id"] for one in admin.get(FLOWS, space_references="Mine").json()["items"]] == [made["id"]]
    assert [one["id"] for one in admin.get(FLOWS, space_references="null").json()["items"]] == [account["id"]]
    assert admin.get(FLOWS, space_references="no such").json()["items"] == []
    assert manager.send("DELETE", older).status_code == 200
    assert manager.send("DELETE", f"{BUNDLES}/{bundle['id']}").status_code == 204
    assert (AccessFlow.objects.count(), Bundle.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"space_scope_references": None}, "space_scope_references"),
        ({"space_scope_references": ["no such"]}, "space_scope_references"),
        ({"members": [member("nobody@example.com", "SpaceOwner")]}, "members.0.identity_reference"),
        ({"members": [member("engineers", "SpaceOwner", kind="robot")]}, "members.0.identity_type"),
        ({"members": [member("rita@example.com", "Admin")]}, "members.0.space_roles.0"),
        ({"members": [member("rita@example.com", "SpaceOwner")] * 2}, "members"),
        ({"members": {}}, "members"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, admin: Api, change: Any, field: str) -> None:
    assert field in fields(admin.send("POST", SPACES, body(**change)))
    assert not Space.objects.exists()


def test_a_group_that_is_there_twice_is_named_by_its_id(story: Story, admin: Api) -> None:
    first = put_into("twins", story.cast.requester)
    type(first).objects.create(name="twins")
    told = body(members=[member("twins", "SpaceOwner", kind="group")])
    assert fields(admin.send("POST", SPACES, told)) == {"members.0.identity_reference"}
    admin.made(SPACES, body(members=[member(str(first.pk), "SpaceOwner", kind="group")]))


def test_a_page_takes_as_many_queries_as_one_space(story: Story, admin: Api) -> None:
    counts = []
    for number in range(3):
        people = [member("rita@example.com", "SpaceOwner"), member("engineers", "SpaceManager", kind="group")]
        admin.made(SPACES, body(name=f"Space {number}", members=people))
        if number in (0, 2):
            with CaptureQueriesContext(connection) as caught:
                admin.get(SPACES)
            counts.append(len(caught))
    assert counts == [QUERIES] * 2


# The token with its owner and roles; spaces, their scopes, their members.
QUERIES = 6
