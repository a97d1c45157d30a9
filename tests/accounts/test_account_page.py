"""One's own account: seen and changed by nobody else."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import actions
from accounts.models import User
from audit.actor import system
from audit.models import AuditEntry
from tests.cast import PASSWORD, Cast

NEW = "correct-horse-battery-2"


def test_only_who_is_signed_in_has_an_account_page(db: None, client: Client) -> None:
    for path in ("/account/", "/account/password/"):
        for response in (client.get(path), client.post(path, {"name": "X"})):
            assert (response.status_code, response["Location"]) == (302, f"/account/login/?next={path}")


def test_people_change_their_own_name_and_time_zone(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    assert b"rita@example.com" in client.get("/account/").content
    given = {"name": "Rita R.", "time_zone": "Europe/Berlin", "email": "evil@example.com", "roles": "admin"}
    assert client.post("/account/", given)["Location"] == "/account/"
    user = User.objects.get(pk=cast.requester.pk)
    assert (user.name, user.time_zone, user.email) == ("Rita R.", "Europe/Berlin", "rita@example.com")
    assert user.role_set() == cast.requester.role_set()
    assert AuditEntry.objects.latest("id").source == "portal"
    assert b"Your profile is saved." in client.get("/account/").content


@pytest.mark.parametrize(
    "given", [{"name": "", "time_zone": ""}, {"name": "R", "time_zone": "Mars"}, {"name": "n" * 151}]
)
def test_what_cannot_be_is_shown_on_the_form(cast: Cast, client: Client, given: dict[str, str]) -> None:
    client.force_login(cast.requester)
    response = client.post("/account/", given)
    assert (response.status_code, b"errorlist" in response.content) == (200, True)
    assert User.objects.get(pk=cast.requester.pk).name == "Rita"


def test_a_new_password_takes_the_present_one_and_ends_the_other_sessions(cast: Cast) -> None:
    cache.clear()
    client, other = Client(), Client()
    for one in (client, other):
        one.force_login(cast.requester)
    wrong = {"current": "wrong", "new": NEW, "again": NEW}
    assert b"not your current password" in client.post("/account/password/", wrong).content
    assert b"not the same" in client.post("/account/password/", wrong | {"current": PASSWORD, "again": "x"}).content
    weak = {"current": PASSWORD, "new": "short", "again": "short"}
    assert b"too short" in client.post("/account/password/", weak).content
    assert User.objects.get(pk=cast.requester.pk).check_password(PASSWORD)
    assert client.post("/account/password/", wrong | {"current": PASSWORD}).status_code == 302
    assert User.objects.get(pk=cast.requester.pk).check_password(NEW)
    assert (client.get("/account/").status_code, other.get("/account/").status_code) == (200, 302)


def test_who_came_by_link_and_has_no_password_sets_one(cast: Cast, client: Client) -> None:
    cache.clear()
    actions.set_password(cast.requester, None, actor=system())
    client.force_login(User.objects.get(pk=cast.requester.pk))
    assert b'name="current"' not in client.get("/account/password/").content
    assert client.post("/account/password/", {"new": NEW, "again": NEW}).status_code == 302
    assert User.objects.get(pk=cast.requester.pk).check_password(NEW)


def test_guessing_the_present_password_is_slowed_down(cast: Cast, client: Client) -> None:
    cache.clear()
    client.force_login(cast.requester)
    codes = [client.post("/account/password/", {"current": "x"}).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
