"""A program with somebody's token. Every good answer is held against the published document, where that is at hand."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from django.test import Client

from accounts import actions
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from tests.contracts import FOLDER, PUBLIC, assert_answers, document

SESSIONS, REQUESTS = "/api/user/v1/access-sessions", "/api/user/v4/access-requests"
DELEGATED, OLDER = "/api/user/v1/delegated-access-requests", "/api/v3/access-requests"
BUNDLES, ENTITLEMENTS = "/api/user/v1/available-access/bundles", "/api/user/v1/available-access/entitlements"
BULK, ACTIVITY = "/api/v3/access-requests-bulk/revoke", "/api/v3/activity"


class Caller:
    """Somebody's program."""

    def __init__(self, user: User, scopes: list[str] | None = None, *, by: User | None = None) -> None:
        """Make a token for them."""
        _, text = actions.issue_token(user, "program", scopes=scopes, actor=person(by or user, Source.PORTAL))
        self.browser = Client(headers={"Authorization": f"Bearer {text}"})

    def send(self, method: str, path: str, body: Any = None, *, headers: Any = None, **query: Any) -> Any:
        """Call, and return the answer of the test client; an error has to be one of ours."""
        told = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(self.browser, method)(path, **told, query_params=query, headers=headers)
        if answer.status_code >= 400:
            assert answer.status_code < 500, answer.content
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"]
        elif answer.content and method != "head":
            conform(method, path, answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """Return what a GET answers with 200."""
        answer = self.send("get", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Return what a POST answers with 200."""
        answer = self.send("post", path, body, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def every(self, path: str, **query: Any) -> list[Any]:
        """Return all items of a list that is read page by page."""
        page = self.get(path, **query)
        found = list(page["items"])
        while token := page["pagination"]["next_page_token"]:
            page = self.get(path, page_token=token, **query)
            found += page["items"]
        return found


@cache
def _closed() -> dict[str, Any]:
    """Return the document, in which no object has a field that is not named."""
    found = copy.deepcopy(document(PUBLIC))
    for schema in found["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return found


def conform(method: str, path: str, answer: Any) -> None:
    """Hold an answer against the document: what is required is there, and nothing that it does not know."""
    if not FOLDER:
        return
    for template, operations in sorted(_closed()["paths"].items(), key=lambda one: one[0].count("{")):
        parts, known = path.split("/"), template.split("/")
        same = len(known) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(known, parts, strict=True))
        if same and method in operations:
            assert_answers(answer, _closed(), template, method)
            return
    raise AssertionError(f"The document has no {method} {path}.")
