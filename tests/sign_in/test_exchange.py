"""The exchange with the certified provider: what is tampered with, repeated, late or away lets nobody in."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings

from tests.cast import Cast
from tests.sign_in.provider import CALLBACK, Provider, configured
from tests.sign_in.walking import PRODUCT, START, Walker, asked, last, trail


def test_a_state_that_is_not_of_this_browser_is_refused(cast: Cast, rita: Walker, acme: Provider) -> None:
    address = rita.at_provider(rita.begin())
    state = asked(address)["state"]
    other = Walker(acme)
    for wrong in (
        other.back(address),
        rita.back(address.replace(state, state[::-1])),
        rita.back(address.replace(f"&state={state}", "")),
        rita.client.get(CALLBACK),
    ):
        assert (wrong.status_code, b"This sign-in is over" in wrong.content) == (400, True)
        assert "no-store" in wrong["Cache-Control"]
    assert not (rita.is_in() or other.is_in())
    # Anybody can do that all day long: it is not on record.
    assert trail() == []
    assert rita.back(address).status_code == 302


def test_an_answer_works_once(cast: Cast, rita: Walker, acme: Provider) -> None:
    address = rita.at_provider(rita.begin())
    rita.back(address)
    rita.client.post("/account/logout/")
    assert rita.back(address).status_code == 400
    assert not rita.is_in()
    # Nor does its code, in a sign-in of somebody else's.
    thief = Walker(acme)
    theirs, code = thief.at_provider(thief.begin()), asked(address)["code"]
    page = thief.back(theirs.replace(asked(theirs)["code"], code))
    assert (page.status_code, thief.is_in()) == (502, False)
    assert last().details["reason"] == "answer of the provider not to be used"


def test_a_code_without_its_proof_is_refused_by_the_provider(cast: Cast, rita: Walker) -> None:
    begun = rita.begin()
    assert asked(begun)["code_challenge_method"] == "S256"
    session = rita.client.session
    ((state, (kept, *rest)),) = session["socialaccount_states"].items()
    assert len(kept["pkce_code_verifier"]) == 128
    session["socialaccount_states"] = {state: ({**kept, "pkce_code_verifier": "x" * 128}, *rest)}
    session.save()
    assert rita.back(rita.at_provider(begun)).status_code == 502
    assert not rita.is_in()


def test_whoever_stops_at_the_provider_is_told_what_to_do(cast: Cast, rita: Walker) -> None:
    page = rita.sign_in(do="stop", next="/account/")
    assert (page.status_code, b"You are not signed in" in page.content) == (403, True)
    assert b'name="next" value="/account/"' in page.content
    assert trail() == []


def test_an_error_of_the_provider_is_logged_by_its_code_alone(
    cast: Cast, rita: Walker, caplog: pytest.LogCaptureFixture
) -> None:
    for code, logged in (("invalid_scope", "invalid_scope"), ("a%0Aforged line", "no code")):
        caplog.clear()
        state = asked(rita.begin())["state"]
        page = rita.client.get(f"{CALLBACK}?state={state}&error={code}")
        assert page.status_code == 502
        assert f"({logged})" in caplog.text
        assert "forged" not in caplog.text + page.content.decode()


def test_a_provider_that_is_away_is_told_with_the_other_ways(cast: Cast, rita: Walker, acme: Provider) -> None:
    late = rita.at_provider(rita.begin())
    acme.stop()
    assert rita.back(late).status_code == 503
    cache.clear()
    page = rita.client.post(START, {"next": "/account/"})
    text = page.content.decode()
    assert page.status_code == 503
    assert "Acme does not answer" in text
    assert 'href="/account/login/?next=%2Faccount%2F"' in text
    assert trail() == []
    acme.start()
    assert rita.sign_in().status_code == 302


def test_the_wrong_client_secret_lets_nobody_in(cast: Cast, acme: Provider, caplog: pytest.LogCaptureFixture) -> None:
    walker = Walker(acme)
    with configured(acme.settings(client_secret="another secret of the same client"), PRODUCT):
        page = walker.sign_in()
    assert (page.status_code, walker.is_in()) == (502, False)
    assert "another secret" not in caplog.text + page.content.decode()


def test_without_a_provider_there_is_no_such_door(db: None, client: Client) -> None:
    for answer in (client.post(START), client.get(CALLBACK)):
        assert answer.status_code == 404
    assert b"oidc" not in client.get("/account/login/").content


def test_allauths_own_pages_for_it_are_not_there(cast: Cast, acme: Provider, client: Client) -> None:
    client.force_login(cast.requester)
    for path in ("oidc/login/", "social/signup/", "social/connections/", "social/login/error/", "3rdparty/", "signup/"):
        for prefix in ("/account/", "/accounts/", "/"):
            assert client.get(prefix + path).status_code == 404


def test_the_policy_lets_forms_go_to_us_alone(acme: Provider, client: Client, db: None) -> None:
    for page in (client.get("/account/login/"), client.post(START)):
        assert "form-action 'self'" in page["Content-Security-Policy"]
        assert acme.issuer not in page["Content-Security-Policy"]


def test_starting_is_slowed_down_for_one_address(acme: Provider, db: None) -> None:
    assert settings.ACCOUNT_RATE_LIMITS["single_sign_on"] == "120/m/ip"
    client = Client()
    with override_settings(ACCOUNT_RATE_LIMITS={"single_sign_on": "4/m/ip"}):
        codes = [client.post(START).status_code for _ in range(5)]
    assert codes == [200] * 4 + [429]
