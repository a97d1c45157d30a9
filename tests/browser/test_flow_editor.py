"""An admin writes a flow with everything in it, with a script and without one, and reads what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from flows.models import AccessFlow
from tests import databases
from tests.browser.chromium import chromium, context, sign_in
from tests.browser.inspecting import Findings, look, watch
from tests.browser.serving import serving
from tests.browser.world import World, furnish
from tests.cast import PASSWORD, Cast
from tests.story import put_into

QUERY = 'resource_name starts_with "led" and permission = "READ_ONLY"'


@pytest.fixture
def world(fresh_database: str, cast: Cast) -> World:
    put_into("on call", cast.requester)
    put_into("duty", cast.approver)
    told = furnish(cast)
    told.integration.owners.create(user=cast.approver)
    return told


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


class Desk:
    """The editor on one page, used as a person does."""

    def __init__(self, page: Page, *, script: bool) -> None:
        """Keep the page."""
        self.page, self.script = page, script

    def press(self, button: str, new: str) -> None:
        """Press a button and wait for what it brings."""
        self.page.locator(f"button[value='{button}']:visible").first.click()
        expect(self.page.locator(f"[name='{new}']").first).to_be_attached()

    def condition(self, row: str, kind: str, value: str = "") -> None:
        """Write one condition."""
        self.page.locator(f"[name='{row}-type']").select_option(kind)
        if not value:
            return
        box = self.page.locator(f".values:has([name='{row}-values'])").locator("input:visible, textarea:visible").first
        box.fill(value)
        if self.script:
            box.press("Enter")

    def fold(self, name: str) -> None:
        """Open what is folded away, unless it is open."""
        fold = self.page.locator(f"details#{name}")
        if fold.get_attribute("open") is None:
            fold.locator("summary").first.click()

    def write(self) -> None:
        """Write the whole flow."""
        page = self.page
        page.locator("[name=name]").fill("Ledger, on call")
        self.condition("requestors-0", "group", "on call")
        page.get_by_label("Their direct reports").check()
        page.locator("button[value='remove:targets:0']").click()
        expect(page.locator("[name='targets-0-kind']")).not_to_be_attached()
        self.press("add:targets:query", "targets-0-query")
        page.locator("[name='targets-0-query']").fill(QUERY)
        self.condition("approvers-0-conditions-0", "Owner")
        self.press("add:approvers:1", "approvers-1-conditions-0-type")
        page.locator("[name=escalation_minutes]").fill("30 min")
        self.condition("approvers-1-conditions-0", "group", "duty")
        page.locator("[name=grant_duration_minutes]").fill("4 h")
        self.fold("window")
        page.locator("[name=window-limited]").check()
        page.locator("[name=window-time_zone]").fill("Europe/Berlin")
        self.fold("fields")
        self.press("add:fields", "fields-0-label")
        page.locator("[name='fields-0-label']").fill("Change number")
        page.locator("[name='fields-0-required']").check()


SAYS = (
    "People in the group “on call” may ask, for themselves or their direct reports, for everything with "
    f"{QUERY} for at most 4 h, Monday to Friday from 08:00 to 18:00 (Europe/Berlin), with a justification and "
    "“Change number”; the owner of what is asked for approves, and if nobody answers for 30 min also someone in the "
    "group “duty”."
)


@pytest.mark.parametrize("script", [True, False], ids=["script-1280", "no-script-360"])
def test_an_admin_writes_a_flow_with_everything_and_reads_the_sentence(
    world: World, browser: Browser, script: bool
) -> None:
    findings = Findings()
    with serving() as address, context(browser, narrow=not script, script=script) as profile:
        page = profile.new_page()
        watch(page, findings)
        sign_in(page, address, world.cast.admin.email, PASSWORD)
        page.goto(f"{address}/admin/flows/accessflow/add/")
        desk = Desk(page, script=script)
        desk.write()
        if not script:
            page.locator(".save-bar button[value=read]").click()
        expect(page.locator("#reads")).to_have_text(re.compile(re.escape(SAYS)))
        expect(page.locator("#what")).to_contain_text("Selects 2 entitlements now")
        if script:
            look(page, "flow editor", findings, ("dark",) if databases.is_postgresql() else ("light", "narrow"))
        page.locator("button[name=_save]").click()
        page.wait_for_url(re.compile("/change/"))
    assert not findings.told, "\n".join(findings.told)
    current = AccessFlow.objects.get(name="Ledger, on call").current
    assert current is not None
    assert current.sentence == SAYS
    assert [group["tier"] for group in current.document["approval"]["groups"]] == [0, 1]
    assert current.document["settings"]["fields"][0]["key"] == "change_number"


def test_choosing_automatic_hides_what_nobody_is_asked_for(world: World, browser: Browser) -> None:
    with serving() as address, context(browser, script=False) as profile:
        page = profile.new_page()
        sign_in(page, address, world.cast.admin.email, PASSWORD)
        page.goto(f"{address}/admin/flows/accessflow/add/")
        for part in ("for", "approvers", "time"):
            expect(page.locator(f"#{part}")).to_be_visible()
        page.get_by_label("Automatic").check()
        for part in ("for", "approvers", "time"):
            expect(page.locator(f"#{part}")).to_be_hidden()
        expect(page.locator("#labels summary")).to_be_visible()
        expect(page.locator("[name=justification_required]")).to_be_hidden()
        # What is there although it does not apply shows itself.
        page.goto(f"{address}/admin/flows/accessflow/{world.flow.pk}/change/")
        page.get_by_label("Automatic").check()
        expect(page.locator("#approvers")).to_be_visible()
        expect(page.locator("#for")).to_be_hidden()
