"""Passwords that were found in breaches: asked of a file of ours, by halving, at its edges too."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from accounts import actions
from accounts.passwords import in_list
from audit.actor import person
from audit.choices import Source
from tests.cast import Cast
from tests.desk.conftest import signed_in

GOOD, LEAKED = "seven-lanterns-over-water", "nine-lanterns-under-water"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def a_list(folder: Path, passwords: list[str], ending: str = ":3\r\n") -> Path:
    """Write a list as they are published: sorted, with how often each was found."""
    path = folder / "breached.txt"
    path.write_bytes("".join(sorted(digest(one) + ending for one in passwords)).encode())
    return path


@given(
    there=st.lists(st.text(max_size=8), max_size=40, unique=True),
    asked=st.text(max_size=8),
    ending=st.sampled_from([":1\n", ":23597311\r\n", "\n", "\r\n"]),
)
def test_exactly_what_is_in_the_list_is_found(
    tmp_path_factory: pytest.TempPathFactory, there: list[str], asked: str, ending: str
) -> None:
    path = a_list(tmp_path_factory.mktemp("list"), there, ending)
    assert all(in_list(path, one) for one in there)
    assert in_list(path, asked) == (asked in there)


def test_one_that_was_found_in_a_breach_is_not_taken_on_the_page_either(cast: Cast, tmp_path: Path) -> None:
    rita = cast.requester
    with override_settings(BREACHED_PASSWORDS=str(a_list(tmp_path, [LEAKED]))):
        with pytest.raises(actions.BadValue, match="found in a breach"):
            actions.set_password(rita, LEAKED, actor=person(rita, Source.PORTAL))
        client = signed_in(rita)
        told = {"current": "correct-horse-battery", "new": LEAKED, "again": LEAKED}
        page = client.get("/account/password/")
        names = list(page.context["form"].fields)
        page = client.post("/account/password/", dict(zip(names, told.values(), strict=True)))
        assert (page.status_code, b"found in a breach" in page.content) == (200, True)
        actions.set_password(rita, GOOD, actor=person(rita, Source.PORTAL))
    rita.refresh_from_db()
    assert rita.check_password(GOOD)


def test_where_the_list_cannot_be_read_no_password_is_set(cast: Cast, tmp_path: Path) -> None:
    rita, before = cast.requester, cast.requester.password
    with override_settings(BREACHED_PASSWORDS=str(tmp_path / "gone")), pytest.raises(OSError, match="gone"):
        actions.set_password(rita, GOOD, actor=person(rita, Source.PORTAL))
    rita.refresh_from_db()
    assert rita.password == before
