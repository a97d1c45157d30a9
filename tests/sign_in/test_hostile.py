"""Answers that the certified provider cannot be made to give, from one in the test's own process (hostile.py)."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.core.cache import cache
from django.test import Client, override_settings

from accounts.models import Identity, User
from tests.cast import Cast
from tests.sign_in.hostile import Hostile, private, public, speaking, token
from tests.sign_in.provider import CALLBACK, configured
from tests.sign_in.walking import PRODUCT, START, asked, last

GOOD = {"sub": "rita", "email": "rita@example.com", "email_verified": True, "name": "Rita"}
HTML = (200, {"Content-Type": "text/html"}, b"<h1>Maintenance</h1>")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with speaking() as one, configured(one.settings(), PRODUCT):
        one.userinfo = dict(GOOD)
        yield one


def sign_in(client: Client, hostile: Hostile) -> Any:
    """Go there and come back."""
    page = client.post(START)
    if page.status_code != 200:
        return page
    return client.get(CALLBACK, {"code": "c", "state": hostile.begun(page.context["address"])})


def test_the_plain_answer_is_taken(cast: Cast, client: Client, hostile: Hostile) -> None:
    assert sign_in(client, hostile).status_code == 302
    assert client.get("/account/").status_code == 200


def confused(claims: Any) -> str:
    """Sign with HMAC, the key being what everybody knows: the public key."""
    known = (
        private("k1")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    # By hand: the library refuses to sign with a public key, an attacker's does not.
    parts = [json.dumps({"alg": "HS256", "typ": "JWT", "kid": "k1"}), json.dumps(claims)]
    body = ".".join(base64url(part.encode()) for part in parts)
    return f"{body}.{base64url(hmac.digest(known, body.encode(), 'sha256'))}"


def base64url(data: bytes) -> str:
    """Return it as a part of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def changed(claims: Any) -> str:
    """Sign for Rita, then write somebody else's name in."""
    head, _, signature = token(claims).split(".")
    return ".".join([head, token(claims | {"sub": "ada"}).split(".")[1], signature])


