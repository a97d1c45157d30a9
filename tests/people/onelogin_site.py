"""A OneLogin account: tokens, people, roles and who has them, each answer held against the description."""

from __future__ import annotations

import base64
import re
from typing import Any, ClassVar

from tests.http_server import Answer, Asked
from tests.people.description import held
from tests.people.site import Site

CLIENT, SECRET, TOKEN = "client-1", "ol-s3cret", "ol-access-token"
LONG_AGO = "2026-01-05T08:00:00Z"


class OneLoginSite(Site):
    """Pages go on by a cursor in a header."""

    key: ClassVar[str] = "{}"

    def person(self, number: int, name: str, *, active: bool = True, boss: int = 0, **more: Any) -> None:
        """Put a person there, or change them."""
        self.users[str(number)] = {
            "id": number,
            "email": f"{name.lower()}@example.com",
            "username": name.lower(),
            "firstname": name,
            "lastname": "Example",
            "status": 1 if active else 2,
            "state": 1,
            "manager_user_id": boss or None,
            "updated_at": LONG_AGO,
            **more,
        }

    def said(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.path == "/auth/oauth2/v2/token":
            return self._token(asked)
        if asked.headers.get("Authorization") != f"bearer {TOKEN}":
            return error(401, "Unauthorized")
        if asked.path == "/api/2/users":
            assert "manager_user_id" in asked.query["fields"][0].split(",")
            since = asked.query.get("updated_since", [""])[0]
            return self._page(asked, "Users", [one for one in self.users.values() if one["updated_at"] > since])
        if asked.path == "/api/2/roles":
            return self._page(asked, "Roles", [{"id": int(key), "name": name} for key, name in self.groups.items()])
        found = re.fullmatch(r"/api/2/roles/(\d+)/users", asked.path)
        if found is None or found[1] not in self.groups:
            return error(404, "Not Found")
        return self._page(asked, "Users", [{"id": int(key)} for key in self.members[found[1]]])

    def _token(self, asked: Asked) -> Answer:
        given = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
        assert asked.data == {"grant_type": "client_credentials"}
        if given != f"{CLIENT}:{SECRET}":
            return error(401, "Authentication Failure")
        return held("onelogin", "Token", {"access_token": TOKEN, "token_type": "bearer", "expires_in": 36000})

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        begin = int(asked.query.get("cursor", ["0"])[0])
        end = begin + self.page
        headers = {"After-Cursor": str(end)} if end < len(rows) else {}
        return held("onelogin", kind, rows[begin:end], headers=headers)


def error(status: int, words: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error as OneLogin says it."""
    data = {"message": words, "name": "Error", "statusCode": status}
    return held("onelogin", "Error", data, status=status, headers=headers or {})
