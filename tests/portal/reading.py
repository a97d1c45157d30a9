"""Reading pages."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client
from django.urls import reverse

from access_requests.models import AccessRequest


def text(response: Any) -> str:
    """Return what a page says, without tags, in one line."""
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(bare))


def without_token(response: Any) -> str:
    """Return a page without what differs in every answer: the token against forged requests."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", response.content.decode())


def page(client: Client, access: AccessRequest | int) -> Any:
    """Open the page of a request."""
    return client.get(address("request_page", access))


def address(name: str, access: AccessRequest | int, *more: Any) -> str:
    """Return the address of something about a request."""
    return reverse(name, args=[access if isinstance(access, int) else access.pk, *more])


_BOX = re.compile(r"<input\s([^>]*data-result[^>]*)>")
_PICK = re.compile(r'<option\s+value="([\d:]+)"\s+selected|name="pick"\s+value="([^"]+)"')


def boxes(response: Any, having: str) -> set[str]:
    """Return the values of the result boxes whose tag has this in it."""
    found = [one for one in _BOX.findall(response.content.decode()) if having in one]
    return {match.group(1) for one in found if (match := re.search(r'value="([^"]+)"', one))}


def offered(response: Any) -> set[str]:
    """Return the values of the boxes that can be ticked."""
    return boxes(response, 'name="add"')


def in_basket(response: Any) -> set[str]:
    """Return what the basket holds, as the form would send it."""
    page = response.content.decode()
    start, end = ('id="basket"', 'id="duration"') if "<html" in page else ('"basket"', '"dry-run"')
    part = page[page.index(start) : page.index(end, page.index(start))]
    return {one or other for one, other in _PICK.findall(part)}