REFUSED: dict[str, dict[str, Any]] = {
    "for another client": {"id_claims": {"aud": "another"}},
    "for nobody": {"id_claims": {"aud": None}},
    "for several, and authorised for another": {"id_claims": {"aud": ["latchkey", "b"], "azp": "b"}},
    "of another issuer": {"id_claims": {"iss": "https://evil.example"}},
    "of no issuer": {"id_claims": {"iss": None}},
    "unsigned": {"sign": lambda claims: jwt.encode(claims, None, algorithm="none")},
    "signed with the public key as a secret": {"sign": confused},
    "signed with the client secret": {"sign": lambda claims: jwt.encode(claims, "s" * 32, algorithm="HS256")},
    "signed with another's key": {"sign": lambda claims: token(claims, "k2", kid="k1")},
    "signed with a key nobody has told of": {"sign": lambda claims: token(claims, "k2")},
    "signed with a key too short": {"sign": lambda claims: token(claims, "small"), "keys": [public("small")]},
    "signed with a key for something else": {"keys": [public("k1") | {"use": "enc"}]},
    "signed in another way than the key is for": {"keys": [public("k1") | {"alg": "ES384"}]},
    "with an extension that must be understood": {"sign": lambda claims: token(claims, crit=["b64"], b64=True)},
    "changed after it was signed": {"sign": changed},
    "keys that are no list": {"answers": {"/jwks": (200, {}, b'{"keys": {}}')}},
    "keys without end": {"keys": [public("k1")] * 51},
    "with the nonce of another sign-in": {"id_claims": {"nonce": "another"}},
    "without a nonce": {"id_claims": {"nonce": None}},
    "made long ago": {"id_claims": {"iat": int(time.time()) - 700}},
    "made tomorrow": {"id_claims": {"iat": int(time.time()) + 86400, "exp": int(time.time()) + 90000}},
    "that does not say when it was made": {"id_claims": {"iat": None}},
    "with a time that is true": {"id_claims": {"iat": True}},
    "of another access token": {"id_claims": {"at_hash": "b1JvB0R0o9Jf6uB7mT0bZw"}},
    "for several, and nobody authorised": {"id_claims": {"aud": ["latchkey", "b"]}},
    "over": {"id_claims": {"exp": 1}},
    "without an end": {"id_claims": {"exp": None}},
    "with an end that is no time": {"id_claims": {"exp": "soon"}},
    "with an end beyond time": {"id_claims": {"exp": float("inf")}},
    "without a subject": {"id_claims": {"sub": None}},
    "with a subject that is no text": {"id_claims": {"sub": 7}},
    "with an empty subject": {"id_claims": {"sub": ""}},
    "with a subject too long": {"id_claims": {"sub": "x" * 256}, "userinfo": GOOD | {"sub": "x" * 256}},
    "with a subject with a NUL": {"id_claims": {"sub": "a\x00"}, "userinfo": GOOD | {"sub": "a\x00"}},
    "user information of somebody else": {"userinfo": GOOD | {"sub": "ada"}},
    "user information that is a list": {"userinfo": [GOOD]},
    "user information that is a text": {"userinfo": "rita"},
    "no ID token": {"tokens": {"id_token": None}},
    "an ID token that is an object": {"tokens": {"id_token": {}}},
    "an ID token that is none": {"tokens": {"id_token": "a.b.c"}},
    "an ID token of a list": {"tokens": {"id_token": token([1])}},
    "no access token": {"tokens": {"access_token": None}},
    "an access token that is an object": {"tokens": {"access_token": {"a": 1}}},
    "a page instead of tokens": {"answers": {"/token": HTML}},
    "tokens that are a list": {"answers": {"/token": (200, {"Content-Type": "application/json"}, b'["access_token"]')}},
    "tokens of no type": {"answers": {"/token": (200, {}, b"access_token=1")}},
    "a page instead of user information": {"answers": {"/userinfo": HTML}},
    "user information refused": {"answers": {"/userinfo": (401, {}, b"")}},
    "tokens elsewhere": {"answers": {"/token": (307, {"Location": "/elsewhere"}, b"")}},
    "user information elsewhere": {"answers": {"/userinfo": (302, {"Location": "/elsewhere"}, b"")}},
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_answer_that_breaks_the_standard_lets_nobody_in(
    cast: Cast, client: Client, hostile: Hostile, case: str
) -> None:
    for name, value in REFUSED[case].items():
        setattr(hostile, name, value)
    page = sign_in(client, hostile)
    assert (page.status_code, b"sent an answer that cannot be used" in page.content) == (502, True)
    assert client.get("/account/").status_code == 302
    assert not Identity.objects.exists()
    assert last().details["reason"] == "answer of the provider not to be used"
    assert hostile.asked["/elsewhere"] == 0


NOT_BELIEVED: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "no issuer": {"issuer": None},
    "a place to sign in without TLS": {"authorization_endpoint": "http://login.example.com/auth"},
    "a script to sign in": {"authorization_endpoint": "javascript:alert(1)"},
    "tokens without TLS": {"token_endpoint": "http://login.example.com/token"},
    "no tokens": {"token_endpoint": None},
    "user information without TLS": {"userinfo_endpoint": "http://login.example.com/userinfo"},
    "a sign-out without TLS": {"end_session_endpoint": "http://login.example.com/out"},
    "an address that is none": {"authorization_endpoint": ["https://login.example.com"]},
}


@pytest.mark.parametrize("case", NOT_BELIEVED)
def test_what_a_provider_says_of_itself_is_checked(db: None, client: Client, hostile: Hostile, case: str) -> None:
    hostile.configuration = NOT_BELIEVED[case]
    assert client.post(START).status_code == 502


@pytest.mark.parametrize(
    ("answer", "status"),
    [(HTML, 502), ((200, {}, b"[]"), 502), ((404, {}, b""), 502), ((503, {}, b""), 503),
     ((301, {"Location": "/realm"}, b""), 502)],
)  # fmt: skip
def test_a_description_that_is_none_is_told(
    db: None, client: Client, hostile: Hostile, answer: tuple[int, dict[str, str], bytes], status: int
) -> None:
    hostile.answers["/realm/.well-known/openid-configuration"] = answer
    assert client.post(START).status_code == status


def test_the_description_is_asked_for_once_in_many_sign_ins(cast: Cast, hostile: Hostile) -> None:
    for _ in range(3):
        assert sign_in(Client(), hostile).status_code == 302
    assert hostile.asked["/realm/.well-known/openid-configuration"] == 1
    cache.clear()
    sign_in(Client(), hostile)
    assert hostile.asked["/realm/.well-known/openid-configuration"] == 2


