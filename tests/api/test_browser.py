"""In a real browser: a program is signed in, a token is made, and the API's page is read. The policy stays strict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts import tokens
from tests.api.test_clients import ASKED, SESSION, redeem
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.inspecting import Findings, look, watch
from tests.browser.serving import serving
from tests.cast import PASSWORD, Cast


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser."""
    with chromium() as one:
        yield one


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Listen as a command-line program does; yields its address, and what it was told."""
    told: list[dict[str, str]] = []

    class Loopback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if query:
                told.append({name: values[0] for name, values in query.items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Done</title><p>Go back to the terminal.")

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Loopback)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/callback", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


@contextmanager
def at(browser: Browser, *, script: bool = True, narrow: bool = False) -> Iterator[tuple[Page, str, Findings]]:
    """Serve the product; fails when the browser had anything to complain about."""
    findings = Findings()
    with serving() as address, context(browser, script=script, narrow=narrow) as profile:
        page = profile.new_page()
        watch(page, findings)
        yield page, address, findings
    assert not findings.told, "\n".join(findings.told)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_program_is_signed_in_by_the_browser(fresh_database: str, cast: Cast, browser: Browser, script: bool) -> None:
    with listening() as (back, told), at(browser, script=script) as (page, address, findings):
        asked = f"{address}/oauth/authorize?{urlencode(ASKED | {'redirect_uri': back})}"
        page.goto(asked)
        assert "/account/login/" in page.url
        page.get_by_label("E-mail").fill(cast.requester.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Let it act for you?")).to_be_visible()
        if script:
            look(page, "oauth_authorize", findings, ("light", "dark", "narrow"))
        page.get_by_role("button", name="Allow", exact=True).click()
        page.wait_for_url(f"{back}**")
        assert told[0]["state"] == ASKED["state"]
        access = redeem(told[0]["code"], redirect_uri=back).json()["access_token"]
        assert Client().get(SESSION, HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200
        page.goto(asked)
        page.get_by_role("button", name="Do not allow").click()
        page.wait_for_url(f"{back}**")
        assert told[-1]["error"] == "access_denied"


def test_a_token_is_made_used_and_revoked_on_a_page(fresh_database: str, cast: Cast, browser: Browser) -> None:
    with at(browser) as (page, address, findings):
        sign_in(page, address, cast.requester.email, PASSWORD)
        page.goto(f"{address}/account/tokens/")
        expect(page.get_by_text("None yet.")).to_be_visible()
        look(page, "account_tokens", findings, ("light", "dark", "narrow"))
        page.get_by_label("What is it for?").fill("my laptop")
        page.get_by_label("See what can be asked for").check()
        page.get_by_role("button", name="Make the token").click()
        text = page.get_by_label("my laptop").input_value()
        look(page, "token made", findings, ("light", "dark", "narrow"))
        assert tokens.holder(text) is not None
        page.get_by_role("link", name="I have kept it").click()
        assert text not in page.content()
        page.get_by_role("button", name="Revoke my laptop").click()
        expect(page.get_by_text("my laptop is revoked.")).to_be_visible()
        assert tokens.holder(text) is None


def test_an_admin_makes_a_services_token(fresh_database: str, cast: Cast, browser: Browser) -> None:
    with at(browser) as (page, address, findings):
        sign_in(page, address, cast.admin.email, PASSWORD)
        page.goto(f"{address}/admin/accounts/apitoken/add/")
        look(page, "a service's token", findings, ("light", "dark", "narrow"))
        page.get_by_label("Name of the new service").fill("Terraform")
        page.get_by_label("Admin", exact=True).check()
        page.get_by_label("What is the token for?").fill("ci")
        page.get_by_label("Push people and groups (SCIM)").check()
        page.get_by_role("button", name="Make the token").click()
        text = page.get_by_label("ci", exact=True).input_value()
        look(page, "a service's token, made", findings, ("light", "dark", "narrow"))
        page.get_by_role("link", name="I have kept it").click()
        expect(page.get_by_text("Terraform").first).to_be_visible()
        look(page, "all tokens", findings, ("light", "dark", "narrow"))
        assert text not in page.content()


def test_the_page_of_the_api_works_under_the_strict_policy(fresh_database: str, cast: Cast, browser: Browser) -> None:
    with at(browser) as (page, address, _):
        page.goto(f"{address}/api/docs/")
        page.get_by_role("link", name="personal-tokens").click()
        page.get_by_text("/api/client/v1/personal-tokens/{token}/expiry").first.click()
        expect(page.get_by_role("button", name="Try it out")).to_be_visible()
        page.wait_for_timeout(500)
        assert page.evaluate("window.violations") == []
