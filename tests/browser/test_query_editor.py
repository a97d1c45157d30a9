"""The query editor in a real browser: mended, completed by keyboard, counted, as rows and back, saved as a scope."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from flows.models import AccessScope
from integrations.models import Resource, Tag
from tests.browser import inspecting
from tests.browser.chromium import WIDE, chromium, context, sign_in
from tests.browser.inspecting import Findings, watch
from tests.browser.serving import serving
from tests.browser.world import World, furnish
from tests.cast import PASSWORD, Cast

QUERY = "textarea[data-aql]"
LATER = """() => {
  const area = document.createElement("textarea");
  Object.assign(area, { className: "aql", id: "later", value: 'resource_type = "database"' });
  area.dataset.aql = "";
  document.querySelector("form.flow-form").append(area);
}"""


@pytest.fixture
def world(fresh_database: str, cast: Cast) -> World:
    made = furnish(cast)
    for number, resource in enumerate(Resource.objects.order_by("pk")):
        Tag.objects.create(resource=resource, type="database", key="env", value="prod" if number % 2 else "dev")
        Tag.objects.create(resource=resource, type="database", key="🦄 team", value="payments")
    return made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def look(page: Page, name: str, findings: Findings) -> None:
    """Look at the open page in every variant, and leave it wide; what the checker did to it is not the page's doing."""
    inspecting.look(page, name, findings, ("light", "dark", "narrow"))
    page.evaluate("window.violations = []")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)


def seated(page: Page, address: str, world: World, findings: Findings) -> None:
    watch(page, findings)
    sign_in(page, address, world.cast.admin.email, PASSWORD)


def test_a_query_is_written_with_help_and_saved_as_a_scope(world: World, browser: Browser) -> None:
    findings = Findings()
    with serving() as address, context(browser) as profile:
        page = profile.new_page()
        seated(page, address, world, findings)
        page.goto(f"{address}/admin/integrations/resource/?by=query")
        says, area = page.locator("#query-says"), page.locator(QUERY)

        # A wrong field is told, marked, and put right by its button.
        area.press_sequentially('resource_typ = "database"')
        page.keyboard.press("Escape")
        expect(says).to_contain_text("Line 1, column 1")
        expect(page.locator(".aql-stage .is-wrong")).to_have_text("resource_typ")
        expect(area).to_have_attribute("aria-invalid", "true")
        look(page, "query, wrong", findings)
        says.get_by_role("button", name="Use it").click()
        expect(area).to_have_value('resource_type = "database"')
        expect(says).to_contain_text("Selects 15 entitlements")

        # A tag and its value by keyboard alone.
        area.press("End")
        area.press_sequentially(" and resource_ta")
        options = page.get_by_role("option")
        expect(options.first).to_have_text(re.compile(r'resource_tag\["key"\]'))
        look(page, "query, suggestions", findings)
        area.press("Tab")
        expect(options.first).to_have_text('"env"]')
        area.press("ArrowDown")
        expect(area).to_have_attribute("aria-activedescendant", re.compile("-0$"))
        area.press("Enter")
        expect(options.first).to_contain_text("=")
        area.press_sequentially('= "p')
        expect(options).to_have_text(['"prod"'])
        area.press("Tab")
        expect(area).to_have_value('resource_type = "database" and resource_tag["env"] = "prod"')
        expect(says).to_contain_text("Selects 6 entitlements")
        expect(page.get_by_role("listbox")).to_be_hidden()

        # Behind a whole comparison the list opens when it is asked for, and covers nothing before.
        area.press("Control+Space")
        expect(options).to_have_text([re.compile("^and"), re.compile("^or")])
        area.press("Escape")
        expect(page.get_by_role("listbox")).to_be_hidden()

        # What is beyond the basic plane of characters moves no colour.
        area.fill('resource_tag["🦄 team"] = "payments" and resource_type = "database"')
        expect(page.locator(".aql-field")).to_have_text(["resource_tag", "resource_type"])

        # Rows write the query, and read it back.
        area.fill('resource_type = "database" and resource_tag["env"] = "prod"')
        page.get_by_role("button", name="Basic").click()
        rows = page.locator(".aql-row")
        expect(rows).to_have_count(2)
        look(page, "query, rows", findings)
        rows.nth(1).get_by_label("Value 2").fill("dev")
        expect(says).to_contain_text("Selects 9 entitlements")
        page.get_by_role("button", name="Add a comparison").click()
        expect(rows).to_have_count(3)
        rows.nth(2).get_by_label("Field 3").select_option("permission")
        rows.nth(2).get_by_label("Value 3").fill("READ_ONLY")
        expect(says).to_contain_text("Selects 3 entitlements")
        page.get_by_role("button", name="AQL").click()
        written = 'resource_type = "database" and resource_tag["env"] = "dev" and permission = "READ_ONLY"'
        expect(area).to_have_value(written)

        # What is no list of comparisons says why, and stays.
        area.fill(f"not {written}")
        page.get_by_role("button", name="Basic").click()
        expect(page.locator(".aql-why")).to_contain_text("Basic shows comparisons")
        expect(area).to_be_visible()
        area.fill(written)

        page.get_by_role("button", name="Search").last.click()
        page.wait_for_url(re.compile("query="))
        page.get_by_role("link", name="Make it an access scope").click()
        expect(page.locator(QUERY)).to_have_value(written)
        expect(page.locator("#query-says")).to_contain_text("Selects 3 entitlements")
        expect(page.locator("#query-says tbody tr")).to_have_count(3)
        page.fill("[name=name]", "Reading dev")
        look(page, "scope", findings)
        page.locator("button[name=_save]").click()
        page.wait_for_url(re.compile("/change/"))
        assert AccessScope.objects.get(name="Reading dev").query == written
        for one in page.evaluate("window.violations"):
            findings.add("scope", one)
    assert not findings.told, "\n".join(findings.told)


def test_a_text_area_that_comes_later_becomes_an_editor(world: World, browser: Browser) -> None:
    findings = Findings()
    with serving() as address, context(browser) as profile:
        page = profile.new_page()
        seated(page, address, world, findings)
        page.goto(f"{address}/admin/flows/accessscope/add/")
        page.evaluate(LATER)
        expect(page.locator(".aql-box:has(#later)")).to_contain_text("Selects 15 entitlements")
        expect(page.locator(".aql-box:has(#later) .aql-field")).to_have_text("resource_type")
    assert not findings.told, "\n".join(findings.told)


def test_the_rows_come_though_the_text_is_checked_while_they_are_waited_for(world: World, browser: Browser) -> None:
    findings, asked = Findings(), []

    def keep_waiting(route: Route) -> None:
        if "_do=basic" in (route.request.post_data or ""):
            asked.append(route)
        # The first question is held back until the check of what was typed is due, which has it dropped.
        if len(asked) != 1:
            route.continue_()

    with serving() as address, context(browser) as profile:
        page = profile.new_page()
        seated(page, address, world, findings)
        page.goto(f"{address}/admin/integrations/resource/?by=query")
        page.route("**/*", keep_waiting)
        area, rows = page.locator(QUERY), page.locator(".aql-row")
        area.fill('resource_type = "database"')
        page.get_by_role("button", name="Basic").click()
        area.press_sequentially(' and permission = "READ_ONLY"')
        expect(rows).to_have_count(2)
        assert len(asked) > 1
        page.unroute_all(behavior="ignoreErrors")
    assert not findings.told, "\n".join(findings.told)
