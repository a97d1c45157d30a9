"""Command-line clients sign in by OAuth 2 with a code and PKCE, and nobody gets in between."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import actions, tokens
from accounts.actions.clients import is_loopback
from accounts.models import ApiToken, ClientGrant, RefreshToken
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from tests.cast import Cast

AUTHORIZE, TOKEN, SESSION = "/oauth/authorize", "/oauth/token", "/api/client/v1/session"
BACK = "http://localhost:64131/callback"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = "end_user:access_sessions:read end_user:access_requests:write end_user:inventory:read offline_access"
ASKED = {
    "response_type": "code",
    "client_id": "some-cli",
    "redirect_uri": BACK,
    "scope": SCOPES,
    "state": "a-state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def browser_of(user: Any, *, strict: bool = False) -> Client:
    """Return a browser in which the person is signed in."""
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client


def answered(response: HttpResponse) -> dict[str, str]:
    """Return what the program gets, by redirect or by the page that goes on."""
    address = response.headers.get("Location") or response.context["address"]  # type: ignore[attr-defined]
    assert address.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def allowed(user: Any, **other: str) -> str:
    """Return the code that the person's yes gives."""
    address = f"{AUTHORIZE}?{urlencode(ASKED | other)}"
    return answered(browser_of(user).post(address, {"answer": "allow"}))["code"]


def redeem(by: str, **other: str) -> HttpResponse:
    """Ask for tokens by a code; "-" leaves a parameter out."""
    form = {"grant_type": "authorization_code", "client_id": "some-cli", "redirect_uri": BACK, "code": by}
    form |= {"code_verifier": VERIFIER, **other}
    return Client(enforce_csrf_checks=True).post(TOKEN, {k: v for k, v in form.items() if v != "-"})


def refresh(text: str, **other: str) -> HttpResponse:
    """Ask for the next tokens."""
    form = {"grant_type": "refresh_token", "client_id": "some-cli", "refresh_token": text}
    return Client().post(TOKEN, form | other)


def works(access: str) -> bool:
    """Whether the API takes the token."""
    return Client().get(SESSION, HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200


def test_a_client_gets_in_as_the_person_and_gets_on(cast: Cast) -> None:
    page = browser_of(cast.requester).get(f"{AUTHORIZE}?{urlencode(ASKED)}")
    assert page.status_code == 200
    assert b"some-cli" in page.content
    assert "See what can be asked for" in page.content.decode()
    assert ClientGrant.objects.count() == 0, "looking allows nothing"
    answer = answered(browser_of(cast.requester).post(f"{AUTHORIZE}?{urlencode(ASKED)}", {"answer": "allow"}))
    assert answer["state"] == "a-state"
    given = redeem(answer["code"])
    assert given.status_code == 200
    assert "no-store" in given["Cache-Control"]
    told = given.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)
    assert set(told["scope"].split()) == set(SCOPES.split()) - {"offline_access"}
    assert works(told["access_token"])
    token = tokens.holder(told["access_token"])
    assert token is not None
    assert token.owner == cast.requester
    following = refresh(told["refresh_token"]).json()
    assert works(following["access_token"])
    assert following["refresh_token"] != told["refresh_token"]
    stored = str([*ApiToken.objects.values(), *RefreshToken.objects.values(), *ClientGrant.objects.values()])
    stored += str([*AuditEntry.objects.values()])
    assert not [text for text in (answer["code"], told["access_token"], told["refresh_token"]) if text in stored]
    assert {"client.allowed", "client.signed_in"} <= {*AuditEntry.objects.values_list("action", flat=True)}


def test_whoever_says_no_allows_nothing(cast: Cast) -> None:
    answer = answered(browser_of(cast.requester).post(f"{AUTHORIZE}?{urlencode(ASKED)}", {"answer": "deny"}))
    assert (answer["error"], answer["state"]) == ("access_denied", "a-state")
    assert ClientGrant.objects.count() == 0


