"""Sign-ins per second with 20,000 people known, by OIDC and by password, next to bare statements and bare hashes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

from django.conf import global_settings
from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.test import Client, override_settings
from lib import benchbare, benchworld

from accounts.id_tokens import signed
from accounts.models import Identity, User
from benchmarks import Measure
from tests.cast import PASSWORD
from tests.sign_in.hostile import Hostile, public, speaking, token
from tests.sign_in.provider import CALLBACK, configured
from tests.sign_in.walking import START

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "20000"))
SIGN_INS = int(os.environ.get("BENCH_SIGN_INS", "200"))
# What production hashes with; tests hash with something that costs nothing.
HASHERS = global_settings.PASSWORD_HASHERS
UNLIMITED = dict.fromkeys(("single_sign_on", "login", "login_failed"), "1000000/m/ip")
_AT_ONCE = 1000


def run() -> Iterator[Measure]:
    """Make people with accounts at a provider of this process, then sign some of them in by each way."""
    with benchworld.database(), speaking() as acme, _in_use(acme):
        _people(acme)
        yield Measure("people known", User.objects.count(), "")
        yield from _by_provider(acme)
        yield from _by_password()


@contextmanager
def _in_use(acme: Hostile) -> Iterator[None]:
    """Have the product take sign-ins from the provider, as many as come, and hash as in production."""
    with (
        configured(acme.settings(), "http://127.0.0.1"),
        override_settings(ACCOUNT_RATE_LIMITS=UNLIMITED, PASSWORD_HASHERS=HASHERS),
    ):
        yield


def _people(acme: Hostile) -> None:
    """Make everybody, each linked to an account there; one hash serves all, for what is timed is checking it."""
    first = User(email="p0@example.com", name="Person 0")
    first.set_password(PASSWORD)
    issuer = acme.issuer.rstrip("/")
    for start in range(0, PEOPLE, _AT_ONCE):
        numbers = range(start, min(PEOPLE, start + _AT_ONCE))
        rows = [User(email=f"p{one}@example.com", name=f"Person {one}", password=first.password) for one in numbers]
        made = User.objects.bulk_create(rows)
        Identity.objects.bulk_create(
            Identity(user=user, issuer=issuer, subject=f"s{one}") for one, user in zip(numbers, made, strict=True)
        )


def _by_provider(acme: Hostile) -> Iterator[Measure]:
    """Go there and come back, somebody else each time; the provider answers in this process, which is counted too."""
    entering = [lambda one=one: _come(acme, one) for one in _some()]
    sent = benchbare.statements(entering[0])
    cache.clear()
    entering[0]()
    ours = benchbare.seconds(lambda: [one() for one in entering[1:]])
    made = token({"sub": "s1", "iss": acme.issuer})
    checking = benchbare.seconds(lambda: [signed(made, lambda _: [public("k1")]) for _ in entering[1:]])
    yield from _told("OIDC", len(entering) - 1, ours, benchbare.replay(sent, len(entering) - 1) + checking, len(sent))


def _come(acme: Hostile, number: int) -> None:
    """Sign in as the person with this number."""
    client = Client(SERVER_NAME="127.0.0.1")
    acme.id_claims = {"sub": f"s{number}"}
    acme.userinfo = {
        "sub": f"s{number}",
        "email": f"p{number}@example.com",
        "email_verified": True,
        "name": f"Person {number}",
    }
    # The page in between leads on by itself.
    (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', client.post(START).content.decode())
    state = acme.begun(unescape(address))
    answer = client.get(CALLBACK, {"code": "c", "state": state})
    assert answer.status_code == 302, answer.content


def _by_password() -> Iterator[Measure]:
    """Sign in by the form, next to nothing but the hash and the statements."""
    entering = [lambda one=one: _enter(one) for one in _some()]
    sent = benchbare.statements(entering[0])
    ours = benchbare.seconds(lambda: [one() for one in entering[1:]])
    kept = User.objects.values_list("password", flat=True).first() or ""
    checking = benchbare.seconds(lambda: [check_password(PASSWORD, kept) for _ in entering[1:]])
    yield Measure("the bare hash, a second", (len(entering) - 1) / checking, "/s")
    bare = benchbare.replay(sent, len(entering) - 1) + checking
    yield from _told("password", len(entering) - 1, ours, bare, len(sent))


def _enter(number: int) -> None:
    answer = Client(SERVER_NAME="127.0.0.1").post(
        "/account/login/", {"login": f"p{number}@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 302, answer.content


def _some() -> list[int]:
    """Return whom to sign in: as many as are timed and one for warming up, from all over."""
    step = max(1, PEOPLE // (SIGN_INS + 1))
    return list(range(0, PEOPLE, step))[: SIGN_INS + 1]


def _told(what: str, number: int, ours: float, bare: float, statements: int) -> Iterator[Measure]:
    yield Measure(f"{what}: sign-ins a second", number / ours, "/s")
    yield Measure(f"{what}: statements of one", statements, "")
    yield Measure(f"{what}: the bare way, a second", number / bare, "/s")
    yield Measure(f"{what}: ratio", ours / bare, "x")
