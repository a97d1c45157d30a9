"""A Google Workspace account: tokens, people, groups and members, each held against the description."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.http_server import Answer, Asked, serving
from tests.people.description import held

SUBJECT, TOKEN = "latchkey-reader@example.com", "ya29.reader"
PAGE = 2


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()


@dataclass
class GoogleSite:
    """The state. Pages hold two, whatever is asked for."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def key_file(self) -> str:
        """Return the service account's key, whose tokens come from here."""
        return json.dumps(
            {
                "type": "service_account",
                "client_email": "latchkey-reader@project.iam.gserviceaccount.com",
                "private_key": _private_key(),
                "private_key_id": "k1",
                "token_uri": f"{self.address}/token",
            }
        )

    def person(self, key: str, name: str, **more: Any) -> None:
        """Put a person there, or change them."""
        names = {"givenName": name, "familyName": "Example", "fullName": f"{name} Example"}
        known = {"id": key, "kind": "admin#directory#user", "primaryEmail": f"{name.lower()}@example.com"}
        self.users[key] = {**known, "name": names, "suspended": False, "orgUnitPath": "/", **more}

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.asked.append(asked)
        return self.trouble.pop(len(self.asked), None) or self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            return self._token(asked)
        assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
        if asked.path == "/admin/directory/v1/users":
            assert asked.query["customer"] == ["my_customer"]
            return self._page(asked, "Users", list(self.users.values()))
        if asked.path == "/admin/directory/v1/groups":
            rows = [{"id": key, "kind": "admin#directory#group", "name": name} for key, name in self.groups.items()]
            return self._page(asked, "Groups", rows)
        found = re.fullmatch(r"/admin/directory/v1/groups/(\w+)/members", asked.path)
        assert found is not None, asked.path
        rows = [
            {"id": key, "kind": "admin#directory#member", "role": "MEMBER", "type": kind, "status": "ACTIVE"}
            for key, kind in self.members[found[1]]
        ]
        return self._page(asked, "Members", rows)

    def _token(self, asked: Asked) -> Answer:
        """Give a token to who acts as the reader, within the scopes that read."""
        claims = parse_qs(asked.body.decode())["assertion"][0].split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert all(scope.endswith(".readonly") for scope in told["scope"].split())
        if told["sub"] != SUBJECT:
            return Answer(
                status=401, data={"error": "unauthorized_client", "error_description": "Client is unauthorized"}
            )
        return Answer(data={"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        """Return a page; an empty list is left out, as Google leaves it out."""
        begin = int(asked.query.get("pageToken", ["0"])[0])
        data: dict[str, Any] = {"kind": f"admin#directory#{kind.lower()}"}
        if rows:
            data[kind.lower()] = rows[begin : begin + PAGE]
        if begin + PAGE < len(rows):
            data["nextPageToken"] = str(begin + PAGE)
        return held("google", kind, data)


def error(status: int, reason: str) -> Answer:
    """Return an error as Google says it."""
    one = {"domain": "usageLimits", "reason": reason, "message": reason}
    data = {"error": {"code": status, "message": reason, "errors": [one]}}
    return held("google", "Error", data, status=status)


@contextmanager
def google_site() -> Iterator[GoogleSite]:
    """Give an account with four people and two groups, one of them empty."""
    site = GoogleSite()
    site.person("g1", "Bea", organizations=[{"department": "Payments", "primary": True}])
    site.person("g2", "Cem", relations=[{"type": "manager", "value": "bea@example.com"}])
    site.person("g3", "Dora")
    site.person("g4", "Emil", suspended=True)
    site.groups = {"t1": "Engineers", "t2": "Nobody"}
    site.members = {"t1": [("g1", "USER"), ("g2", "USER"), ("g3", "USER"), ("t2", "GROUP")], "t2": []}
    with serving(site.answer) as server:
        site.address = server.address
        yield site
