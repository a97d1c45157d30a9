"""A Microsoft Entra tenant: tokens, people, groups, members and what changed, each held against the description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.http_server import Answer, Asked, serving
from tests.people.description import held

SECRET, TOKEN = "s3cret-value", "eyJ-an-access-token"


@dataclass
class EntraSite:
    """The state. What changes is counted, and a mark is a count; `forgotten` marks are those before it."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    changed: list[tuple[str, str]] = field(default_factory=list)
    page: int = 2
    forgotten: int = 0
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def person(self, key: str, name: str, *, manager: str = "", **more: Any) -> None:
        """Put a person there, or change them."""
        email = f"{name.lower()}@example.com"
        known = {"displayName": f"{name} Example", "mail": email, "userPrincipalName": email, "accountEnabled": True}
        self.users[key] = {"id": key, "userType": "Member", "city": None, **known, **more}
        self.managers[key] = manager
        self.changed.append(("users", key))

    def group(self, key: str, name: str, *members: str) -> None:
        """Put a group there, or change it."""
        self.groups[key], self.members[key] = {"id": key, "displayName": name}, list(members)
        self.changed.append(("groups", key))

    def remove(self, kind: str, key: str) -> None:
        """Take a person or a group away."""
        getattr(self, kind).pop(key)
        for members in self.members.values():
            if key in members:
                members.remove(key)
        self.changed.append((kind, key))

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.asked.append(asked)
        return self.trouble.pop(len(self.asked), None) or self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/contoso.example/oauth2/v2.0/token":
            return self._token(parse_qs(asked.body.decode()))
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "InvalidAuthenticationToken", "Access token is empty.")
        found = re.fullmatch(r"/v1\.0/(users|groups)(?:/([\w-]+)(/transitiveMembers)?)?", asked.path)
        assert found is not None, asked.path
        kind, key, inside = found.groups()
        if key == "delta":
            return self._delta(kind, asked)
        if key is None:
            rows = [self._shown(kind, one, asked) for one in getattr(self, kind)]
            return self._page(asked, kind.capitalize(), rows)
        if key not in getattr(self, kind):
            return error(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        if not inside:
            return held("entra", kind.capitalize()[:-1], self._shown(kind, key, asked))
        types = {True: "#microsoft.graph.user", False: "#microsoft.graph.device"}
        rows = [{"@odata.type": types[one in self.users], "id": one} for one in self.members[key]]
        return self._page(asked, "Objects", rows)

    def _token(self, form: dict[str, list[str]]) -> Answer:
        assert form["grant_type"] == ["client_credentials"] and form["scope"] == [f"{self.address}/.default"]
        if form["client_secret"] != [SECRET]:
            data = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret.\r\nTrace"}
            return held("entra", "TokenError", data, status=401)
        return held("entra", "Token", {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3599})

    def _shown(self, kind: str, key: str, asked: Asked) -> dict[str, Any]:
        """Return what was selected of something, with the manager where they were asked for."""
        selected = asked.query["$select"][0].split(",")
        row = {name: value for name, value in getattr(self, kind)[key].items() if name in selected}
        if "$expand" in asked.query and self.managers.get(key):
            row["manager"] = {"@odata.type": "#microsoft.graph.user", "id": self.managers[key]}
        return row

    def _delta(self, kind: str, asked: Asked) -> Answer:
        mark = asked.query.get("$deltatoken", asked.query.get("$skiptoken", [""]))[0]
        if mark == "latest":
            return held(
                "entra", "Page", {"value": [], "@odata.deltaLink": self._link(asked, "delta", len(self.changed))}
            )
        if int(mark) < self.forgotten:
            return error(410, "syncStateNotFound", "The sync state is not found.")
        assert "$select" not in asked.query or kind == "groups"
        keys = [key for one, key in self.changed[int(mark) :] if one == kind]
        there = getattr(self, kind)
        rows = [{"id": key} if key in there else {"id": key, "@removed": {"reason": "changed"}} for key in keys]
        data: dict[str, Any] = {"value": rows, "@odata.deltaLink": self._link(asked, "delta", len(self.changed))}
        return held("entra", "Objects", data)

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        begin = int(asked.query.get("$skiptoken", ["0"])[0])
        data: dict[str, Any] = {"value": rows[begin : begin + self.page]}
        if begin + self.page < len(rows):
            data["@odata.nextLink"] = self._link(asked, "skip", begin + self.page)
        return held("entra", kind, data)

    def _link(self, asked: Asked, name: str, place: int) -> str:
        # Another host, as if somebody stood in between: nobody must ever go there.
        return f"https://elsewhere.example{asked.path}?$select=id&${name}token={place}"


def error(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error as Microsoft Graph says it."""
    return held("entra", "Error", {"error": {"code": code, "message": words}}, status=status, headers=headers or {})


@contextmanager
def entra_site() -> Iterator[EntraSite]:
    """Give a tenant with four people, a guest and two groups."""
    site = EntraSite()
    site.person("u-1", "Bea", city="Berlin")
    site.person("u-2", "Cem", manager="u-1")
    site.person("u-3", "Dora", manager="u-1", mail=None)
    site.person("u-4", "Emil", accountEnabled=False)
    site.person("u-5", "Gast", userType="Guest")
    site.group("g-1", "Engineers", "u-1", "u-2", "u-3", "device-7")
    site.group("g-2", "Everyone", "u-1", "u-2")
    with serving(site.answer) as server:
        site.address = server.address
        yield site
