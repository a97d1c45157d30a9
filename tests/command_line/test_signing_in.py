"""Signing in by browser, staying signed in whatever runs at the same time, and signing out."""

from __future__ import annotations

import html
import re
import subprocess
import time

import pytest
import requests

from accounts.models import ClientGrant
from audit.models import AuditEntry
from tests.cast import PASSWORD
from tests.command_line.calling import Said, Terminal, ended
from tests.command_line.conftest import Place
from tests.journeys.browser import Browser


def browse(place: Place, terminal: Terminal, answer: str = "allow") -> Said:
    """Begin to sign in, say yes or no in a browser, and return how the command ended."""
    process = terminal.begin("login", place.url, "--no-browser")
    assert process.stderr is not None
    address = next(line.strip() for line in process.stderr if line.startswith(place.url))
    browser = Browser(place.url)
    browser.sign_in("rita@example.com", PASSWORD)
    assert "latchkey-cli" in browser.get(address)
    page = browser.post(address, answer=answer)
    found = re.search(r'http://127\.0\.0\.1:\d+/callback\?[^"]*', page)
    assert found is not None, page
    back = html.unescape(found[0])
    wrong = requests.get(re.sub(r"state=[^&]*", "state=mine", back), timeout=10)
    assert wrong.status_code == 400, "whoever does not know the state is not heard"
    answered = requests.get(back, timeout=10)
    assert answered.status_code == 200
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
    return ended(process)


@pytest.fixture
def rita(place: Place) -> Terminal:
    """Rita, signed in by browser."""
    terminal = place.nobody()
    said = browse(place, terminal)
    assert said.code == 0, said
    return terminal


def test_a_person_signs_in_by_browser_stays_so_and_signs_out(place: Place, rita: Terminal) -> None:
    assert rita.kept.stat().st_mode & 0o777 == 0o600
    assert rita.kept.parent.stat().st_mode & 0o777 == 0o700
    told = rita.run("whoami")
    assert "Rita <rita@example.com>" in told.out
    assert rita.profile()["access"] not in told.out
    other = rita.try_("login", "https://another.example.com")
    assert (other.code, "--profile NAME" in other.err) == (2, True), "one sign-in is not put in another's place unasked"
    renewed_once(rita)
    access = rita.profile()["access"]
    assert "ended at the server" in rita.run("logout").err
    header = {"Authorization": f"Bearer {access}"}
    assert requests.get(f"{place.url}/api/client/v1/session", headers=header, timeout=10).status_code == 401
    assert ClientGrant.objects.get().revoked_at is not None
    assert rita.try_("whoami").code == 3


def renewed_once(rita: Terminal) -> None:
    """Processes at the same time renew one token once, and the sign-in outlives it."""
    before = rita.profile()
    rita.change(expires_at=time.time() - 1)
    begun: list[subprocess.Popen[str]] = [rita.begin("whoami") for _ in range(2)]
    assert [ended(one).code for one in begun] == [0, 0]
    after = rita.profile()
    assert after["refresh"] != before["refresh"] != ""
    assert after["access"] != before["access"]
    assert not AuditEntry.objects.filter(action="client.reuse_found").exists()
    assert ClientGrant.objects.get().revoked_at is None
    # A token that the server does not take any more, whatever the clock here says, is renewed as well.
    rita.change(access="lk_nothing-that-is-known", expires_at=time.time() + 3600)
    assert rita.run("whoami").code == 0


@pytest.mark.full
def test_whoever_says_no_is_not_signed_in(place: Place) -> None:
    terminal = place.nobody()
    said = browse(place, terminal, "deny")
    assert said.code == 3
    assert "said no" in said.err
    assert not terminal.kept.exists()


@pytest.mark.full
def test_a_renewal_that_was_cut_off_is_not_tried_again(place: Place, rita: Terminal) -> None:
    rita.change(refresh="", expires_at=time.time() - 1)
    said = rita.try_("whoami")
    assert said.code == 3
    assert "when the line broke" in said.err
    assert not AuditEntry.objects.filter(action="client.reuse_found").exists()


@pytest.mark.full
def test_a_server_that_is_down_costs_nobody_their_sign_in(place: Place, rita: Terminal) -> None:
    refresh = rita.profile()["refresh"]
    rita.change(expires_at=time.time() - 1, url="http://127.0.0.1:9")
    assert rita.try_("whoami").code == 7
    assert rita.profile()["refresh"] == refresh
    rita.change(url=place.url)
    assert rita.run("whoami").code == 0
