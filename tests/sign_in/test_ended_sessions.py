"""Sessions that end: by the clock, on another device, by the provider's word, and with the account."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import BrowserSession
from accounts.queries import open_sessions, sessions_ended_with, signed_in_by
from audit.actor import system
from tests.cast import Cast
from tests.desk.conftest import signed_in
from tests.sign_in.hostile import Hostile, speaking, token
from tests.sign_in.provider import CALLBACK, configured
from tests.sign_in.walking import PRODUCT, START, last

BACK = "/account/oidc/back-channel/"
EVENT = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with speaking() as one, configured(one.settings(step_up_acr=("mfa",)), PRODUCT):
        one.userinfo = {"sub": "rita", "email": "rita@example.com", "email_verified": True}
        yield one


def come(client: Client, hostile: Hostile, sid: str, **begun: str) -> Any:
    """Sign in by the provider's session `sid`."""
    hostile.id_claims["sid"] = sid
    state = hostile.begun(client.post(START, begun).context["address"])
    return client.get(CALLBACK, {"code": "c", "state": state})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def age(client: Client, **times: timedelta) -> None:
    """Make the clocks of a session older."""
    session = client.session
    clock = session["accounts.session"]
    for name, by in times.items():
        clock[name] = (timezone.now() - by).isoformat()
    session["accounts.session"] = clock
    session.save()


@pytest.mark.parametrize(
    ("clocks", "says"),
    [({"seen": timedelta(minutes=61)}, "nothing was done here for 60 minutes"),
     ({"began": timedelta(hours=12, minutes=1)}, "a session lasts 12 hours")],
)  # fmt: skip
def test_a_session_ends_by_its_clocks_and_says_so(cast: Cast, clocks: dict[str, timedelta], says: str) -> None:
    client = signed_in(cast.requester)
    key = client.session.session_key
    age(client, **clocks)
    assert signed_in_by(key, timezone.now()) is None
    page = client.get("/account/", follow=True)
    assert says in page.content.decode()
    assert BrowserSession.objects.get().ended_at is not None


def test_what_a_page_fetches_by_itself_keeps_no_session_open(cast: Cast) -> None:
    client = signed_in(cast.requester)
    age(client, seen=timedelta(minutes=30))
    before = client.session["accounts.session"]["seen"]
    client.get("/account/", HTTP_SEC_FETCH_MODE="cors")
    assert client.session["accounts.session"]["seen"] == before
    client.get("/account/", HTTP_SEC_FETCH_MODE="navigate")
    assert client.session["accounts.session"]["seen"] > before


def test_one_is_ended_on_the_page_and_then_all_others(cast: Cast) -> None:
    first, second, third = (signed_in(cast.requester) for _ in range(3))
    page = first.get("/account/sessions/").content.decode()
    assert "End 2 other sessions" in page
    row = second.session["accounts.session"]["id"]
    assert signed_in(cast.outsider).post(f"/account/sessions/{row}/end/").status_code == 404
    assert is_in(second)
    first.post(f"/account/sessions/{row}/end/")
    assert [is_in(one) for one in (first, second, third)] == [True, False, True]
    first.post("/account/sessions/end-others/")
    assert [is_in(one) for one in (first, third)] == [True, False]


def test_who_is_disabled_loses_all_at_once_and_they_are_counted(cast: Cast) -> None:
    clients = [signed_in(cast.requester) for _ in range(2)]
    keys = [one.session.session_key for one in clients]
    actions.disable_user(cast.requester, actor=system())
    assert not any(signed_in_by(key, timezone.now()) for key in keys)
    assert sessions_ended_with(cast.requester) == 2
    assert not open_sessions(cast.requester, timezone.now()).exists()


def logout(hostile: Hostile, **claims: Any) -> Any:
    """Send a logout token."""
    said = {"iss": hostile.issuer, "aud": "latchkey", "iat": int(time.time()), "jti": "j-1", "sub": "rita"}
    return Client().post(BACK, {"logout_token": token(said | {"events": EVENT} | claims)})


def test_a_logout_token_ends_the_session_that_it_names_and_counts_once(cast: Cast, hostile: Hostile) -> None:
    one, two = Client(), Client()
    come(one, hostile, "p-1")
    come(two, hostile, "p-2")
    assert logout(hostile, sid="p-1").status_code == 204
    assert (is_in(one), is_in(two)) == (False, True)
    assert (last().action, last().details) == ("user.sessions_ended", {"sessions": 1, "how": "provider"})
    assert logout(hostile).status_code == 400
    assert is_in(two)
    assert logout(hostile, jti="j-2").status_code == 204
    assert not is_in(two)


BAD: dict[str, dict[str, Any]] = {
    "an ID token": {"events": {}},
    "with a nonce": {"nonce": "n"},
    "for another": {"aud": "b"},
    "of another issuer": {"iss": "https://evil.example"},
    "old": {"iat": int(time.time()) - 3600},
    "without id": {"jti": ""},
    "of nobody": {"sub": ""},
}


@pytest.mark.parametrize("case", BAD)
def test_a_logout_token_that_is_none_ends_nothing(cast: Cast, hostile: Hostile, case: str) -> None:
    client = Client()
    come(client, hostile, "p-1")
    assert logout(hostile, **BAD[case]).status_code == 400
    assert is_in(client)


@pytest.mark.parametrize(
    ("claims", "sub", "status"),
    [({"acr": "mfa", "auth_time": 0}, "rita", 302), ({"acr": "pwd", "auth_time": 0}, "rita", 403),
     ({"auth_time": 0}, "rita", 403), ({"acr": "mfa"}, "rita", 403), ({"acr": "mfa", "auth_time": -600}, "rita", 403),
     ({"acr": "mfa", "auth_time": 0}, "ada", 403)],
)  # fmt: skip
def test_step_up_takes_what_was_demanded_now_and_of_the_same_person(
    cast: Cast, hostile: Hostile, claims: dict[str, Any], sub: str, status: int
) -> None:
    client = Client()
    come(client, hostile, "p-1")
    before = client.session.session_key
    now = int(time.time())
    hostile.id_claims |= claims | ({"auth_time": now + claims["auth_time"]} if "auth_time" in claims else {})
    hostile.id_claims["sub"] = hostile.userinfo["sub"] = sub
    assert come(client, hostile, "p-1", step_up="1").status_code == status
    assert ("accounts.factor" in client.session) == (status == 302)
    # It may do more now, so its key is another.
    assert (client.session.session_key != before) == (status == 302)
