"""Sign-in by OIDC in headless Chromium, against the certified provider: what people see, under our policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page

from accounts import actions
from accounts.choices import GroupSource
from accounts.models import Group
from audit.actor import system
from tests.browser.chromium import chromium, context
from tests.browser.inspecting import Findings, look, watch
from tests.browser.serving import serving
from tests.cast import Cast
from tests.sign_in.provider import Provider, configured, missing, providing

LOGIN = "/account/login/"


@pytest.fixture
def browser() -> Iterator[Browser]:
    if why := missing():
        pytest.skip(why)
    with chromium() as one:
        yield one


@contextmanager
def at_the_door(
    browser: Browser, folder: Path, *, script: bool = True, narrow: bool = False, password_sign_in: bool = True
) -> Iterator[tuple[Page, str, Provider]]:
    """Serve the product and a provider that knows Rita; yield a page, the product's address and the provider.

    Fails when the browser had anything to complain about, violations of the policy above all.
    """
    findings = Findings()
    with serving() as address, providing(folder, address) as acme:
        acme.person("rita", name="Rita")
        with (
            configured(acme.settings(), address, password_sign_in=password_sign_in),
            context(browser, script=script, narrow=narrow) as profile,
        ):
            page = profile.new_page()
            watch(page, findings)
            yield page, address, acme
    # A refusal is a page with its status, about which the browser grumbles; what the provider's pages lack is its own.
    told = [one for one in findings.told if "status of" not in one and not one.startswith(acme.issuer)]
    assert not told, "\n".join(told)


def enter(page: Page, acme: Provider, account: str = "rita") -> None:
    """Go from the sign-in page to the provider and enter there."""
    page.get_by_role("button", name="Sign in with Acme").click()
    page.wait_for_url(f"{acme.issuer}/enter/**")
    page.get_by_label("Account").fill(account)
    page.get_by_role("button", name="Enter").click()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_there_and_back_out_and_in_again(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path, script: bool
) -> None:
    with at_the_door(browser, tmp_path, script=script) as (page, address, acme):
        page.goto(f"{address}/account/")
        assert page.url == f"{address}{LOGIN}?next=/account/"
        enter(page, acme)
        page.wait_for_url(f"{address}/account/")
        assert page.get_by_text("rita@example.com").count()
        page.goto(f"{address}/account/logout/")
        page.get_by_role("button", name="Sign out").last.click()
        page.wait_for_url(f"{acme.issuer}/session/end**")
        page.get_by_role("button", name="Yes").click()
        page.wait_for_url(f"{address}{LOGIN}**")
        page.goto(f"{address}/account/")
        assert LOGIN in page.url
        # Signed out there too: it asks again.
        enter(page, acme)
        page.wait_for_url(f"{address}/account/")


def test_the_browser_goes_back_to_the_sign_in_page_and_not_in_circles(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    with at_the_door(browser, tmp_path) as (page, address, acme):
        page.goto(address + LOGIN)
        page.get_by_role("button", name="Sign in with Acme").click()
        page.wait_for_url(f"{acme.issuer}/enter/**")
        page.go_back()
        page.wait_for_url(f"{address}{LOGIN}")
        enter(page, acme)
        page.wait_for_url(f"{address}/")


def test_whoever_is_refused_reads_why_and_comes_as_somebody_else(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    with at_the_door(browser, tmp_path, narrow=True) as (page, address, acme):
        acme.person("eve", email_verified=False)
        actions.disable_user(cast.outsider, actor=system())
        acme.person("otto")
        for account, heading in (("eve", "Your e-mail address is not verified"), ("otto", "Your account is disabled")):
            page.goto(address + LOGIN)
            if account == "eve":
                enter(page, acme, account)
            else:
                page.get_by_role("button", name="Sign in with Acme").click()
            page.get_by_role("heading", name="Your e-mail address is not verified").wait_for()
            page.get_by_role("button", name="Use another account").click()
            page.wait_for_url(f"{acme.issuer}/enter/**")
            page.get_by_label("Account").fill(account)
            page.get_by_role("button", name="Enter").click()
            page.get_by_role("heading", name=heading).wait_for()
            assert page.url.startswith(address)
            if account == "eve":
                continue
            page.get_by_role("button", name="Use another account").click()
            page.wait_for_url(f"{acme.issuer}/enter/**")
            page.get_by_label("Account").fill("rita")
            page.get_by_role("button", name="Enter").click()
            page.wait_for_url(f"{address}/")


def test_with_password_sign_in_off_there_is_one_way_and_the_keyboard_finds_it(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    with at_the_door(browser, tmp_path, password_sign_in=False) as (page, address, acme):
        page.goto(address + LOGIN)
        assert page.locator("input[type=password]").count() == 0
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{acme.issuer}/enter/**")
        page.goto(f"{address}/sign-in/{actions.make_sign_in_link(cast.admin)}/")
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{address}/admin/")
        assert page.url == f"{address}/admin/"


def test_a_group_is_gained_and_lost_with_the_next_sign_in(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    with at_the_door(browser, tmp_path) as (page, address, acme):
        for groups in (["Engineers"], ["Leads"], None):
            acme.person("rita", groups=groups)
            page.context.clear_cookies()
            page.goto(address + LOGIN)
            enter(page, acme)
            page.wait_for_url(f"{address}/")
            held = Group.objects.filter(members=cast.requester, source=GroupSource.OIDC)
            assert set(held.values_list("name", flat=True)) == set(groups or ())


def test_a_provider_that_is_away_leaves_the_other_ways(
    fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    with at_the_door(browser, tmp_path) as (page, address, acme):
        acme.stop()
        cache.clear()
        page.goto(f"{address}{LOGIN}?next=/account/")
        page.get_by_role("button", name="Sign in with Acme").click()
        page.get_by_role("heading", name="Acme does not answer").wait_for()
        page.get_by_role("link", name="Sign in another way").click()
        assert page.url == f"{address}{LOGIN}?next=%2Faccount%2F"
        page.get_by_text("Use a password instead").click()
        page.get_by_label("E-mail").fill("rita@example.com")
        page.get_by_label("Password").fill("correct-horse-battery")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{address}/account/")


def test_the_door_has_no_serious_fault(fresh_database: str, cast: Cast, browser: Browser, tmp_path: Path) -> None:
    findings, looks = Findings(), ("light", "dark", "narrow")
    with at_the_door(browser, tmp_path) as (page, address, acme):
        acme.person("eve", email_verified=False)
        page.goto(address + LOGIN)
        look(page, "sign-in", findings, looks)
        page.get_by_text("Use a password instead").click()
        look(page, "sign-in by password", findings, looks)
        # The page in between is left at once, unless the way leads to no page.
        page.route(f"{acme.issuer}/**", lambda route: route.fulfill(status=204))
        page.get_by_role("button", name="Sign in with Acme").click()
        page.get_by_role("heading", name="Going to Acme").wait_for()
        look(page, "going", findings, looks)
        page.unroute(f"{acme.issuer}/**")
        page.goto(address + LOGIN)
        enter(page, acme, "eve")
        page.get_by_role("heading", name="Your e-mail address is not verified").wait_for()
        look(page, "refused", findings, looks)
    assert not findings.told, "\n".join(findings.told)
