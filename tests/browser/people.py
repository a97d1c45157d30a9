"""The three people at their browsers. Each acts by what is on the page, with and without JavaScript."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.journeys.real import CONNECTOR_PASSWORD
from tests.targets import CONNECTOR, PostgresServer

PATIENCE_MS = 90_000


@dataclass
class Person:
    """Somebody at a browser, signed in."""

    page: Page
    address: str
    script: bool

    def open(self, path: str) -> None:
        """Open a page of the product."""
        self.page.goto(self.address + path)

    def fill(self, **fields: str) -> None:
        """Write into fields by their names."""
        for name, value in fields.items():
            self.page.locator(f"[name={name}]:visible").first.fill(value)

    def press(self, selector: str) -> None:
        """Press the first visible button, or follow the first link."""
        self.page.locator(f"{selector} >> visible=true").first.click()

    def see(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page says so. Without JavaScript a person loads it again."""
        shown = self.page.locator("main").get_by_text(text).locator("visible=true").first
        if self.script:
            expect(shown).to_be_visible(timeout=PATIENCE_MS)
            return
        for _ in range(PATIENCE_MS // 500):
            if shown.is_visible():
                return
            self.page.wait_for_timeout(500)
            self.page.goto(self.page.url.split("#")[0])
        raise AssertionError(f"{text!r} is not on {self.page.url}:\n{self.page.locator('main').inner_text()}")


class Admin(Person):
    """Connects systems and writes policy."""

    def connect(self, name: str, server: PostgresServer) -> None:
        """Find the provider in the catalogue, fill its form, and land on the integration's page, synced."""
        self.open("/admin/integrations/integration/add/")
        self.press("a[href*='connect/postgresql']")
        self.fill(name=name, config_hostname=server.host, config_port=str(server.port))
        self.fill(config_username=CONNECTOR, secret_password=CONNECTOR_PASSWORD)
        self.page.locator("[name=config_sslmode]").select_option("disable")
        self.press("button[name=_save]")
        self.page.wait_for_url(re.compile("/change/"))

    def allow(self, name: str, system: str, permission: str) -> None:
        """Write a flow: engineers may ask, one of the approvers approves; the sentence says so before it is saved."""
        self.open("/admin/flows/accessflow/add/")
        self.fill(name=name)
        self._condition("requestors-0", "engineers")
        if not self.page.locator("[name=targets-0-integration]").count():
            self.press("button[value='add:targets:integration']")
        self.page.locator("[name=targets-0-integration]").select_option(label=system)
        if not self.script:
            self.press("#what button[value=read]")
        self.page.locator("[name=targets-0-resource_type]").select_option("database")
        if not self.script:
            self.press("#what button[value=read]")
        self.page.locator(f"[name=targets-0-permissions][value={permission}]").check()
        if not self.page.locator("[name=approvers-0-conditions-0-type]").count():
            self.press("button[value='add:approvers']")
        self._condition("approvers-0-conditions-0", "approvers")
        if not self.script:
            self.press(".save-bar button[value=read]")
        self.see(re.compile("someone in the group “approvers”|in the group “approvers”"))
        self.press("button[name=_save]")
        self.page.wait_for_url(re.compile("/change/|/accessflow/$"))

    def _condition(self, row: str, group: str) -> None:
        """Say that a group is meant."""
        self.page.locator(f"[name={row}-type]").select_option("group")
        holder = self.page.locator(f".values:has([name={row}-values])")
        box = holder.locator("input:visible, textarea:visible").first
        box.fill(group)
        if self.script:
            box.press("Enter")


class Requester(Person):
    """Needs the thing open at 3 a.m."""

    def ask(self, name: str, permission: str, why: str) -> None:
        """Search, pick, say why, see whose approval it takes, send; lands on the request's page."""
        self.open("/requests/new/")
        self.fill(q=name)
        if not self.script:
            self.press("button[name=do][value=search]")
        self.page.get_by_role("checkbox", name=re.compile(permission)).first.check()
        self.fill(justification=why)
        if not self.script:
            self.press("button[name=do][value=check]")
        self.see(re.compile("Abel"))
        self.press("button[name=do][value=send]")
        self.page.wait_for_url(re.compile(r"/requests/\d+/"))


class Approver(Person):
    """Answers on a phone."""

    def approve(self, why: str) -> None:
        """Find the request by its justification among the tasks, and say yes."""
        self.open("/tasks/")
        self.see(why)
        self.press("form.answer button.is-primary")
        self.page.wait_for_load_state()
