"""Sign-in against the certified provider: who is let in as whom, and what is on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import actions
from accounts.models import Identity, RoleAssignment, User
from audit.actor import person, system
from audit.choices import Source
from tests.cast import PASSWORD, Cast
from tests.sign_in.provider import Provider, configured
from tests.sign_in.walking import PRODUCT, START, Walker, asked, last, trail


def test_a_known_person_is_linked_by_the_verified_address_once(cast: Cast, rita: Walker, acme: Provider) -> None:
    acme.person("rita", email="Rita@Example.COM", name="Rita of Acme")
    assert rita.sign_in()["Location"] == "/"
    assert rita.client.session[SESSION_KEY] == str(cast.requester.pk)
    assert trail() == ["user.identity_linked", "user.edited", "user.signed_in"]
    assert (last().details["how"], last().actor_id) == ("oidc", str(cast.requester.pk))
    assert User.objects.get(pk=cast.requester.pk).name == "Rita of Acme"
    linked = Identity.objects.get()
    assert (linked.user, linked.issuer, linked.subject) == (cast.requester, acme.issuer, "rita")
    again = Walker(acme)
    again.sign_in()
    assert again.is_in()
    assert trail(3) == ["user.signed_in"]


def test_afterwards_the_subject_counts_and_not_the_address(cast: Cast, rita: Walker, acme: Provider) -> None:
    rita.sign_in()
    acme.person("rita", email="ada@example.com", email_verified=False)
    again = Walker(acme)
    again.sign_in()
    assert again.client.session[SESSION_KEY] == str(cast.requester.pk)
    assert User.objects.get(pk=cast.requester.pk).email == "rita@example.com"
    assert Identity.objects.count() == 1


def test_somebody_unknown_becomes_a_person_without_any_right(cast: Cast, rita: Walker, acme: Provider) -> None:
    acme.person("new", given_name="New", family_name="Comer")
    rita.sign_in("new")
    user = User.objects.get(email="new@example.com")
    assert (user.name, user.has_usable_password(), rita.is_in()) == ("New Comer", False, True)
    assert not RoleAssignment.objects.filter(user=user).exists()
    assert trail() == ["user.created", "user.identity_linked", "user.signed_in"]
    assert rita.client.get("/admin/", follow=True).status_code == 403


def test_where_people_are_not_made_somebody_unknown_stays_outside(db: None, acme: Provider) -> None:
    walker = Walker(acme)
    with configured(acme.settings(create_people=False), PRODUCT):
        page = walker.sign_in()
    assert (page.status_code, b"rita@example.com" in page.content) == (403, True)
    assert not walker.is_in()
    assert (User.objects.count(), Identity.objects.count()) == (0, 0)
    assert (last().action, last().details["reason"]) == ("user.sign_in_failed", "unknown person")


@pytest.mark.parametrize("said", [False, None, "false", "yes", 1, [True], "TRUE"])
def test_an_address_that_is_not_verified_links_nobody(cast: Cast, rita: Walker, acme: Provider, said: Any) -> None:
    acme.person("rita", email_verified=said)
    page = rita.sign_in()
    assert (page.status_code, b"is not verified" in page.content) == (403, True)
    assert not rita.is_in()
    assert not Identity.objects.exists()
    assert last().details["reason"] == "e-mail address not verified"
    # It may be anybody's.
    assert last().details["email"] == ""


def test_without_an_address_nobody_is_linked(cast: Cast, rita: Walker, acme: Provider) -> None:
    for email in (None, "", "no address", 7, ["rita@example.com"], "rita@ban\u212a.example"):
        acme.person("rita", email=email)
        assert b"Your e-mail address is missing" in Walker(acme).sign_in().content
    assert not Identity.objects.exists()


def test_another_account_with_the_address_of_somebody_linked_is_refused(
    cast: Cast, rita: Walker, acme: Provider
) -> None:
    rita.sign_in()
    acme.person("thief", email="rita@example.com")
    thief = Walker(acme)
    page = thief.sign_in("thief")
    assert (page.status_code, b"belongs to another sign-in" in page.content) == (403, True)
    assert not thief.is_in()
    assert (last().action, last().subject_id) == ("user.sign_in_failed", str(cast.requester.pk))
    assert last().details["subject"] == "thief"
    actions.forget_identities(cast.requester, actor=person(cast.admin, Source.ADMIN))
    assert Walker(acme).sign_in("thief").status_code == 302


@pytest.mark.parametrize("linked", [False, True])
def test_a_disabled_person_stays_outside(cast: Cast, rita: Walker, acme: Provider, linked: bool) -> None:
    if linked:
        rita.sign_in()
    actions.disable_user(cast.requester, actor=system())
    walker = Walker(acme)
    page = walker.sign_in()
    assert (page.status_code, b"Your account is disabled" in page.content) == (403, True)
    assert b"example.com" not in page.content
    assert not walker.is_in()
    assert not rita.is_in()
    assert Identity.objects.count() == linked
    assert last().details["reason"] == "disabled"


def test_the_session_is_another_and_of_the_exchange_only_the_farewell_is_kept(cast: Cast, rita: Walker) -> None:
    rita.client.force_login(cast.outsider)
    session = rita.client.session
    session["theirs"] = "x"
    session.save()
    before = session.session_key
    rita.sign_in()
    after = rita.client.session
    assert after.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert set(after.keys()) - {"_auth_user_id", "_auth_user_backend", "_auth_user_hash"} == {
        "oidc",
        "accounts.session",
        "account_authentication_methods",
        "account_authentication_methods_user",
    }
    assert set(after["oidc"]) == {"end_session", "id_token", "provider"}
    assert "access_token" not in str(dict(after))


def test_the_key_of_a_session_that_somebody_planted_is_worth_nothing(cast: Cast, rita: Walker) -> None:
    address = rita.begin()
    planted = rita.client.session.session_key
    rita.back(rita.at_provider(address))
    assert rita.client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [("/account/", "/account/"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("/\\evil.example", "/")],
)
def test_the_way_back_is_kept_and_leads_nowhere_else(cast: Cast, rita: Walker, target: str, leads_to: str) -> None:
    address = rita.begin(next=target)
    assert target not in address
    # What the way back through the provider carries counts for nothing.
    assert rita.back(rita.at_provider(address) + "&next=/admin/")["Location"] == leads_to


def test_nothing_of_the_request_reaches_the_provider(cast: Cast, rita: Walker) -> None:
    planted = {"auth_params": "prompt=none&redirect_uri=https://evil.example/", "scope": "admin", "process": "connect"}
    query = "&".join(f"{name}={value}" for name, value in planted.items())
    page = rita.client.post(f"{START}?{query}", planted)
    said = asked(page.context["address"])
    assert set(said) == {
        *("client_id", "redirect_uri", "scope", "response_type", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert said["redirect_uri"] == f"{PRODUCT}/account/oidc/callback/"
    assert set(said["scope"].split()) == {"openid", "email", "profile"}


def test_whoever_is_refused_may_come_as_somebody_else(cast: Cast, rita: Walker, acme: Provider) -> None:
    acme.person("eve", email_verified=False)
    page = rita.sign_in("eve", next="/account/")
    assert b'name="anew"' in page.content
    assert b'name="next" value="/account/"' in page.content
    address = rita.begin(anew="yes", next="/account/")
    assert asked(address)["prompt"] == "login"
    # The provider still has Eve's session, and asks all the same.
    assert rita.back(rita.at_provider(address, "rita"))["Location"] == "/account/"


def test_a_sign_in_begins_with_a_form_of_ours(acme: Provider, db: None) -> None:
    assert Client().get(START).status_code == 405
    assert Client(enforce_csrf_checks=True).post(START).status_code == 403


def test_signing_out_here_leads_to_signing_out_there(cast: Cast, rita: Walker, acme: Provider) -> None:
    rita.sign_in()
    key = rita.client.session.session_key
    page = rita.client.post("/account/logout/")
    said = asked(page.context["address"])
    assert page.context["address"].startswith(f"{acme.issuer}/session/end?")
    assert said["post_logout_redirect_uri"] == f"{PRODUCT}/account/login/"
    assert said["id_token_hint"].count(".") == 2
    assert "no-store" in page["Cache-Control"]
    assert not rita.is_in()
    assert not Session.objects.filter(session_key=key).exists()
    assert last().action == "user.signed_out"
    # The provider takes the hint: it asks whether to, and does not complain.
    assert rita.there.get(page.context["address"], timeout=10).status_code == 200


def test_signing_out_after_a_password_stays_here(cast: Cast, acme: Provider, client: Client) -> None:
    client.post("/account/login/", {"login": "rita@example.com", "password": PASSWORD})
    assert client.post("/account/logout/").status_code == 302


def test_a_link_of_an_admin_works_beside_it(cast: Cast, acme: Provider, client: Client) -> None:
    with configured(acme.settings(), PRODUCT, password_sign_in=False):
        client.post(f"/sign-in/{actions.make_sign_in_link(cast.admin)}/")
        assert client.get("/admin/").status_code == 200
