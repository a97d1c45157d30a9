"""An Okta organization: the four requests that are sent, answered from a state, each held against the description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.http_server import Answer, Asked, serving
from tests.people.description import held

LONG_AGO = "2026-01-05T08:00:00.000Z"
TOKEN = "00reader-token"


@dataclass
class OktaSite:
    """The state. `page` is how many a page holds; `trouble` maps the number of a request to its answer instead."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    page: int = 2
    now: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    def person(self, key: str, name: str, *, status: str = "ACTIVE", at: str = LONG_AGO, **profile: Any) -> None:
        """Put a person there, or change them."""
        email = f"{name.lower()}@example.com"
        known = {"login": email, "email": email, "firstName": name, "lastName": "Example"}
        self.users[key] = {"id": key, "status": status, "lastUpdated": at, "profile": known | profile}

    def group(self, key: str, name: str, *members: str, at: str = LONG_AGO) -> None:
        """Put a group there, or change it."""
        self.groups[key] = {
            "id": key,
            "type": "OKTA_GROUP",
            "lastUpdated": LONG_AGO,
            "lastMembershipUpdated": at,
            "profile": {"name": name, "description": None},
        }
        self.members[key] = list(members)

    def stamp(self) -> str:
        """Return the organization's own time as it writes it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        self.asked.append(asked)
        said = self.trouble.pop(len(self.asked), None) or self._answer(asked)
        said.headers["Date"] = format_datetime(self.now, usegmt=True)
        return said

    def _answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"SSWS {TOKEN}":
            return error(401, "E0000011", "Invalid token provided")
        if asked.path == "/api/v1/users/me":
            me = {"id": "00ume", "status": "ACTIVE", "profile": {"login": "reader@example.com"}}
            return held("okta", "User", me)
        if asked.path == "/api/v1/users":
            return self._page(asked, "Users", self._chosen(self.users, asked.query.get("search")))
        if asked.path == "/api/v1/groups":
            return self._page(asked, "Groups", self._chosen(self.groups, asked.query.get("filter")))
        found = re.fullmatch(r"/api/v1/groups/(\w+)/users", asked.path)
        if found is None or found[1] not in self.groups:
            return error(404, "E0000007", "Not found")
        return self._page(asked, "Users", [self.users[one] for one in self.members[found[1]]])

    def _chosen(self, rows: dict[str, dict[str, Any]], said: list[str] | None) -> list[dict[str, Any]]:
        """Return all that is not deactivated, or what an expression of ours selects."""
        if said is None:
            return [row for row in rows.values() if row.get("status") != "DEPROVISIONED"]
        terms = [re.fullmatch(r'(\w+) gt "([^"]+)"', one) for one in said[0].split(" or ")]
        assert all(terms), said
        known = [(one[1], one[2]) for one in terms if one]
        return [row for row in rows.values() if any(row.get(name, "") > moment for name, moment in known)]

    def _page(self, asked: Asked, kind: str, rows: list[dict[str, Any]]) -> Answer:
        begin = int(asked.query.get("after", ["0"])[0])
        links = [f'<{self.address}{asked.path}?limit=2>; rel="self"']
        if begin + self.page < len(rows):
            links.append(f'<{self.address}{asked.path}?after={begin + self.page}&limit=2>; rel="next"')
        return held("okta", kind, rows[begin : begin + self.page], headers={"Link": ", ".join(links)})


def error(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error as Okta says it."""
    data = {"errorCode": code, "errorSummary": words, "errorLink": code, "errorId": "oae1", "errorCauses": []}
    return held("okta", "Error", data, status=status, headers=headers or {})


def limited(site: OktaSite, seconds: int) -> Answer:
    """Return the answer to who asked too often, as Okta documents it: the moment is in a header of its own."""
    reset = str(int(site.now.timestamp()) + seconds)
    headers = {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset}
    return error(429, "E0000047", "API call exceeded rate limit due to too many requests.", headers)


@contextmanager
def okta_site() -> Iterator[OktaSite]:
    """Give an organization with five people and two groups."""
    site = OktaSite()
    site.person("00u1", "Bea", managerId=None, city="Berlin", department="Payments")
    site.person("00u2", "Cem", managerId="00u1", city="Köln")
    site.person("00u3", "Dora", managerId="bea@example.com")
    site.person("00u4", "Emil")
    site.person("00u5", "Rita", displayName="Rita Requester", city="Bonn")
    site.group("00g1", "Engineers", "00u1", "00u2", "00u3")
    site.group("00g2", "Everyone", "00u1", "00u2", "00u3", "00u4", "00u5")
    with serving(site.answer) as server:
        site.address = server.address
        yield site
