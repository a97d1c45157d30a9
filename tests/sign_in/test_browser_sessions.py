"""In headless Chromium, against the certified provider: proving more than the sign-in did, and sessions that end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, WebSocket

from access_requests.models import AccessRequest
from accounts import factors
from accounts.clock import CLOCK
from accounts.models import BrowserSession
from audit.models import AuditEntry
from tests.browser.chromium import chromium, context
from tests.browser.serving import serving
from tests.cast import Cast
from tests.sign_in.provider import Provider, configured, missing, providing
from tests.sign_in.test_browser import LOGIN, enter
from tests.story import Story, begin, flow, simulated_provider, take_factor

ONE, TWO = "urn:test:one", "urn:test:two"
pytestmark = pytest.mark.full


@pytest.fixture
def story(fresh_database: str, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        take_factor(flow(told.integration))
        told.now = timezone.now()
        yield told


@pytest.fixture
def waiting(story: Story) -> AccessRequest:
    """A request of Rita's that waits for a second factor; made before the browser's loop runs."""
    return story.ask("orders_prod")


@pytest.fixture
def browser() -> Iterator[Browser]:
    if why := missing():
        pytest.skip(why)
    with chromium() as one:
        yield one


@contextmanager
def rita_is_in(browser: Browser, folder: Path, **more: Any) -> Iterator[tuple[Page, str, Provider]]:
    """Serve the product and a provider; yield Rita's page, signed in by it, the product's address and the provider."""
    with serving() as address, providing(folder, address) as acme:
        acme.person("rita", name="Rita")
        with configured(acme.settings(**more), address), context(browser) as profile:
            page = profile.new_page()
            page.goto(address + LOGIN)
            enter(page, acme)
            page.wait_for_url(f"{address}/")
            yield page, address, acme


def confirm(page: Page, acme: Provider, *, account: str = "rita", acr: str = "") -> None:
    """Go to the provider for a second factor, and enter there, it may be in another way than was asked for."""
    page.get_by_role("button", name="Confirm with Acme").click()
    page.wait_for_url(f"{acme.issuer}/enter/**")
    if acr:
        field = "const f = document.createElement('input'); f.name = 'acr'; f.type = 'hidden'; f.value = v;"
        page.evaluate(f"v => {{ {field} document.forms[0].append(f); }}", acr)
    page.get_by_label("Account").fill(account)
    page.get_by_role("button", name="Enter").click()


def test_the_provider_proves_the_factor_by_acr_and_a_fresh_sign_in_and_nothing_less(
    story: Story, waiting: AccessRequest, browser: Browser, tmp_path: Path
) -> None:
    with rita_is_in(browser, tmp_path, step_up_acr=(TWO,)) as (page, address, acme):
        asked = f"{address}/requests/{waiting.pk}/second-factor/"
        page.goto(asked)
        key = cookie(page)
        # In a weaker way than was demanded: refused, and the request waits on.
        confirm(page, acme, acr=ONE)
        page.wait_for_url(f"{address}/account/oidc/callback/**")
        assert (story.fresh(waiting).state, cookie(page)) == ("pending_mfa", key)
        assert AuditEntry.objects.latest("id").action == "user.sign_in_failed"
        page.goto(asked)
        # Somebody has a session there, and it asks all the same: max_age=0. It comes back with acr and auth_time.
        confirm(page, acme)
        page.wait_for_url(asked)
        assert cookie(page) != key
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url(f"{address}/requests/{waiting.pk}/")
        assert story.fresh(waiting).state == "pending"


def test_an_app_is_set_up_after_a_fresh_sign_in_and_the_request_goes_on(
    story: Story, waiting: AccessRequest, browser: Browser, tmp_path: Path
) -> None:
    with rita_is_in(browser, tmp_path) as (page, address, acme):
        page.goto(f"{address}/account/second-factor/app/")
        # The provider said nothing of when she entered there, so she enters anew, and it says so: auth_time.
        page.get_by_role("heading", name="Sign in again").wait_for()
        page.get_by_role("button", name="Go to Acme").click()
        page.wait_for_url(f"{acme.issuer}/enter/**")
        page.get_by_label("Account").fill("rita")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_url(f"{address}/account/second-factor/app/")
        secret = page.locator(".secret-key").inner_text()
        now = timezone.now()
        page.fill("input[name=code]", factors.code_of(secret, now))
        page.click("text=Add the app")
        page.wait_for_selector("text=Your recovery codes")
        page.goto(f"{address}/requests/{waiting.pk}/second-factor/")
        # Who has just set up an app by showing its code has proved it: no code is asked twice in an hour.
        page.get_by_text("You proved it at").wait_for()
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url(f"{address}/requests/{waiting.pk}/")
        assert story.fresh(waiting).state == "pending"


def cookie(page: Page) -> str:
    """Return the key of the browser's session here."""
    return next(one["value"] for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)


def with_an_open_line(page: Page, address: str, request: AccessRequest) -> list[WebSocket]:
    """Open the page of a request and wait until its web socket is open; return the sockets it opens."""
    sockets: list[WebSocket] = []

    def note(opened: WebSocket) -> None:
        sockets.append(opened)

    page.on("websocket", note)
    with page.expect_websocket():
        page.goto(f"{address}/requests/{request.pk}/")
    page.wait_for_timeout(500)
    assert not sockets[0].is_closed()
    return sockets


def test_a_sign_out_at_the_provider_ends_the_session_here_and_its_open_line(
    story: Story, waiting: AccessRequest, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access_requests.consumers.LOOK_SECONDS", 0.3)
    with rita_is_in(browser, tmp_path) as (page, address, acme):
        sockets = with_an_open_line(page, address, waiting)
        there = page.context.new_page()
        there.goto(f"{acme.issuer}/session/end")
        there.get_by_role("button", name="Yes").click()
        there.wait_for_load_state()
        page.wait_for_url(f"{address}{LOGIN}**")
        assert sockets[0].is_closed()
        row = BrowserSession.objects.get()
        assert (row.ended_how, row.ended_at is not None) == ("provider", True)
        page.goto(f"{address}/account/")
        assert LOGIN in page.url


@pytest.mark.parametrize(
    ("clock", "by", "says"),
    [("seen", timedelta(minutes=61), "nothing was done here for 60 minutes"),
     ("began", timedelta(hours=12, minutes=1), "a session lasts 12 hours")],
)  # fmt: skip
def test_a_page_that_is_left_open_loses_its_line_and_says_why(
    story: Story,
    waiting: AccessRequest,
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: str,
    by: timedelta,
    says: str,
) -> None:
    monkeypatch.setattr("access_requests.consumers.LOOK_SECONDS", 0.3)
    with rita_is_in(browser, tmp_path) as (page, address, _):
        sockets = with_an_open_line(page, address, waiting)
        age(cookie(page), clock, by)
        page.wait_for_url(f"{address}{LOGIN}**")
        assert sockets[0].is_closed()
        assert says in page.inner_text("body")


def age(key: str, clock: str, by: timedelta) -> None:
    """Make one of the clocks of a session older."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    told = session[CLOCK]
    session[CLOCK] = {**told, clock: (datetime.fromisoformat(told[clock]) - by).isoformat()}
    session.save()
