"""A full disk under the embedded default: what was acknowledged stays, the rest is refused, it works again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from access_requests.models import AccessRequest
from tests.journeys.browser import Browser
from tests.story import Story


def ask(browser: Browser, story: Story, note: str) -> tuple[int | None, requests.Response]:
    """Send the form; return the number of the request that was acknowledged, if one was."""
    token = browser.session.cookies.get("csrftoken", "")
    form: dict[str, Any] = {"pick": "{}:{}".format(*story.pair("orders")), "duration": "", "do": "send"}
    answer = browser.session.post(
        f"{browser.address}/requests/new/",
        data={**form, "justification": note, "csrfmiddlewaretoken": token},
        headers={"Referer": browser.address},
        timeout=60,
    )
    tail = answer.url.rstrip("/").rpartition("/")[2]
    return (int(tail) if answer.status_code == 200 and tail.isdigit() else None), answer


def fill(pages: Path, browser: Browser, story: Story, used: int) -> tuple[list[int], requests.Response]:
    """Let the disk be as full as it is, and ask until it refuses; return what was acknowledged, and the refusal."""
    pages.write_text(str(used))
    kept: list[int] = []
    for _ in range(60):
        made, answer = ask(browser, story, "x" * 900)
        if made is None:
            return kept, answer
        kept.append(made)
    raise AssertionError("the disk never was full")


def all_there(kept: list[int]) -> bool:
    """Whether everything that was acknowledged is there."""
    return AccessRequest.objects.filter(pk__in=kept).count() == len(set(kept))
