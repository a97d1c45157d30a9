"""Pictures of every page that links lead to, as each person of the demo sees it."""

from __future__ import annotations

import argparse
import html
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "requests")]

import django  # noqa: E402

import tests.environment  # noqa: E402, F401  # settings for the names of addresses

django.setup()

from playwright.sync_api import Browser, Page  # noqa: E402

from tests.browser.chromium import NARROW, WIDE, chromium, context  # noqa: E402
from tests.browser.inspecting import every_page  # noqa: E402
from tests.servers import free_port  # noqa: E402

FOLDER = ROOT / "build" / "pictures"
START_SECONDS = 300
VARIANTS = {"light": (WIDE, "light"), "dark": (WIDE, "dark"), "narrow": (NARROW, "light")}


@contextmanager
def demo() -> Iterator[str]:
    """Start a demo in a folder of its own; yields its address."""
    with tempfile.TemporaryDirectory(prefix="latchkey-pictures-") as folder:
        Path(folder).chmod(0o755)
        port = free_port()
        command = ["script/up", "--demo", "--data", f"{folder}/demo", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(address, process)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until it serves."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/healthz", timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.5)
    raise SystemExit(f"The demo did not start within {START_SECONDS} s.")


def people(address: str) -> list[str]:
    """Return the addresses of the people whom the demo's front door offers."""
    page = requests.get(f"{address}/account/login/", timeout=30).text
    return re.findall(r'name="email" value="([^"]+)"', page)


def take(page: Page, folder: Path, name: str) -> list[str]:
    """Take the open page in every variant; return the files' names."""
    made = []
    for variant, (size, scheme) in VARIANTS.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dictionary will do
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the words it knows
        file = f"{re.sub(r'[^a-z0-9]+', '-', name)}.{variant}.png"
        page.screenshot(path=folder / file, full_page=True)
        made.append(file)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return made


def walk(browser: Browser, address: str, email: str, only: str) -> dict[str, list[str]]:
    """Take every page this person can reach; "" takes the front door as who is not signed in yet."""
    who = email.partition("@")[0] or "nobody"
    folder = FOLDER / who
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[str]] = {}
    with context(browser) as profile:
        page = profile.new_page()
        page.goto(f"{address}/account/login/")
        if not email:
            return {"account_login": take(page, folder, "account_login")}
        page.locator(f"form:has(input[name=email][value='{email}']) button").click()
        page.wait_for_url(lambda url: "/account/login" not in url)
        for name in every_page(page, address):
            if only in name:
                made[name] = take(page, folder, name)
                print(f"  {who}: {name}", flush=True)
    return made


def index(pictures: dict[str, dict[str, list[str]]]) -> Path:
    """Write a page that shows them all."""
    parts = ["<!doctype html><meta charset=utf-8><title>Pictures</title>"]
    for who, pages in pictures.items():
        parts.append(f"<h1>{html.escape(who)}</h1>")
        for name, files in pages.items():
            shown = "".join(f'<a href="{who}/{one}"><img height=360 src="{who}/{one}"></a> ' for one in files)
            parts.append(f"<h2>{html.escape(name)}</h2><p>{shown}</p>")
    file = FOLDER / "index.html"
    file.write_text("\n".join(parts))
    return file


def main(arguments: list[str]) -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(prog="script/pictures", description="A picture of every page, for each person.")
    parser.add_argument("--address", help="of a running demo; default: start one")
    parser.add_argument("--only", default="", help="only pages whose name contains this")
    options = parser.parse_args(arguments)
    with demo() if not options.address else _there(options.address.rstrip("/")) as address, chromium() as browser:
        pictures = {
            email.partition("@")[0] or "nobody": walk(browser, address, email, options.only)
            for email in ["", *people(address)]
        }
    print(f"{sum(len(files) for pages in pictures.values() for files in pages.values())} pictures: {index(pictures)}")


@contextmanager
def _there(address: str) -> Iterator[str]:
    yield address


if __name__ == "__main__":
    main(sys.argv[1:])
