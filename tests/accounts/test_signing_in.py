"""The pages of signing in and out: what they let in, what they tell, and what they leave on the record."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account import urls as allauth_urls
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import SignInLink, User
from audit.actor import system
from audit.models import AuditEntry
from tests.cast import PASSWORD, Cast

LOGIN = "/account/login/"
pytestmark = pytest.mark.usefixtures("unlimited")


@pytest.fixture
def unlimited() -> None:
    """Forget the attempts of other tests."""
    cache.clear()


def sign_in(client: Client, email: str = "rita@example.com", password: str = PASSWORD, **more: str) -> Any:
    """Send the sign-in form."""
    return client.post(LOGIN, {"login": email, "password": password, **more})


def is_in(client: Client) -> bool:
    """Whether somebody is signed in."""
    return client.get("/account/").status_code == 200


def last() -> AuditEntry:
    """Return the newest entry."""
    return AuditEntry.objects.latest("id")


def test_who_knows_the_password_is_let_in_and_it_is_recorded(cast: Cast, client: Client) -> None:
    assert LOGIN in client.get("/account/")["Location"]
    assert b'name="login"' in client.get(LOGIN).content
    assert sign_in(client, " Rita@Example.com ")["Location"] == "/"
    assert is_in(client)
    entry = last()
    assert (entry.action, entry.actor_id, entry.subject_id) == ("user.signed_in", *[str(cast.requester.pk)] * 2)
    assert entry.details == {"how": "password", "address": "127.0.0.1"}


def test_the_page_has_nothing_inline_and_is_not_kept(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    token = actions.make_sign_in_link(cast.requester)
    for path in (LOGIN, "/account/", "/account/password/", "/account/logout/", f"/sign-in/{token}/"):
        response = (Client() if path == LOGIN else client).get(path)
        page = response.content.decode()
        assert response.status_code == 200
        assert not re.search(r"<script(?![^>]*src)|<style|\sstyle=|\son\w+=", page), path
        if path != "/account/logout/":
            assert "no-store" in response["Cache-Control"], path


WRONG = {
    "wrong password": ("rita@example.com", "wrong"),
    "unknown": ("nobody@example.com", PASSWORD),
    "disabled": ("otto@example.com", PASSWORD),
    "no password": ("abel@example.com", PASSWORD),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_refusal_looks_and_costs_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    actions.disable_user(cast.outsider, actor=system())
    actions.set_password(cast.approver, None, actor=system())
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    client = Client()
    response = sign_in(client, *WRONG[case])
    errors = response.context["form"].non_field_errors()
    assert (response.status_code, errors) == (200, ["The email address and/or password you specified are not correct."])
    assert len(hashed) == 1
    assert not is_in(client)


@pytest.mark.parametrize("case", WRONG)
def test_a_failure_is_recorded_without_what_may_be_a_password(cast: Cast, client: Client, case: str) -> None:
    actions.disable_user(cast.outsider, actor=system())
    actions.set_password(cast.approver, None, actor=system())
    email, password = WRONG[case]
    sign_in(client, email, password)
    entry = last()
    assert (entry.action, entry.actor_id) == ("user.sign_in_failed", "")
    known = User.objects.filter(email=email).first()
    assert entry.subject_id == (str(known.pk) if known else "")
    assert ("nobody" in str(AuditEntry.objects.filter(pk=entry.pk).values())) is False


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\\evil.example", "/"),
    ],
)
def test_next_leads_nowhere_else(cast: Cast, client: Client, target: str, leads_to: str) -> None:
    assert sign_in(client, next=target)["Location"] == leads_to


def test_the_form_carries_next_along(client: Client, db: None) -> None:
    assert b'<input type="hidden" name="next" value="/account/">' in client.get(f"{LOGIN}?next=/account/").content


def test_the_session_is_another_after_signing_in_and_ends_within_its_time(cast: Cast, client: Client) -> None:
    # As if somebody had planted a session of theirs in the browser.
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    assert client.cookies["sessionid"].value == before
    sign_in(client, remember="on")
    after = client.session.session_key
    assert after != before
    assert not Session.objects.filter(session_key=before).exists()
    assert Session.objects.get(session_key=after).expire_date <= timezone.now() + timedelta(hours=12, seconds=5)
    assert client.session[SESSION_KEY] == str(cast.requester.pk)


def test_guessing_is_slowed_down_for_one_address_and_not_for_others(cast: Cast) -> None:
    client = Client()
    for _ in range(5):
        sign_in(client, password="wrong")
    said = sign_in(client).context["form"].non_field_errors()
    assert "Too many failed login attempts" in said[0]
    assert not is_in(client)
    sign_in(client, "abel@example.com")
    assert is_in(client)


def test_signing_out_takes_a_post_and_is_recorded(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    assert b"<button" in client.get("/account/logout/").content
    assert is_in(client)
    key = client.session.session_key
    assert client.post("/account/logout/").status_code == 302
    assert not is_in(client)
    assert not Session.objects.filter(session_key=key).exists()
    assert (last().action, last().actor_id) == ("user.signed_out", str(cast.requester.pk))


def test_forms_need_their_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    token = actions.make_sign_in_link(cast.requester)
    assert sign_in(client).status_code == 403
    assert client.post(f"/sign-in/{token}/").status_code == 403
    client.force_login(cast.requester)
    for path in ("/account/", "/account/password/", "/account/logout/"):
        assert client.post(path).status_code == 403
    assert SignInLink.objects.get().used_at is None


def test_a_link_is_used_by_its_button_and_not_by_looking(cast: Cast, client: Client) -> None:
    path = f"/sign-in/{actions.make_sign_in_link(cast.requester)}/"
    for _ in range(3):
        page = client.get(path)
        assert (page.status_code, page["Referrer-Policy"]) == (200, "same-origin")
        assert "no-store" in page["Cache-Control"]
    assert client.head(path).status_code == 405
    assert not is_in(client)
    answer = client.post(path)
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (302, "/", "same-origin")
    assert is_in(client)
    assert last().details["how"] == "link"


def test_a_link_that_does_not_work_says_so_and_lets_nobody_in(cast: Cast, client: Client) -> None:
    path = f"/sign-in/{actions.make_sign_in_link(cast.requester)}/"
    client.post(path)
    other = Client()
    refused = other.post(path)
    assert (refused.status_code, b"used already or has expired" in refused.content) == (410, True)
    assert other.post("/sign-in/unknown/").status_code == 410
    # Whether a link is known is not to be seen without using it.
    known, unknown = (re.sub(r'value="\w{64}"', "", other.get(one).content.decode()) for one in (path, "/sign-in/x/"))
    assert known == unknown
    assert not is_in(other)


def test_a_link_takes_the_place_of_another_persons_session(cast: Cast, client: Client) -> None:
    client.force_login(cast.outsider)
    session = client.session
    session["theirs"] = "x"
    session.save()
    client.post(f"/sign-in/{actions.make_sign_in_link(cast.requester)}/")
    assert client.session[SESSION_KEY] == str(cast.requester.pk)
    assert "theirs" not in client.session


def test_trying_links_is_slowed_down(cast: Cast, client: Client) -> None:
    codes = [client.post(f"/sign-in/guess{number}/").status_code for number in range(31)]
    assert codes == [410] * 30 + [429]


def _allauth_paths() -> list[str]:
    """Return the addresses of all pages allauth has, and what it is mounted at elsewhere."""
    paths = []
    for pattern in allauth_urls.urlpatterns:
        text = re.sub(r"\(\?P<\w+>[^)]*\)", "1-abc", str(pattern.pattern)).strip("^$")
        paths.append(f"/account/{text}")
    return paths


def test_of_allauths_pages_only_the_needed_ones_are_there(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    needed = {LOGIN, "/account/logout/", "/account/reauthenticate/"}
    paths = set(_allauth_paths())
    assert needed < paths
    assert len(paths) > 10
    for path in paths - needed:
        assert client.get(path).status_code == 404, path
        assert client.post(path).status_code == 404, path


def test_reauthenticating_takes_the_password(cast: Cast, client: Client) -> None:
    assert urlsplit(client.get("/account/reauthenticate/")["Location"]).path == LOGIN
    client.force_login(cast.requester)
    assert client.get("/account/reauthenticate/").status_code == 200
    assert client.post("/account/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert client.post("/account/reauthenticate/", {"password": PASSWORD}).status_code == 302


def test_the_admin_site_signs_in_by_the_same_page(cast: Cast, client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(f"{LOGIN}?next=")
    posted = client.post("/admin/login/", {"username": "ada@example.com", "password": PASSWORD})
    assert urlsplit(posted["Location"]).path == LOGIN
    assert not is_in(client)
    client.force_login(cast.requester)
    assert client.get("/admin/login/").status_code == 403
    client.force_login(cast.admin)
    assert client.get("/admin/").status_code == 200
