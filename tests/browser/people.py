"""The three people at their browsers. Each acts by what is on the page, with and without JavaScript."""

from __future__ import annotations

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
        """Press a button, and wait for the page that comes of it."""
        self.page.locator(selector).first.click()

    def see(self, text: str) -> None:
        """Wait until the page says so. Without JavaScript a person reloads; the page's own answer is read first."""
        shown = self.page.locator("#main").get_by_text(text).first
        if self.script:
            expect(shown).to_be_visible(timeout=PATIENCE_MS)
            return
        for _ in range(PATIENCE_MS // 500):
            if shown.is_visible():
                return
            self.page.wait_for_timeout(500)
            self.page.goto(self.page.url)
        raise AssertionError(f"{text!r} is not on {self.page.url}:\n{self.page.locator('#main').inner_text()}")


class Admin(Person):
    """Connects systems and writes policy."""

    def connect(self, name: str, server: PostgresServer) -> None:
        """Find the provider in the catalogue, fill its form, save, and see the databases."""
        self.open("/admin/integrations/integration/add/")
        self.press("a[href*='connect/postgresql']")
        self.fill(name=name, config_hostname=server.host, config_port=str(server.port))
        self.fill(config_username=CONNECTOR, secret_password=CONNECTOR_PASSWORD)
        self.page.locator("[name=config_sslmode]").select_option("disable")
        self.press("[name=_save]")
        self.see(name)

    def allow(self, name: str, integration: str, permission: str) -> None:
        """Write a flow: engineers may ask, one of the approvers says yes. A second approver row is added on the way."""
        self.open("/admin/flows/accessflow/add/")
        self.fill(name=name)
        self.page.locator("[name=requestors-0-type]").fill("group")
        self.page.locator("[name=requestors-0-values]").fill("engineers")
        self.page.locator("[name=targets-0-integration]").select_option(label=integration)
        self.page.locator("[name=targets-0-resource_type]").fill("database")
        self.page.locator("[name=targets-0-permissions]").fill(permission)
        self.page.locator("[name=approvers-0-type]").fill("group")
        self.page.locator("[name=approvers-0-values]").fill("approvers")
        self.press("[name=_save]:visible")
        self.see(name)


class Requester(Person):
    """Needs the thing open at 3 a.m."""

    def ask(self, name: str, why: str) -> None:
        """Search, pick, say why, see whose approval it takes, send."""
        self.open("/requests/new/")
        self.fill(q=name)
        self.press("button[name=do][value=search]")
        self.page.locator("input[name=pick]").first.check()
        self.fill(justification=why)

    def password(self) -> str:
        """Show the password, once."""
        self.press("form[action$='/password/'] button")
        return self.page.locator(".secret code").first.inner_text()


class Approver(Person):
    """Answers on a phone."""

    def approve(self, why: str) -> None:
        """Find the request by its justification among the tasks, and say yes."""
        self.open("/tasks/")
        self.see(why)
        self.press("form[action$='/approve/'] button[type=submit]")
