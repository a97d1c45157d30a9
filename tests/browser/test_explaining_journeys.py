"""Why not, what if, and a second yes, at browsers: with JavaScript on a wide screen, without it at 360 px."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.choices import Role
from flows.models import AccessFlow, Proposal
from integrations.models import IntegrationOwner, Tag
from tests.browser.test_policy_journeys import House, aside, house, see
from tests.cast import person
from tests.portal import making
from tests.story import amend

__all__ = ["house"]
ADD = "/admin/flows/accessflow/add/"


def change_of(flow: AccessFlow) -> str:
    return f"/admin/flows/accessflow/{flow.pk}/change/"


def save_bar(page: Page, words: str) -> None:
    """Press a button below the form, and wait for the page after."""
    with page.expect_navigation():
        page.locator(".save-bar").get_by_role("button", name=re.compile(words)).click()


def write(house: House, page: Page, name: str, words: str) -> None:
    """Write one value into a field of values: a chip with a script, a line without one."""
    box = page.locator(f".values:has([name='{name}'])").locator("input:visible, textarea:visible").first
    box.fill(words)
    if house.script:
        box.press("Enter")


def refused(house: House) -> None:
    """Take back what the browser says of answers with 409: here they are the answers that were wanted."""
    house.findings.told = [one for one in house.findings.told if "409" not in one]


def seldom() -> dict[str, object]:
    """Return a window that is shut all of today and opens within the week, whatever today is."""
    day = (timezone.now() + timedelta(days=2)).strftime("%A").upper()
    return {"start": "08:00", "end": "18:00", "days": [day], "time_zone": "UTC"}


def test_why_not(house: House) -> None:
    olga = person("Olga")
    IntegrationOwner.objects.create(integration=house.integration, user=olga)
    amend(house.flow, timeframe=seldom())
    page = house.enter(house.cast.requester)
    house.go(page, "/requests/why-not/")
    page.fill("[name=q]", "orders")
    with page.expect_navigation():
        page.locator("form.find button").click()
    see(page, "Read only: not now")
    see(page, "It is shut now")
    see(page, "Ask its owner: Olga")
    ada = house.enter(house.cast.admin)
    house.go(ada, "/admin/flows/accessflow/")
    ada.get_by_role("link", name="Why, and why not").first.click()
    ada.fill("[name=person]", house.cast.outsider.email)
    ada.fill("[name=resource]", "orders")
    with ada.expect_navigation():
        ada.get_by_role("button", name="Why?").click()
    see(ada, "Otto does not match its requestors")


def test_what_if(house: House) -> None:
    aside(lambda: making.ask(house.cast.requester, "orders"))
    page = house.enter(house.cast.admin)
    house.go(page, change_of(house.flow))
    write(house, page, "targets-0-never", "name: orders")
    save_bar(page, "See what changes")
    effect = page.locator("#effect")
    expect(effect).to_contain_text("1 person loses")
    expect(effect).to_contain_text("2 entitlements less")
    expect(effect).to_contain_text("1 of 1 past request otherwise")
    assert AccessFlow.objects.get().current.number == 1
    save_bar(page, "Save version 2")
    see(page, "somebody loses something by it")
    assert AccessFlow.objects.get().current.number == 1
    refused(house)
    save_bar(page, "Save anyway")
    document = AccessFlow.objects.get().current.document
    assert document["targets"][0]["selectors"][0]["mode"] == "exclude_resources"


def test_a_second_yes(house: House, settings: LazySettings) -> None:
    settings.PRODUCTION_TAGS, settings.FOUR_EYES = [("env", "prod")], True
    Tag.objects.create(
        resource=house.integration.resources.get(name="orders"), type="database", key="env", value="prod"
    )
    bea = person("Bea", Role.ADMIN)
    page = house.enter(house.cast.admin)
    house.go(page, change_of(house.flow))
    page.locator("[name='requestors-0-operator']").select_option("contains")
    if house.script:
        page.locator(".values:has([name='requestors-0-values'])").get_by_role("button").first.click()
    write(house, page, "requestors-0-values", "@")
    page.locator("[name=approval_mode][value=none]").check()
    page.locator("button[value='remove:approvers:0']").click()
    expect(page.locator("[name='approvers-0-conditions-0-type']")).not_to_be_attached()
    save_bar(page, "Save version 2")
    see(page, "Not saved: this takes two")
    refused(house)
    save_bar(page, "Propose it")
    see(page, "Another admin has to say yes: you proposed it.")
    assert AccessFlow.objects.get().current.number == 1
    other = house.enter(bea)
    house.go(other, "/admin/")
    see(other, "1 change of policy waits for a second yes")
    other.locator("#main a[href*='/proposal/?']").first.click()
    other.get_by_role("link", name=house.flow.name).first.click()
    see(other, "people gain")
    house.press(other, "Yes, make this change")
    assert AccessFlow.objects.get().current.document["approval"]["mode"] == "none"
    assert Proposal.objects.get().state == "accepted"
