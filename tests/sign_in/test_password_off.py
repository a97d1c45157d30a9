"""Password sign-in switched off: no form, no page, no other door that takes one; a link of an admin is the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client

from accounts import actions
from config.single_sign_on import Oidc
from tests.cast import PASSWORD, Cast
from tests.desk.conftest import signed_in
from tests.sign_in.provider import configured
from tests.sign_in.walking import PRODUCT

LOGIN = "/account/login/"
SOMEWHERE = Oidc("https://login.example.com", "latchkey", "s", "Acme")


@pytest.fixture(autouse=True)
def off() -> Iterator[None]:
    cache.clear()
    with configured(SOMEWHERE, PRODUCT, password_sign_in=False):
        yield


def test_the_form_is_gone_and_a_password_is_refused_unread(cast: Cast, client: Client) -> None:
    page = client.get(LOGIN).content.decode()
    assert "Sign in with Acme" in page
    assert "password" not in page.lower()
    answer = client.post(LOGIN, {"login": "rita@example.com", "password": PASSWORD})
    assert (answer.status_code, b"is switched off" in answer.content) == (403, True)
    assert client.get("/account/").status_code == 302
    assert authenticate(None, username="rita@example.com", password=PASSWORD) is None


def test_pages_about_passwords_are_gone(cast: Cast) -> None:
    client = signed_in(cast.requester)
    for path in ("/account/password/", "/account/reauthenticate/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"password": PASSWORD}).status_code == 404
    assert b"/account/password/" not in client.get("/account/").content


def test_no_page_of_the_admin_takes_a_password_for_others(cast: Cast) -> None:
    desk = signed_in(cast.admin)
    path = f"/admin/accounts/user/{cast.requester.pk}/change/"
    assert b'type="password"' not in desk.get(path).content
    assert b'type="password"' not in desk.get("/admin/accounts/user/add/").content


def test_a_link_of_an_admin_still_signs_in(cast: Cast, client: Client) -> None:
    client.post(f"/sign-in/{actions.make_sign_in_link(cast.admin)}/")
    assert client.get("/admin/").status_code == 200


def test_the_admin_site_has_no_other_door(cast: Cast, client: Client) -> None:
    client.post("/admin/login/", {"username": "ada@example.com", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
