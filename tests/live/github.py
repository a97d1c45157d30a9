"""A GitHub organization of its own for connectors.vet.live; tests.connectors.github_servers says what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.orders import Person, Unit
from tests.connectors import github_servers
from tests.connectors.github_site import Site, Token

TOKEN = "github_pat_live"


class GitHubLive:
    """An organization with two repositories, a team and a role; the person is a plain member."""

    def __init__(self, servers: github_servers.Servers) -> None:
        """Fill the organization."""
        self.servers, self.site = servers, servers.site
        self.site.users |= {"Octo-Ada": "User", "octo-ada-2": "User"}
        self.site.members |= {"Octo-Ada": "member", "octo-ada-2": "member"}
        self.site.tokens[TOKEN] = Token("latchkey-bot")
        self.payments = self.site.add_repository("payments", topics=("pci",))
        self.website = self.site.add_repository("website", private=False)
        self.platform = self.site.add_team("platform", members={"octo-ada-2": "member"})
        self.auditors = self.site.add_role("Auditors")
        self.config = {"organization": "acme", "api_address": servers.base, "login_attribute": "github_login"}
        self.secrets = {"token": TOKEN}
        self.person = Person("person-live", "Ada Live", ("ada@example.org",), {"github_login": ("octo-ada",)})
        self.units = (
            Unit("repository", self.payments.node_id, "PUSH"),
            Unit("repository", self.website.node_id, "ADMIN"),
            Unit("team", self.platform.node_id, "MEMBER"),
            Unit("organization_role", str(self.auditors.number), "ASSIGNED"),
            Unit("organization", "acme", "OWNER"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Say whether the site lets the account do what the unit permits."""
        login = "Octo-Ada"
        if unit.resource_type == "repository":
            # Own access only: as an owner everybody reaches everything.
            return self.site.repositories[unit.resource].direct.get(login) == unit.permission.lower()
        if unit.resource_type == "team":
            return login in self.site.teams[unit.resource].members
        if unit.resource_type == "organization":
            return self.site.members[login] == "admin"
        return login in self.site.roles[int(unit.resource)].direct

    def snapshot(self) -> object:
        """Return what a grant could touch; nothing may have been asked or answered against GitHub's descriptions."""
        assert self.servers.violations == []
        return self.site.snapshot()

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> None:
        """GitHub asks at every request what an account may."""
        return

    def give_standing(self, unit: Unit) -> bool:
        """Make the account a collaborator by hand."""
        self.site.repositories[unit.resource].direct["Octo-Ada"] = unit.permission.lower()
        return True

    def take_standing(self, unit: Unit) -> None:
        """Take that back."""
        del self.site.repositories[unit.resource].direct["Octo-Ada"]


def missing() -> str:
    """Return why there can be no such thing here."""
    return github_servers.missing()


@contextmanager
def live() -> Iterator[GitHubLive]:
    """Run an organization."""
    with github_servers.serving(Site()) as servers:
        yield GitHubLive(servers)
