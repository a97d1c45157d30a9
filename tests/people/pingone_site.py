"""A PingOne environment: tokens, people and groups, each answer held against the description."""

from __future__ import annotations

import base64
import re
from typing import Any, ClassVar

from tests.http_server import Answer, Asked
from tests.people.description import held
from tests.people.site import Site

ENVIRONMENT = "0a1b2c3d-0000-4000-8000-00000000e000"
CLIENT, SECRET, TOKEN = "worker-1", "p1-s3cret", "p1-access-token"


class PingOneSite(Site):
    """Pages go on by the cursor of a link, which bears another host: nobody must ever go there."""

    key: ClassVar[str] = "0a1b2c3d-0000-4000-8000-{:012}"

    def person(self, number: int, name: str, *, active: bool = True, boss: int = 0, **more: Any) -> None:
        """Put a person there, or change them. The manager is in an attribute that the environment added."""
        key = self.key.format(number)
        # What other directories call a department is an attribute that an environment adds itself, too.
        self.users[key] = {
            "id": key,
            "email": f"{name.lower()}@example.com",
            "username": name.lower(),
            "name": {"given": name, "family": "Example"},
            "enabled": active,
            "updatedAt": "2026-01-05T08:00:00.000Z",
            **({"leader": f"{self.key.format(boss)}"} if boss else {}),
            **({"title": more.pop("department")} if "department" in more else {}),
            **more,
        }

    def said(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.path == f"/{ENVIRONMENT}/as/token":
            return self._token(asked)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "ACCESS_FAILED", "The request could not be completed.")
        kind = asked.path.removeprefix(f"/v1/environments/{ENVIRONMENT}/")
        if kind == "groups":
            return self._page(asked, kind, [{"id": key, "name": name} for key, name in self.groups.items()])
        assert kind == "users", asked.path
        chosen = asked.query.get("filter", [""])[0]
        if not chosen:
            return self._page(asked, kind, list(self.users.values()))
        found = re.fullmatch(r'memberOfGroups\[id eq "([0-9a-f-]{36})"\]', chosen)
        assert found is not None, chosen
        return self._page(asked, kind, [self.users[key] for key in self.members[found[1]]])

    def _token(self, asked: Asked) -> Answer:
        given = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
        assert asked.body == b"grant_type=client_credentials"
        if given != f"{CLIENT}:{SECRET}":
            data = {"error": "invalid_client", "error_description": "Request denied: Invalid client credentials"}
            return held("pingone", "Error", data, status=401)
        return held("pingone", "Token", {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        begin = int(asked.query.get("cursor", ["c0"])[0][1:])
        links = {"self": {"href": f"https://elsewhere.example{asked.path}"}}
        if begin + self.page < len(rows):
            links["next"] = {"href": f"https://elsewhere.example{asked.path}?cursor=c{begin + self.page}&limit=2"}
        part = rows[begin : begin + self.page]
        data = {"_links": links, "_embedded": {kind: part}, "count": len(rows), "size": len(part)}
        return held("pingone", kind.capitalize(), data)


def error(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error as PingOne says it."""
    data = {"id": "1", "code": code, "message": words}
    return held("pingone", "Error", data, status=status, headers=headers or {})
