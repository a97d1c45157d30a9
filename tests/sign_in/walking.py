"""Walks through a sign-in without a browser: a client of the product, and a session at the provider."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from django.test import Client

from audit.models import AuditEntry
from tests.sign_in.provider import CALLBACK, Provider

START = "/account/oidc/"
PRODUCT = "http://latchkey.test:8810"


@dataclass
class Walker:
    """One person with one browser."""

    provider: Provider
    client: Client = field(default_factory=lambda: Client(HTTP_HOST="testserver"))
    there: requests.Session = field(default_factory=requests.Session)

    def begin(self, **data: str) -> str:
        """Press the button; return where the product sends the browser."""
        page = self.client.post(START, data)
        assert page.status_code == 200, page.content
        (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
        return address.replace("&amp;", "&")

    def at_provider(self, address: str, account: str = "rita", do: str = "enter") -> str:
        """Enter at the provider, if it asks; return the address with which it sends the browser back."""
        for _ in range(12):
            answer = self.there.get(address, allow_redirects=False, timeout=10)
            if "Location" not in answer.headers:
                form = {"account": account, "do": do}
                if "/enter/" not in address:
                    # It leaves the session of somebody else first, by a form that sends itself.
                    (address,) = re.findall(r'action="([^"]+)"', answer.text)
                    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
                answer = self.there.post(address, form, allow_redirects=False, timeout=10)
            address = urljoin(address, answer.headers["Location"])
            if address.startswith(PRODUCT):
                return address
        raise AssertionError(f"the provider never came back: {address}")

    def back(self, address: str) -> Any:
        """Come back to the product."""
        parts = urlsplit(address)
        assert parts.path == CALLBACK
        return self.client.get(f"{parts.path}?{parts.query}")

    def sign_in(self, account: str = "rita", do: str = "enter", **data: str) -> Any:
        """Do all of it; return the product's answer."""
        return self.back(self.at_provider(self.begin(**data), account, do))

    def is_in(self) -> bool:
        """Whether somebody is signed in."""
        return bool(self.client.get("/account/").status_code == 200)


def asked(address: str) -> dict[str, str]:
    """Return what an address asks."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def trail(since: int = 0) -> list[str]:
    """Return the actions on record after the first `since`."""
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))[since:]


def last() -> AuditEntry:
    """Return the newest entry."""
    return AuditEntry.objects.latest("id")
