"""Headless Chromium, by Playwright: the machine's own browser, never a downloaded one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

# Quiet: without these it looks for its maker's servers at every start.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# How long anything may take in a browser, in milliseconds: machines are busy.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 780}
AXE = Path(__file__).resolve().parents[1] / "npm" / "node_modules" / "axe-core" / "axe.min.js"


def program() -> str:
    """Return the browser's path. Skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium: install the Debian package chromium")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; everything in it is gone afterwards."""
    # Playwright's own event loop runs in this thread while the test reads its database: safe, for nothing is shared.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
            try:
                yield browser
                browser.close()
            finally:
                # In here the thread counts as asynchronous and has connections of its own, which no fixture closes: the
                # next test would read this one's database, and did after one that failed.
                connections.close_all()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    """Sign in with a password, as a person does, and wait for the page after."""
    page.goto(f"{address}/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/account/login/" not in url)


def context(browser: Browser, *, narrow: bool = False, dark: bool = False, script: bool = True) -> BrowserContext:
    """Open a fresh profile: 1280 or 360 px wide, light or dark, with or without JavaScript."""
    opened = browser.new_context(
        viewport=NARROW if narrow else WIDE,
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        has_touch=narrow,
        locale="en-GB",
        timezone_id="UTC",
    )
    opened.set_default_timeout(PATIENCE_MS)
    return opened
