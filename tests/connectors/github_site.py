"""GitHub, as far as access goes, with a state: an organization, its people, repositories, teams and roles.

What its two interfaces answer is judged against GitHub's own published descriptions on the way out, and what is asked
on the way in (tests.connectors.github_servers). How it behaves is written after the words of those descriptions.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.github_description import DESCRIPTION

ORDER = ("pull", "triage", "push", "maintain", "admin")
READ = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
FINE_GRAINED = {"administration", "organization_administration:read", "members", "organization_custom_org_roles:read"}


@dataclass
class Invitation:
    """An open invitation."""

    number: int
    login: str
    role: str
    expired: bool = False


@dataclass
class Repository:
    """A repository: its own collaborators, and the teams that have it."""

    name: str
    node_id: str
    private: bool = True
    archived: bool = False
    topics: tuple[str, ...] = ()
    direct: dict[str, str] = field(default_factory=dict)
    invitations: list[Invitation] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)


@dataclass
class Team:
    """A team, and who is in it."""

    slug: str
    node_id: str
    parent: str = ""
    members: dict[str, str] = field(default_factory=dict)


@dataclass
class Role:
    """An organization role, and who has it: people, and teams."""

    number: int
    name: str
    direct: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)


@dataclass
class Token:
    """A token: a fine-grained one with permissions, or a classic one with scopes."""

    login: str
    permissions: set[str] = field(default_factory=lambda: set(FINE_GRAINED))
    scopes: str = ""
    # Repositories that a fine-grained token was made for; None is all.
    only: set[str] | None = None

    def may(self, permission: str) -> bool:
        """Say whether the token has a permission; the one to write includes the one to read."""
        return bool(self.scopes) or bool({permission, permission.removesuffix(":read")} & self.permissions)


class Site:
    """The state of one organization."""

    def __init__(self) -> None:
        """Begin with an owner and nothing else."""
        self.lock = threading.RLock()
        self.description = DESCRIPTION
        self.organization = "acme"
        self.users: dict[str, str] = {"latchkey-bot": "User", "acme": "Organization"}
        self.members: dict[str, str] = {"latchkey-bot": "admin"}
        self.invited: set[str] = set()
        self.repositories: dict[str, Repository] = {}
        self.teams: dict[str, Team] = {}
        self.roles: dict[int, Role] = {}
        self.base_role = ""
        self.custom_roles: set[str] = set()
        self.tokens: dict[str, Token] = {}
        self.numbers = itertools.count(1)

    def add_repository(self, name: str, **more: Any) -> Repository:
        """Make a repository."""
        made = Repository(name, f"R_kgDO{next(self.numbers):04d}", **more)
        self.repositories[made.node_id] = made
        return made

    def add_team(self, slug: str, **more: Any) -> Team:
        """Make a team."""
        made = Team(slug, f"T_kwDO{next(self.numbers):04d}", **more)
        self.teams[made.node_id] = made
        return made

    def add_role(self, name: str) -> Role:
        """Make an organization role."""
        made = Role(next(self.numbers), name)
        self.roles[made.number] = made
        return made

    def accept(self, repository: Repository, login: str) -> None:
        """Accept the invitation to a repository, as its invitee does."""
        with self.lock:
            (invitation,) = [one for one in repository.invitations if one.login == login and not one.expired]
            repository.invitations.remove(invitation)
            repository.direct[login] = invitation.role

    def sources(self, repository: Repository, login: str) -> list[tuple[str, str]]:
        """Return where an account's access to a repository comes from: the kind of source, and the role."""
        found = [("Repository", repository.direct[login])] if login in repository.direct else []
        for slug, role in repository.teams.items():
            if any(login in team.members for team in self.with_children(slug)):
                found.append(("Team", role))
        if login in self.members and self.base_role:
            found.append(("Organization", self.base_role))
        if self.members.get(login) == "admin":
            found.append(("Organization", "admin"))
        return found

    def may(self, repository: Repository, login: str, role: str) -> bool:
        """Say whether an account may do in a repository what a role permits."""
        with self.lock:
            roles = [found for _, found in self.sources(repository, login) if found in ORDER]
            return any(ORDER.index(found) >= ORDER.index(role) for found in roles)

    def with_children(self, slug: str) -> list[Team]:
        """Return a team and those below it."""
        below = [team.slug for team in self.teams.values() if team.parent == slug]
        return [team for team in self.teams.values() if team.slug == slug] + [
            team for child in below for team in self.with_children(child)
        ]

    def holders(self, role: Role) -> dict[str, str]:
        """Return who has a role, and how."""
        by_team = {login for team in self.teams.values() if team.slug in role.teams for login in team.members}
        return {
            login: "mixed"
            if login in role.direct and login in by_team
            else ("direct" if login in role.direct else "indirect")
            for login in sorted(role.direct | by_team)
        }

    def snapshot(self) -> object:
        """Return everything that a grant could touch."""
        with self.lock:
            return (
                dict(self.members),
                {
                    one.name: (dict(one.direct), [(i.login, i.role, i.expired) for i in one.invitations])
                    for one in self.repositories.values()
                },
                {team.slug: dict(team.members) for team in self.teams.values()},
                {role.name: sorted(role.direct) for role in self.roles.values()},
            )