def test_nobody_is_asked_who_is_not_signed_in_and_no_other_site_says_yes(cast: Cast) -> None:
    address = f"{AUTHORIZE}?{urlencode(ASKED)}"
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=/oauth/authorize")
    assert browser_of(cast.requester, strict=True).post(address, {"answer": "allow"}).status_code == 403
    assert ClientGrant.objects.count() == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/callback",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://evil.example#localhost",
        "http://localhost:64131@evil.example/",
        "//localhost/x",
        "http://localhost:99999/",
        "http://localhost:64131/#fragment",
        "http://localhost:64131/\r\nX: y",
        "http://localhost\\@evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.2/",
        "http://0.0.0.0:1/",
        "https://localhost:64131/",
        "javascript:alert(1)",
        "http://LOCALHOST:1/ ",
        "",
        "http://localhost:1/" + "a" * 600,
    ],
)
def test_the_answer_goes_to_the_persons_own_computer_or_nowhere(cast: Cast, address: str) -> None:
    assert not is_loopback(address)
    asked = f"{AUTHORIZE}?{urlencode(ASKED | {'redirect_uri': address})}"
    for answer in (browser_of(cast.requester).get(asked), browser_of(cast.requester).post(asked, {"answer": "allow"})):
        assert answer.status_code == 400
        assert "Location" not in answer
    assert ClientGrant.objects.count() == 0


def test_any_port_of_the_own_computer_will_do() -> None:
    assert all(map(is_loopback, ["http://localhost:64131", "http://127.0.0.1:1/cb?a=b", "http://localhost/", BACK]))


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "admin:flows:write scim"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_client_that_asks_wrongly_is_told_in_its_own_terms(cast: Cast, other: dict[str, str], error: str) -> None:
    answer = answered(browser_of(cast.requester).get(f"{AUTHORIZE}?{urlencode(ASKED | other)}"))
    assert answer["error"] == error
    assert answer.get("state", "") == (ASKED | other)["state"]


def test_a_parameter_said_twice_goes_nowhere(cast: Cast) -> None:
    address = f"{AUTHORIZE}?{urlencode(ASKED)}&redirect_uri=http://localhost:1/"
    assert browser_of(cast.requester).get(address).status_code == 400


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"code_verifier": secrets.token_urlsafe(48)}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": "-"}, "invalid_request"),
        ({"redirect_uri": "http://localhost:64132/callback"}, "invalid_grant"),
        ({"redirect_uri": "-"}, "invalid_request"),
        ({"client_id": "other-cli"}, "invalid_grant"),
        ({"client_id": "-"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "-"}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "\x00"}, "invalid_grant"),
    ],
)
def test_a_code_is_of_use_only_to_who_began(cast: Cast, other: dict[str, str], error: str) -> None:
    code = allowed(cast.requester)
    answer = redeem(code, **other)
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json()["error"] == error
    assert ApiToken.objects.count() == 0
    assert redeem(code).status_code == 200, "and who began can still use it"


def test_a_code_used_twice_revokes_what_it_gave(cast: Cast) -> None:
    code = allowed(cast.requester)
    told = redeem(code).json()
    assert redeem(code).json()["error"] == "invalid_grant"
    assert not works(told["access_token"])
    assert refresh(told["refresh_token"]).status_code == 400
    assert AuditEntry.objects.filter(action="client.reuse_found").count() == 1


def test_a_refresh_token_used_twice_revokes_everything(cast: Cast) -> None:
    told = redeem(allowed(cast.requester)).json()
    following = refresh(told["refresh_token"]).json()
    assert refresh(told["refresh_token"], client_id="other-cli").status_code == 400
    assert works(following["access_token"]), "a stranger with another name revokes nothing"
    assert refresh(told["refresh_token"]).json()["error"] == "invalid_grant"
    assert not works(following["access_token"])
    assert refresh(following["refresh_token"]).status_code == 400


