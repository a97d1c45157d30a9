"""Every page that can be reached by its links, for each of the three people: nothing serious is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import requests
from playwright.sync_api import Browser

from tests import databases
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.furniture import also
from tests.browser.inspecting import WEIGHT_MAX, Findings, every_page, look, watch, weight
from tests.browser.serving import serving
from tests.browser.world import World, furnish
from tests.cast import PASSWORD, Cast

FEWEST = {"requester": 6, "approver": 6, "admin": 25}


@pytest.fixture
def world(fresh_database: str, cast: Cast) -> World:
    return furnish(cast)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def variants() -> tuple[str, ...]:
    """The pages are the same whatever the database: the lanes share the looks among them."""
    return ("dark",) if databases.is_postgresql() else ("light", "narrow")


@pytest.mark.parametrize("who", FEWEST)
def test_no_page_has_a_serious_fault(world: World, browser: Browser, who: str) -> None:
    findings, names = Findings(), []
    with serving() as address, context(browser) as profile:
        page = profile.new_page()
        watch(page, findings)
        sign_in(page, address, getattr(world.cast, who).email, PASSWORD)
        fetch = _fetcher({one["name"]: one["value"] for one in profile.cookies()})
        for name in every_page(page, address):
            names.append(name)
            look(page, name, findings, variants())
            heavy = weight(page, fetch)
            if heavy > WEIGHT_MAX:
                findings.add(name, f"first load takes {heavy} bytes compressed")
        for path in also(who):
            page.goto(address + path)
            look(page, path, findings, variants())
    assert not findings.told, "\n".join(findings.told)
    assert len(names) >= FEWEST[who], names


def _fetcher(cookies: dict[str, str]):
    """Return a function that loads an address as this person, each once."""

    @cache
    def fetch(address: str) -> bytes:
        return requests.get(address, cookies=cookies, timeout=30).content

    return fetch


def test_the_door_has_no_serious_fault(fresh_database: str, browser: Browser) -> None:
    findings = Findings()
    with serving() as address, context(browser) as profile:
        page = profile.new_page()
        watch(page, findings)
        for path in ("/account/login/", "/sign-in/nothing/"):
            page.goto(address + path)
            look(page, path, findings, ("light", "dark", "narrow"))
    told = [one for one in findings.told if "404" not in one and "410" not in one]
    assert not told, "\n".join(told)
