"""The life of a request under policy, at browsers: with JavaScript on a wide screen, without it at 360 px."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page, expect

from access_requests.actions.tiers import sweep_escalations
from access_requests.models import AccessRequest, Change, Review
from accounts import events
from accounts.models import Letter, User
from flows.models import AccessFlow
from integrations.models import Integration, IntegrationOwner
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.inspecting import Findings, watch
from tests.browser.serving import serving
from tests.cast import PASSWORD, Cast, person
from tests.portal import making
from tests.story import amend, approval, asked

WHY = "INC-4821: the shop is slow"


@dataclass
class House:
    """The product, served, with an integration and a flow of Rita's that Abel approves, and people at browsers."""

    cast: Cast
    integration: Integration
    flow: AccessFlow
    address: str
    script: bool
    opened: Callable[[], Page]
    findings: Findings = field(default_factory=Findings)

    def enter(self, user: User) -> Page:
        """Sit somebody down at a browser, signed in."""
        page = self.opened()
        watch(page, self.findings)
        sign_in(page, self.address, user.email, PASSWORD)
        return page

    def go(self, page: Page, path: str) -> None:
        """Open a page of the product."""
        page.goto(self.address + path)

    def pick(self, page: Page, *names: str) -> None:
        """Pick databases on the page of a new request, and say why."""
        for name in names:
            page.fill("[name=q]", name)
            if not self.script:
                page.locator("button[name=do][value=search]").click()
            box = page.get_by_role("checkbox", name=re.compile(rf"^{name}\b"))
            box.check()
            if self.script:
                expect(page.locator(f"#basket [data-line] >> text={name}")).to_be_visible()
            else:
                page.locator("button[name=do][value=check]").click()
        page.fill("[name=justification]", WHY)

    def send(self, page: Page, do: str = "send") -> AccessRequest:
        """Send the form; return the last request that came of it."""
        page.locator(f"button[name=do][value={do}]").click()
        page.wait_for_url(re.compile(r"/requests/(\d+|sent/.*)/"))
        return AccessRequest.objects.latest("pk")

    def ask(self, page: Page, *names: str) -> AccessRequest:
        """Ask for databases."""
        self.go(page, "/requests/new/")
        self.pick(page, *names)
        return self.send(page)

    def press(self, page: Page, words: str) -> None:
        """Press the first button that says so, and wait for the page after."""
        with page.expect_navigation():
            page.get_by_role("button", name=words, exact=True).first.click()

    def approve(self, page: Page) -> None:
        """Say yes to the first task; the button says for how long."""
        with page.expect_navigation():
            page.locator("[data-approve]").first.click()


@pytest.fixture(params=[True, False], ids=["script-1280", "no-script-360"])
def house(request: pytest.FixtureRequest, fresh_database: str, cast: Cast) -> Iterator[House]:
    shop, script = making.integration(), bool(request.param)
    flow = making.flow(shop, cast.requester, cast.approver)
    with ExitStack() as held:
        address, browser = held.enter_context(serving()), held.enter_context(chromium())

        def opened() -> Page:
            return held.enter_context(context(browser, narrow=not script, script=script)).new_page()

        made = House(cast, shop, flow, address, script, opened)
        yield made
        assert not made.findings.told, "\n".join(made.findings.told)


def aside(do: Callable[[], Any]) -> Any:
    """Do something in a thread of its own, as a worker would: the browser's loop runs in this one."""

    def done() -> Any:
        try:
            return do()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        return worker.submit(done).result()


def see(page: Page, words: str) -> None:
    """The page says so where a person can see it."""
    expect(page.locator("#main").get_by_text(re.compile(words)).locator("visible=true").first).to_be_visible()


def named(*people: tuple[User, int]) -> dict[str, object]:
    return approval(*(asked(user.email, kind="user", tier=tier) for user, tier in people), after=1800)


def test_escalation(house: House) -> None:
    lena = person("Lena")
    amend(house.flow, approval=named((house.cast.approver, 0), (lena, 1)))
    access = house.ask(house.enter(house.cast.requester), "orders")
    page = house.enter(lena)
    house.go(page, "/tasks/")
    see(page, "Nothing waits for you")
    assert aside(lambda: sweep_escalations(at=timezone.now() + timedelta(minutes=30))) == 1
    house.go(page, "/tasks/")
    see(page, "Escalated to you after")
    house.approve(page)
    assert AccessRequest.objects.get(pk=access.pk).state == "approved"