def test_a_slow_provider_does_not_hold_the_page(cast: Cast, client: Client, hostile: Hostile) -> None:
    address = client.post(START).context["address"]
    hostile.slow = 1
    with override_settings(SOCIALACCOUNT_REQUESTS_TIMEOUT=0.2):
        late = client.get(CALLBACK, {"code": "c", "state": asked(address)["state"]})
        cache.clear()
        page = client.post(START)
    assert (late.status_code, page.status_code) == (503, 503)


def test_claims_of_the_id_token_count_where_there_is_no_user_information(
    cast: Cast, client: Client, hostile: Hostile
) -> None:
    hostile.configuration = {"userinfo_endpoint": None}
    hostile.id_claims = GOOD | {"groups": ["Engineers"]}
    sign_in(client, hostile)
    assert client.get("/account/").status_code == 200
    assert set(cast.requester.groups.values_list("name", flat=True)) == {"Engineers"}


@pytest.mark.parametrize(
    ("in_token", "in_userinfo", "status"), [(True, None, 302), (True, False, 403), (None, None, 403)]
)
def test_an_address_is_verified_if_it_is_said_so_and_nowhere_denied(
    cast: Cast, client: Client, hostile: Hostile, in_token: bool | None, in_userinfo: bool | None, status: int
) -> None:
    both = {name: value for name, value in GOOD.items() if name != "email_verified"}
    hostile.id_claims = both | ({"email_verified": in_token} if in_token is not None else {})
    hostile.userinfo = both | ({"email_verified": in_userinfo} if in_userinfo is not None else {})
    assert sign_in(client, hostile).status_code == status


OWNED: list[tuple[dict[str, Any], int]] = [
    ({"xms_edov": True}, 302),
    ({"xms_edov": "1"}, 302),
    ({"xms_edov": False}, 403),
    ({"xms_edov": "0"}, 403),
    ({"xms_edov": [True]}, 403),
    # What is said of the address counts before what is said of its domain.
    ({"xms_edov": True, "email_verified": False}, 403),
    ({"xms_edov": True, "email": "mallory@example.com"}, 403),
]


@pytest.mark.parametrize(("said", "status"), OWNED)
def test_a_provider_may_say_instead_that_the_domain_is_its_own(
    cast: Cast, client: Client, hostile: Hostile, said: dict[str, Any], status: int
) -> None:
    hostile.userinfo = {"sub": "rita", "email": "rita@example.com"}
    hostile.id_claims = {"email": "rita@example.com", **said}
    assert sign_in(client, hostile).status_code == status
    assert Identity.objects.exists() == (status == 302)


def test_a_verified_address_does_not_verify_another(cast: Cast, client: Client, hostile: Hostile) -> None:
    hostile.id_claims = {"email": "mallory@example.com", "email_verified": True}
    hostile.userinfo = {"sub": "rita", "email": "ada@example.com"}
    assert sign_in(client, hostile).status_code == 403
    assert not Identity.objects.exists()


def test_names_are_shown_as_text_and_cut_to_fit(cast: Cast, client: Client, hostile: Hostile) -> None:
    for said, kept in (
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Rita\n\u202e  R.\x00", "Rita R."),
        ("n" * 500, "n" * 150),
        (7, "n" * 150),
        ("", "n" * 150),
    ):
        hostile.userinfo = GOOD | {"name": said}
        sign_in(client, hostile)
        assert User.objects.get(pk=cast.requester.pk).name == kept
        assert b"<script>alert" not in client.get("/account/").content


def test_where_the_provider_ends_no_sessions_nothing_is_kept_for_it(
    cast: Cast, client: Client, hostile: Hostile
) -> None:
    sign_in(client, hostile)
    assert "oidc" not in client.session
    assert client.post("/account/logout/").status_code == 302


def test_an_address_with_a_question_mark_is_asked_properly(db: None, client: Client, hostile: Hostile) -> None:
    there = f"http://127.0.0.1:{hostile.port}/auth?policy=b2c"
    hostile.configuration = {"authorization_endpoint": there}
    address = client.post(START).context["address"]
    assert address.startswith(f"{there}&client_id=latchkey&")
    assert address.count("?") == 1


def test_neither_tokens_nor_codes_reach_log_trail_or_page(
    cast: Cast, client: Client, hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    hostile.tokens = {"access_token": None, "id_token": "very-secret-token", "error": "server_error"}
    page = client.post(START)
    state = asked(page.context["address"])["state"]
    answer = client.get(CALLBACK, {"code": "very-secret-code", "state": state})
    text = caplog.text + answer.content.decode() + str(last().details)
    assert answer.status_code == 502
    assert "very-secret" not in re.sub(r"GET /account/oidc/callback/\S*", "", text)
