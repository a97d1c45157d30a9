"""Guessing passwords: slowed down for an account and for an address, whether anybody is there or not; never for ever.

What is locked is the password, not the person: links, identity providers and open sessions go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.test import Client

from accounts import actions
from audit.actor import system
from tests.cast import PASSWORD, Cast
from tests.desk.conftest import signed_in

LOGIN = "/account/login/"
Clock = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Forget the attempts of other tests; let seconds pass for what is counted."""
    cache.clear()
    passed = [0.0]
    told = {"monotonic": time.monotonic, "sleep": time.sleep, "time": lambda: time.time() + passed[0]}
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(**told))
    # What the cache forgets by itself is forgotten by the real clock; here nothing lasts as long as that.
    yield lambda seconds: passed.__setitem__(0, passed[0] + seconds)
    cache.clear()


def attempt(email: str, password: str = "wrong", place: str = "10.0.0.1") -> Any:
    """Try to sign in from somewhere, in a browser that was never here."""
    return Client(REMOTE_ADDR=place).post(LOGIN, {"login": email, "password": password})


def words(answer: Any) -> tuple[int, list[str]]:
    """Return what somebody at the door is told."""
    return answer.status_code, list(answer.context["form"].non_field_errors())


def test_an_account_is_locked_wherever_the_guesses_come_from(cast: Cast, later: Clock) -> None:
    for number in range(5):
        attempt("rita@example.com", place=f"10.0.1.{number}")
    refused = attempt("rita@example.com", PASSWORD, "10.0.2.1")
    assert "Too many failed login attempts" in words(refused)[1][0]
    assert attempt("abel@example.com", PASSWORD, "10.0.1.1").status_code == 302
    later(5 * 60 + 1)
    assert attempt("rita@example.com", PASSWORD, "10.0.2.1").status_code == 302


def test_who_guesses_slowly_is_stopped_for_a_day(cast: Cast, later: Clock) -> None:
    for number in range(30):
        attempt("rita@example.com", place=f"10.0.{number}.1")
        later(61 * 5)
    assert "Too many" in words(attempt("rita@example.com", PASSWORD, "10.9.9.9"))[1][0]
    later(24 * 3600)
    assert attempt("rita@example.com", PASSWORD, "10.9.9.9").status_code == 302


def test_one_address_that_tries_many_accounts_is_stopped_and_others_are_not(cast: Cast, later: Clock) -> None:
    for number in range(10):
        attempt(f"somebody{number}@example.com", place="10.0.0.1")
    assert "Too many" in words(attempt("rita@example.com", PASSWORD, "10.0.0.1"))[1][0]
    assert attempt("rita@example.com", PASSWORD, "10.0.0.2").status_code == 302


@pytest.mark.parametrize("tries", range(7))
def test_being_locked_out_says_nothing_of_who_exists(cast: Cast, later: Clock, tries: int) -> None:
    actions.disable_user(cast.outsider, actor=system())
    told = []
    for email in ("rita@example.com", "nobody@example.com", "otto@example.com"):
        cache.clear()
        for _ in range(tries):
            attempt(email)
        told.append(words(attempt(email)))
    assert told[0] == told[1] == told[2]


def test_letters_case_and_space_are_no_way_around(cast: Cast, later: Clock) -> None:
    for spelled in (
        "rita@example.com",
        "RITA@example.com",
        " rita@example.com",
        "Rita@Example.com ",
        "rita@Example.com",
    ):
        attempt(spelled)
    assert "Too many" in words(attempt("rIta@example.com", PASSWORD))[1][0]


def test_admins_cannot_be_locked_out_for_ever(cast: Cast, later: Clock) -> None:
    here = signed_in(cast.admin)
    for number in range(40):
        attempt("ada@example.com", place=f"10.1.{number}.1")
        later(61 * 5)
    assert "Too many" in words(attempt("ada@example.com", PASSWORD, "10.2.2.2"))[1][0]
    # Whoever is in stays in, a link goes on letting them in, from the address of the guesses as well.
    assert here.get("/admin/").status_code == 200
    client = Client(REMOTE_ADDR="10.1.39.1")
    client.post(f"/sign-in/{actions.make_sign_in_link(cast.admin)}/")
    assert client.get("/admin/").status_code == 200
    # While they are guessed at without end, refused attempts count for nothing: a day after the last failure it opens.
    for _ in range(5):
        attempt("ada@example.com", place="10.3.3.3")
    later(24 * 3600)
    assert attempt("ada@example.com", PASSWORD, "10.2.2.2").status_code == 302
