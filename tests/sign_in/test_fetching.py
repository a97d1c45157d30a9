"""How providers are asked: bounded in size and time, without redirects, and never led inside."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from requests import RequestException, Timeout

from accounts import fetching
from accounts.fetching import ANSWER_MAX, BoundedSession, Unusable
from config.single_sign_on import Oidc
from tests.cast import Cast
from tests.sign_in.hostile import Hostile, speaking
from tests.sign_in.provider import configured
from tests.sign_in.walking import PRODUCT, START

DESCRIPTION = "/realm/.well-known/openid-configuration"


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with speaking() as one, configured(one.settings(), PRODUCT):
        yield one


def test_a_description_without_end_is_not_read_to_its_end(db: None, client: Client, hostile: Hostile) -> None:
    hostile.answers[DESCRIPTION] = (200, {}, b" " * (ANSWER_MAX + 1) + b"{}")
    assert client.post(START).status_code == 502


def test_an_answer_that_was_packed_is_not_unpacked(hostile: Hostile) -> None:
    hostile.answers["/packed"] = (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")
    with BoundedSession("127.0.0.1", 5) as session, pytest.raises(RequestException):
        session.get(f"http://127.0.0.1:{hostile.port}/packed")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_no_redirect_is_followed(hostile: Hostile, status: int) -> None:
    hostile.answers["/moved"] = (status, {"Location": "/inside"}, b"{}")
    with BoundedSession("127.0.0.1", 5) as session, pytest.raises(RequestException):
        session.get(f"http://127.0.0.1:{hostile.port}/moved")
    assert hostile.asked["/inside"] == 0


def test_a_provider_in_the_world_leads_nowhere_inside(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def resolving(host: str, *rest: object, **named: object) -> object:
        outside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 0))
        return [outside] if host == "login.example.com" else known(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", resolving)
    with BoundedSession("login.example.com", 5) as session, pytest.raises(Unusable, match="inside our own network"):
        session.get(f"http://127.0.0.1:{hostile.port}/secret")
    assert hostile.asked["/secret"] == 0
    # One that is inside itself may.
    with BoundedSession("127.0.0.1", 5) as session:
        assert session.get(f"http://127.0.0.1:{hostile.port}/secret").status_code == 404


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.0.0.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("100.64.0.1", True),
        ("93.184.215.14", False),
        ("2606:2800::1", False),
        ("::ffff:93.184.215.14", False),
    ],
)
def test_what_is_inside(address: str, inside: bool) -> None:
    assert fetching.is_inside(address) == inside


def test_plain_http_to_this_machine_is_for_a_provider_on_it_alone() -> None:
    assert Oidc("http://127.0.0.1:9", "c", "s").may_call("http://127.0.0.1:10/token")
    assert not Oidc("https://login.example.com", "c", "s").may_call("http://127.0.0.1:10/token")
    assert not Oidc("https://login.example.com", "c", "s").may_call("https://[")


@contextmanager
def dripping(head: bytes, every: float = 0.05) -> Iterator[int]:
    """Serve one connection that sends its answer byte by byte, without end."""
    listening, over = socket.create_server(("127.0.0.1", 0)), Event()

    def drip() -> None:
        made, _ = listening.accept()
        with made:
            try:
                made.sendall(head)
                while not over.wait(every):
                    made.sendall(b"x")
            except OSError:
                return

    thread = Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        listening.close()
        thread.join(5)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "], ids=["body", "header"])
def test_whoever_answers_byte_by_byte_has_no_more_time_than_others(head: bytes) -> None:
    began = time.monotonic()
    with dripping(head) as port, BoundedSession("127.0.0.1", 0.4) as session, pytest.raises(Timeout):
        session.get(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - began < 10


def test_tokens_of_unknown_keys_make_us_ask_for_keys_once_a_minute(cast: Cast, hostile: Hostile) -> None:
    from accounts.descriptions import keys_of

    with override_settings(SOCIALACCOUNT_REQUESTS_TIMEOUT=5):
        for _ in range(5):
            keys_of(hostile.settings(), anew=True)
    assert hostile.asked["/jwks"] == 1
    cache.clear()