def test_codes_and_tokens_end_by_the_clock(cast: Cast) -> None:
    now, begun = timezone.now(), {"client_id": "some-cli", "redirect_uri": BACK}
    own = person(cast.requester, Source.PORTAL)

    def code() -> str:
        wanted = {"challenge": CHALLENGE, "scopes": SCOPES.split(), "actor": own, "at": now}
        return actions.allow_client(cast.requester, **begun, **wanted)  # type: ignore[arg-type]

    with pytest.raises(actions.GrantRefused):
        actions.redeem_code(code(), **begun, verifier=VERIFIER, at=now + timedelta(seconds=60))
    given = actions.redeem_code(code(), **begun, verifier=VERIFIER, at=now + timedelta(seconds=59))
    used = now + timedelta(seconds=59)
    assert tokens.holder(given.access, at=used + timedelta(minutes=59)) is not None
    assert tokens.holder(given.access, at=used + timedelta(hours=1)) is None
    with pytest.raises(actions.GrantRefused):
        actions.refresh_client(given.refresh, client_id="some-cli", at=used + timedelta(days=30))


def test_a_disabled_persons_clients_are_out_at_once_and_for_good(cast: Cast) -> None:
    told, code = redeem(allowed(cast.requester)).json(), allowed(cast.requester)
    admin = person(cast.admin, Source.ADMIN)
    actions.disable_user(cast.requester, actor=admin)
    assert not works(told["access_token"])
    actions.enable_user(cast.requester, actor=admin)
    assert not works(told["access_token"])
    assert refresh(told["refresh_token"]).status_code == 400
    assert redeem(code).status_code == 400


def test_signing_a_client_out_on_the_page_ends_its_refresh_too(cast: Cast) -> None:
    told = redeem(allowed(cast.requester)).json()
    token = ApiToken.objects.get(owner=cast.requester)
    assert browser_of(cast.outsider).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert browser_of(cast.requester).post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert not works(told["access_token"])
    assert refresh(told["refresh_token"]).status_code == 400


def test_a_client_that_names_itself_by_basic_is_understood(cast: Cast) -> None:
    basic = base64.b64encode(b"some-cli:").decode()
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    form |= {"code": allowed(cast.requester)}
    for wrong in ("!", base64.b64encode(b"\xff").decode()):
        assert Client().post(TOKEN, form, HTTP_AUTHORIZATION=f"Basic {wrong}").json()["error"] == "invalid_client"
    answer = Client().post(TOKEN, form, HTTP_AUTHORIZATION=f"Basic {basic}")
    assert answer.status_code == 200


def test_the_token_address_gets_nonsense_and_stays_calm(cast: Cast) -> None:
    client = Client()
    for body in ("{}", "\x00", "a=b&a=c", "grant_type=refresh_token&client_id=x&refresh_token=%00%ED%A0%80"):
        for kind in ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"):
            assert 400 <= client.post(TOKEN, body, content_type=kind).status_code < 500
    assert client.get(TOKEN).status_code == 405


def revoke(text: str, **other: str) -> HttpResponse:
    """End a sign-in by its token."""
    return Client(enforce_csrf_checks=True).post("/oauth/revoke", {"client_id": "some-cli", "token": text} | other)


def test_a_client_ends_its_own_sign_in_and_nothing_else(cast: Cast) -> None:
    given = redeem(allowed(cast.requester)).json()
    other = redeem(allowed(cast.requester)).json()
    _, personal = actions.issue_token(cast.requester, "mine", scopes=None, actor=person(cast.requester, Source.PORTAL))
    for answer in (revoke("lk_nothing"), revoke(given["access_token"], client_id="another"), revoke(personal)):
        assert (answer.status_code, answer.json()) == (200, {}), "nothing is told of what is not its own"
    assert works(given["access_token"])
    assert works(personal)
    assert revoke(given["access_token"]).status_code == 200
    assert not works(given["access_token"])
    assert refresh(given["refresh_token"]).status_code == 400, "what its refresh token would give is over as well"
    assert works(other["access_token"])
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1
    assert Client().get("/oauth/revoke").status_code == 405
    assert revoke("x", client_id="no client").status_code == 401


def test_who_tries_tokens_out_is_told_to_wait(cast: Cast, settings: Any) -> None:
    # None at all: minutes are those of the clock, and one may begin anew between two of these.
    settings.API_PER_MINUTE = settings.API_PER_MINUTE | {"address": 0}
    for answer in (revoke("lk_nothing"), refresh("lkr_nothing")):
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
