"""A person at a browser: cookies, forms with their CSRF token, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests


@dataclass
class Browser:
    """One person's browser on a running Latchkey."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, expect: int = 200) -> str:
        """Open a page and return its text."""
        answer = self.session.get(urljoin(self.address, path), timeout=60)
        assert answer.status_code == expect, f"GET {path}: {answer.status_code}\n{answer.text[:2000]}"
        return answer.text

    def post(self, path: str, expect: int = 200, **data: Any) -> str:
        """Send a form, follow where it leads, and return the text of the page."""
        return self.send(path, expect=expect, **data).text

    def send(self, path: str, expect: int = 200, **data: Any) -> requests.Response:
        """Send a form and return the answer."""
        token = self.session.cookies.get("csrftoken", "")
        answer = self.session.post(
            urljoin(self.address, path),
            data={**data, "csrfmiddlewaretoken": token},
            headers={"Referer": self.address},
            timeout=120,
        )
        assert answer.status_code == expect, f"POST {path}: {answer.status_code}\n{answer.text[:3000]}"
        return answer

    def sign_in(self, email: str, password: str) -> None:
        """Sign in with a password."""
        self.get("/account/login/")
        page = self.post("/account/login/", login=email, password=password)
        assert "Sign out" in page, page[:2000]


def words_of(page: str) -> str:
    """Return the text of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).strip()
