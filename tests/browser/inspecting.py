"""Looks at a page as nobody does by hand: accessibility, policy violations, errors, weight, side scroll."""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Error, Page

from tests.browser.chromium import AXE, NARROW, WIDE

WEIGHT_MAX = 100_000
# Told by the page itself, before anything else runs in it.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""
SERIOUS = {"serious", "critical"}
# Each is followed by leaving, not by looking.
LEAVING = ("/account/logout/", "/admin/logout/")


@dataclass
class Findings:
    """What is wrong, by page."""

    told: list[str] = field(default_factory=list)
    # While the checker of accessibility is at work: what it does to the page is not the page's doing.
    deaf: bool = False

    def add(self, page: str, what: str) -> None:
        """Note one thing."""
        if not self.deaf:
            self.told.append(f"{page}: {what}")


def watch(page: Page, findings: Findings) -> None:
    """Note from now on what the browser complains about on any page."""
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: findings.add(page.url, f"script error: {error}"))
    page.on("console", lambda line: findings.add(page.url, line.text) if line.type == "error" else None)


def name_of(path: str) -> str:
    """Return the name of the address, with what it is an address of; the path itself when it has no name."""
    try:
        found = resolve(path)
    except Resolver404:
        return path
    return f"{found.namespace}:{found.url_name}" if found.namespace else str(found.url_name or path)


def every_page(page: Page, address: str, start: str = "/") -> Iterator[str]:
    """Walk along the links of the product and yield the name of each kind of page once, with the page open."""
    seen: set[str] = set()
    queue = deque([start])
    while queue:
        path = queue.popleft()
        name = name_of(urlsplit(path).path)
        if name in seen or path.startswith(LEAVING):
            continue
        seen.add(name)
        if not _open(page, urljoin(address, path)):
            continue
        yield name
        for link in page.eval_on_selector_all("a[href]:not([download])", "all => all.map(one => one.href)"):
            if link.startswith(address):
                queue.append(link[len(address) :].split("#")[0])


def _open(page: Page, address: str) -> bool:
    """Open a page that a link leads to; False when it is a file to keep instead."""
    try:
        answer = page.goto(address)
    except Error as error:
        if "Download is starting" in error.message:
            return False
        raise
    assert answer is not None
    assert answer.status == 200, f"{address} is linked and answers {answer.status}"
    return True


def look(page: Page, name: str, findings: Findings, variants: tuple[str, ...]) -> None:
    """Look at the open page in each variant: "light", "dark", "narrow"."""
    for one in page.evaluate("window.violations"):
        findings.add(name, f"content security policy: {one}")
    for variant in variants:
        page.emulate_media(color_scheme="dark" if variant == "dark" else "light")
        page.set_viewport_size(NARROW if variant == "narrow" else WIDE)
        _accessibility(page, f"{name} ({variant})", findings)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            findings.add(f"{name} ({variant})", f"scrolls sideways by {wide} px")


def _accessibility(page: Page, name: str, findings: Findings) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: run npm ci in tests/npm")
    # Playwright evaluates outside the page's policy, so the checker needs no hole in it.
    findings.deaf = True
    page.evaluate(AXE.read_text() + "; 0")
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    findings.deaf = False
    for one in answer["violations"]:
        if one["impact"] in SERIOUS:
            where = "; ".join(f"{node['target'][0]} {node['html'][:120]}" for node in one["nodes"][:3])
            findings.add(name, f"{one['impact']} {one['id']} ({len(one['nodes'])}): {where}")


def weight(page: Page, fetch: Callable[[str], bytes]) -> int:
    """Return how many bytes the first load of the open page takes, each file compressed with gzip."""
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    return sum(len(gzip.compress(fetch(one), 6)) for one in {page.url, *loaded})
