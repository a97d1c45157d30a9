"""A JumpCloud organization: people, user groups and members, each answer held against the description."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tests.http_server import Answer, Asked
from tests.people.description import held
from tests.people.site import Site

KEY = "jca_reader-token"


class JumpCloudSite(Site):
    """Pages are counted by `skip` in the order of ids, and hold three though more are asked for."""

    page: int = 3
    key: ClassVar[str] = "5f0c0000000000000000{:04}"

    def person(self, number: int, name: str, *, active: bool = True, boss: int = 0, **more: Any) -> None:
        """Put a person there, or change them."""
        key = self.key.format(number)
        self.users[key] = {
            "_id": key,
            "email": f"{name.lower()}@example.com",
            "username": name.lower(),
            "firstname": name,
            "lastname": "Example",
            "state": "ACTIVATED" if active else "SUSPENDED",
            "suspended": not active,
            "activated": True,
            "ssh_keys": [{"public_key": "ssh-ed25519 AAAA"}],
            **({"manager": self.key.format(boss)} if boss else {}),
            **more,
        }

    def said(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.headers.get("x-api-key") != KEY:
            return error(401, "Unauthorized")
        assert int(asked.query["limit"][0]) <= 100
        if asked.path == "/api/systemusers":
            assert asked.query["sort"] == ["_id"]
            rows = [self.users[key] for key in sorted(self.users)]
            return held("jumpcloud", "Users", {"results": self._part(asked, rows), "totalCount": len(rows)})
        if asked.path == "/api/v2/usergroups":
            rows = [{"id": key, "name": self.groups[key], "type": "user_group"} for key in sorted(self.groups)]
            return self._list(asked, "Groups", rows)
        found = re.fullmatch(r"/api/v2/usergroups/(\w+)/membership", asked.path)
        if found is None or found[1] not in self.groups:
            return error(404, "Not Found")
        rows = [{"id": key, "type": "user", "paths": []} for key in sorted(self.members[found[1]])]
        return self._list(asked, "Members", rows)

    def _list(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        return held("jumpcloud", kind, self._part(asked, rows), headers={"X-Total-Count": str(len(rows))})

    def _part(self, asked: Asked, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        skip = int(asked.query["skip"][0])
        return rows[skip : skip + min(self.page, int(asked.query["limit"][0]))]


def error(status: int, words: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error as JumpCloud says it."""
    return held("jumpcloud", "Error", {"message": words}, status=status, headers=headers or {})