def test_owner_approval(house: House) -> None:
    olga = person("Olga")
    IntegrationOwner.objects.create(integration=house.integration, user=olga)
    amend(house.flow, approval=approval(asked(kind="Owner")))
    rita = house.enter(house.cast.requester)
    access = house.ask(rita, "orders")
    see(rita, "Owner of what is asked for")
    page = house.enter(olga)
    house.go(page, "/tasks/")
    see(page, "You own what is asked for")
    house.approve(page)
    assert AccessRequest.objects.get(pk=access.pk).state == "approved"


def test_on_behalf_of_a_direct_report(house: House) -> None:
    dana = person("Dana")
    User.objects.filter(pk=dana.pk).update(manager=house.cast.requester)
    whom = {"scopes": ["direct_reports"], "grantees": {"operator": "or", "conditions": []}}
    amend(house.flow, request_for=whom)
    page = house.enter(house.cast.requester)
    house.go(page, "/requests/new/")
    page.locator("[name=whom]").select_option(label="Dana")
    house.pick(page, "orders")
    access = house.send(page)
    assert access.grantee == dana
    see(page, "Asked for by Rita, for Dana")
    abel = house.enter(house.cast.approver)
    house.go(abel, "/tasks/")
    see(abel, "Asked by Rita for Dana")
    house.approve(abel)
    aside(lambda: making.active(AccessRequest.objects.get(pk=access.pk)))
    page = house.enter(dana)
    house.go(page, "/")
    see(page, "Asked by Rita for you")


def test_break_glass_with_its_review(house: House) -> None:
    amend(house.flow, settings={"break_glass": True})
    page = house.enter(house.cast.requester)
    house.go(page, "/requests/new/")
    house.pick(page, "orders")
    if not house.script:
        page.locator("button[name=do][value=check]").click()
    page.get_by_text("It is an emergency: break the glass").click()
    page.locator("[name=sure]").check()
    access = house.send(page, "break")
    assert (access.state, access.break_glass) == ("approved", True)
    see(page, "The glass was broken")
    aside(lambda: events.deliver(Change))
    assert {letter.to.name for letter in Letter.objects.filter(kind="glass")} == {"Abel", "Ada"}
    abel = house.enter(house.cast.approver)
    house.go(abel, "/tasks/")
    see(abel, "Reviews owed")
    abel.get_by_text("Justified", exact=True).first.click()
    abel.fill("[name=note]", "The shop was down.")
    house.press(abel, "Give the review")
    assert Review.objects.get().state == "justified"
    house.go(page, f"/requests/{access.pk}/")
    see(page, "The shop was down.")


def test_extension(house: House) -> None:
    making.extendable(house.flow)
    cast = house.cast
    access = aside(lambda: making.active(making.approved(making.ask(cast.requester, "orders"), cast.approver)))
    page = house.enter(cast.requester)
    house.go(page, f"/requests/{access.pk}/")
    page.locator("#extend > summary").click()
    page.locator("#extend [name=justification]").fill("Not done yet.")
    house.press(page, "Ask for more time")
    abel = house.enter(cast.approver)
    house.go(abel, "/tasks/")
    see(abel, "Not done yet.")
    abel.locator(".answer button[data-approve]").first.click()
    see(abel, "Nothing waits for you")
    assert AccessRequest.objects.get(pk=access.pk).ends_at > access.ends_at


def test_approve_less(house: House) -> None:
    access = aside(lambda: making.ask(house.cast.requester, "orders", "ledger"))
    abel = house.enter(house.cast.approver)
    house.go(abel, f"/requests/{access.pk}/")
    abel.get_by_text("Approve less").click()
    abel.locator(f"#less-{access.pk} label", has_text="ledger").locator("input").uncheck()
    house.approve(abel)
    see(abel, "Without Read only on ledger")
    made = AccessRequest.objects.get(pk=access.pk)
    assert made.state == "approved"
    assert [unit.resource_path for unit in made.access_groups.get().units.all()] == ["orders"]


def test_a_split_request(house: House) -> None:
    making.flow(making.integration("wh", ("events",)), house.cast.requester, name="Warehouse")
    page = house.enter(house.cast.requester)
    house.ask(page, "orders", "events")
    first, second = AccessRequest.objects.order_by("pk")
    see(page, "2 requests")
    for one in (first, second):
        see(page, f"{one} · access flow")
    page.get_by_role("link", name="Details").first.click()
    see(page, "Asked together")
    see(page, str(second))
