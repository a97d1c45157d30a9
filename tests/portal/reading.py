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
