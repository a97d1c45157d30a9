"""A security key end to end, in a real browser with a virtual authenticator; and the pages around it, looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, CDPSession, Page

from access_requests.models import AccessRequest
from accounts import actions as people
from accounts import factors
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.inspecting import Findings, look, watch
from tests.browser.serving import serving
from tests.cast import PASSWORD, Cast
from tests.story import Story, begin, flow, put_into, simulated_provider, take_factor

DAY = timedelta(days=1)


@pytest.fixture
def story(fresh_database: str, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        take_factor(flow(told.integration))
        told.now = timezone.now()
        put_into("engineers", cast.admin)
        yield told


@pytest.fixture
def waiting(story: Story) -> list[AccessRequest]:
    """Two requests of Rita and one of Ada that wait for a second factor; made before the browser's loop runs."""
    asked = [story.ask(name) for name in ("orders_prod", "orders_dev")]
    return [*asked, story.ask("orders_prod", user=story.cast.admin)]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def address() -> Iterator[str]:
    """Where the product serves, by a name: browsers let keys work at no other."""
    with serving() as where:
        yield where.replace("127.0.0.1", "localhost")


@pytest.fixture
def outside(story: Story) -> User:
    """Ada is away, and has invited two people, of whom one has left; this is that one."""
    ada, now = story.cast.admin, timezone.now()
    me = person(ada, Source.PORTAL)
    people.delegate(ada, story.cast.approver, now, now + 3 * DAY, actor=me, at=now)
    people.invite("walt@vendor.example", "Walt", now + 9 * DAY, actor=me, at=now)
    vera = people.invite("vera@vendor.example", "Vera", now + 9 * DAY, actor=me, at=now)
    people.end_stay(vera, actor=me, at=now)
    return vera


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """Plug a security key into the browser, which is touched at once whenever it is asked."""
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    options = {**kind, "automaticPresenceSimulation": True}
    return line, line.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def picture(page: Page, name: str) -> None:
    """Keep a picture, if somebody wants to look."""
    if folder := os.environ.get("LATCHKEY_TEST_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_key_is_added_lets_a_request_go_on_and_is_refused_when_it_is_another(
    story: Story, waiting: list[AccessRequest], browser: Browser, address: str
) -> None:
    findings, rita = Findings(), story.cast.requester
    request, other = waiting[0], waiting[1]
    with context(browser) as profile:
        page = profile.new_page()
        watch(page, findings)
        sign_in(page, address, rita.email, PASSWORD)
        line, key = plug_in(page)
        page.goto(f"{address}/account/second-factor/key/")
        page.fill("input[name=name]", "Blue key")
        picture(page, "key-add")
        page.click("text=Add the key")
        page.wait_for_selector("text=Your recovery codes")
        picture(page, "codes")
        assert page.locator(".codes code").count() == 10
        profile.clear_cookies()
        sign_in(page, address, rita.email, PASSWORD)
        page.goto(f"{address}/requests/{request.pk}/second-factor/")
        picture(page, "request-key")
        page.click("text=Use a security key")
        page.wait_for_url(f"{address}/requests/{request.pk}/")
        assert story.fresh(request).state == "pending"
        # Another key, and none at all: the page says so, and the request waits on.
        line.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
        profile.clear_cookies()
        sign_in(page, address, rita.email, PASSWORD)
        plug_in(page)
        page.goto(f"{address}/requests/{other.pk}/second-factor/")
        page.click("text=Use a security key")
        page.wait_for_selector("[data-key-trouble]:visible")
        picture(page, "request-key-trouble")
        assert story.fresh(other).state == "pending_mfa"
    assert not findings.told, "\n".join(findings.told)


@pytest.mark.parametrize("variant", ["light", "dark", "narrow"])
def test_no_page_of_second_factors_and_people_from_outside_has_a_serious_fault(
    story: Story, waiting: list[AccessRequest], outside: User, browser: Browser, address: str, variant: str
) -> None:
    findings, ada, request = Findings(), story.cast.admin, waiting[2]
    with context(browser, narrow=variant == "narrow", dark=variant == "dark") as profile:
        page = profile.new_page()
        watch(page, findings)
        sign_in(page, address, ada.email, PASSWORD)
        see = Seeing(page, address, findings, variant)
        see("second-factor-none", "/account/second-factor/")
        see("request-factor-none", f"/requests/{request.pk}/second-factor/")
        see("factor-app", "/account/second-factor/app/")
        secret = page.locator(".secret-key").inner_text()
        page.fill("input[name=code]", factors.code_of(secret, timezone.now()))
        page.click("text=Add the app")
        page.wait_for_selector("text=Your recovery codes")
        see("second-factor", "/account/second-factor/")
        see("factor-key", "/account/second-factor/key/")
        see("request-factor-proven", f"/requests/{request.pk}/second-factor/")
        see("fresh-sign-in", "/account/second-factor/fresh/")
        see("factor-prove", "/account/second-factor/prove/")
        see("account", "/account/")
        see("invited", "/people/invited/")
        see("request-waits", f"/requests/{request.pk}/")
        see("admin-away", f"/admin/accounts/user/{ada.pk}/away/")
        see("admin-people", "/admin/accounts/user/?is_outside__exact=1")
        see("admin-person", f"/admin/accounts/user/{outside.pk}/change/")
    assert not findings.told, "\n".join(findings.told)


class Seeing:
    """Opens pages and looks at them."""

    def __init__(self, page: Page, address: str, findings: Findings, variant: str) -> None:
        self.page, self.address, self.findings, self.variant = page, address, findings, variant

    def __call__(self, name: str, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        picture(self.page, f"{name}-{self.variant}")
        look(self.page, name, self.findings, () if self.variant == "narrow" else (self.variant,))
