"""The main job in a real browser, on a real server: with JavaScript on a wide screen, without it at 360 px."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Browser

from access_requests.models import AccessGroup, AccessRequest, Proof
from accounts.models import User
from integrations.models import Resource
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.inspecting import Findings, watch
from tests.browser.people import Admin, Approver, Person, Requester
from tests.cast import PASSWORD, Cast
from tests.journeys.real import furnish, logins
from tests.journeys.stack import Stack, wait_for
from tests.story import put_into
from tests.targets import VERSIONS, PostgresServer, binaries, missing, running

pytestmark = pytest.mark.target
WHY = "INC-4821: the shop is slow"


@pytest.fixture
def stack(fresh_database: str, cast: Cast, tmp_path: Path) -> Iterator[Stack]:
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    # The stack hashes as the product does; the tests' own hasher is a quick one it does not know.
    User.objects.update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6))
    up = Stack(tmp_path)
    up.move_in()
    up.start()
    up.wait_until_ready()
    yield up
    up.stop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    version = next((one for one in VERSIONS if not missing(one)), None)
    if version is None:
        pytest.skip(missing(VERSIONS[0]))
    with running(version) as one:
        furnish(one, "shop")
        yield one


def seat(kind: type[Person], profile: object, stack: Stack, user: User, findings: Findings, *, script: bool) -> Person:
    """Sit somebody down, signed in, at a browser that notes what goes wrong in it."""
    page = profile.new_page()
    watch(page, findings)
    address = f"http://127.0.0.1:{stack.port}"
    sign_in(page, address, user.email, PASSWORD)
    return kind(page, address, script)


@pytest.mark.parametrize("script", [True, False], ids=["script-1280", "no-script-360"])
def test_the_main_job(stack: Stack, cast: Cast, browser: Browser, server: PostgresServer, script: bool) -> None:
    findings = Findings()
    with ExitStack() as held:

        def at_a_browser(kind: type[Person], user: User) -> Person:
            profile = held.enter_context(context(browser, narrow=not script, script=script))
            return seat(kind, profile, stack, user, findings, script=script)

        admin, engineer = at_a_browser(Admin, cast.admin), at_a_browser(Requester, cast.requester)
        approver = at_a_browser(Approver, cast.approver)
        admin.connect("Shop", server)
        wait_for("the databases", lambda: _resources() > 0)
        admin.allow("Read the shop", "Shop", "READ_ONLY")
        engineer.ask("shop", "Read only", WHY)
        approver.approve(WHY)
        engineer.see("Show password once")
        login, password = way_in(engineer)
        assert psql(server, login, password, "SELECT number FROM orders").stdout.strip() == "7"
        engineer.open(f"/requests/{_request().pk}/")
        engineer.press("#hand-back")
        engineer.press("form[action$='/hand-back/'] button")
        engineer.see("Revoked (proven)")
        assert psql(server, login, password, "SELECT 1").returncode != 0
        assert not logins(server)[login]
        assert Proof.objects.get(group__request=_request()).found == []
    assert not findings.told, "\n".join(findings.told)


def _request() -> AccessRequest:
    return AccessRequest.objects.get()


def _resources() -> int:
    return Resource.objects.filter(name="shop").count()


def way_in(engineer: Person) -> tuple[str, str]:
    """Press for the password; return the login and what the page shows, this one time."""
    engineer.press("form[action$='/password/'] button")
    engineer.page.wait_for_load_state()
    login = AccessGroup.objects.get().login
    shown = engineer.page.locator("main").inner_text()
    password = next(
        one for one in re.findall(r"[A-Za-z0-9_\-]{20,}", shown) if one != login and not one.startswith("lk_")
    )
    engineer.open(f"/requests/{_request().pk}/")
    assert password not in engineer.page.content()
    return login, password


def psql(server: PostgresServer, login: str, password: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Run the real psql with what the page showed."""
    folder = binaries(server.version)
    assert folder is not None
    address = psycopg.conninfo.make_conninfo(
        host=server.host, port=server.port, dbname="shop", user=login, sslmode="disable"
    )
    return subprocess.run(
        [str(folder / "psql"), "-X", "-At", address, "-c", statement],
        env={"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        check=False,
    )
