"""How GitHub's interfaces answer, from a Site."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.connectors.github_site import ORDER, READ, Invitation, Repository, Site, Team, Token

WRITE = {role: pushed for pushed, role in READ.items()} | {role: role for role in ORDER}


class Asked(NamedTuple):
    """One request."""

    token: Token
    values: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]


class Answered(NamedTuple):
    """One answer."""

    status: int
    data: Any = None


class Rest:
    """The REST interface."""

    def __init__(self, site: Site) -> None:
        """Answer from `site`."""
        self.site = site
        self.made = site.description.made
        org, repo = "/orgs/{org}", "/repos/{owner}/{repo}"
        routes: list[tuple[str, str, str, Callable[[Asked], Answered]]] = [
            ("GET", "/user", "", self.user),
            ("GET", "/users/{login}", "", self.account),
            ("GET", org, "", self.org),
            ("GET", f"{org}/repos", "", self.repos),
            ("GET", f"{org}/teams", "members:read", self.list_teams),
            ("PUT", f"{org}/teams/{{team}}/memberships/{{login}}", "members", self.put_team),
            ("DELETE", f"{org}/teams/{{team}}/memberships/{{login}}", "members", self.delete_team),
            ("GET", f"{org}/memberships/{{login}}", "members:read", self.membership),
            ("PUT", f"{org}/memberships/{{login}}", "members", self.put_membership),
            ("GET", f"{org}/organization-roles", "organization_custom_org_roles:read", self.list_roles),
            ("GET", f"{org}/organization-roles/{{role}}/users", "members:read", self.holders),
            ("PUT", f"{org}/organization-roles/users/{{login}}/{{role}}", "members", self.put_role),
            ("DELETE", f"{org}/organization-roles/users/{{login}}/{{role}}", "members", self.delete_role),
            ("PUT", f"{repo}/collaborators/{{login}}", "administration", self.put_collaborator),
            ("DELETE", f"{repo}/collaborators/{{login}}", "administration", self.delete_collaborator),
            ("GET", f"{repo}/invitations", "administration:read", self.invitations),
            ("PATCH", f"{repo}/invitations/{{number}}", "administration", self.patch_invitation),
            ("DELETE", f"{repo}/invitations/{{number}}", "administration", self.delete_invitation),
        ]
        self.routes = [
            (verb, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), permission, answer)
            for verb, path, permission, answer in routes
        ]

    def answer(self, method: str, path: str, token: Token, query: dict[str, str], body: dict[str, Any]) -> Answered:
        """Answer one request."""
        for verb, pattern, permission, answer in self.routes:
            found = pattern.fullmatch(path)
            if verb != method or found is None:
                continue
            values = found.groupdict()
            if values.get("org", self.site.organization).lower() != self.site.organization:
                return self.said(404, "Not Found")
            if permission and not token.may(permission):
                return self.said(403, "Resource not accessible by personal access token")
            with self.site.lock:
                return answer(Asked(token, values, query, body))
        return self.said(404, "Not Found")

    def said(self, status: int, words: str) -> Answered:
        """Return an error as GitHub words it."""
        url = "https://docs.github.com/rest"
        errors = {"errors": []} if status == 422 else {}
        return Answered(status, {"message": words, "documentation_url": url, "status": str(status), **errors})

    def simple(self, login: str) -> dict[str, Any]:
        return self.made("simple-user", login=login, type=self.site.users[login])

    def login(self, asked: Asked) -> str:
        """Return an account's login as it is written, or nothing."""
        written = {login.lower(): login for login in self.site.users}
        return written.get(asked.values["login"].lower(), "")

    def page(self, asked: Asked, items: list[Any]) -> Answered:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        return Answered(200, items[(page - 1) * size : page * size])

    def repository(self, asked: Asked) -> Repository | None:
        """Return a repository that the token may see."""
        found = [one for one in self.site.repositories.values() if one.name == asked.values["repo"]]
        seen = [one for one in found if asked.token.only is None or one.name in asked.token.only]
        return seen[0] if seen and asked.values["owner"].lower() == self.site.organization else None

    def team(self, asked: Asked) -> Team | None:
        return next((one for one in self.site.teams.values() if one.slug == asked.values["team"]), None)

    def user(self, asked: Asked) -> Answered:
        return Answered(200, self.made("public-user", login=asked.token.login, type="User", user_view_type="public"))

    def account(self, asked: Asked) -> Answered:
        if not (login := self.login(asked)):
            return self.said(404, "Not Found")
        made = self.made("public-user", login=login, type=self.site.users[login], user_view_type="public")
        return Answered(200, made)

    def org(self, asked: Asked) -> Answered:
        private = [one.private for one in self.site.repositories.values()]
        counts = {"total_private_repos": sum(private)} if asked.token.may("organization_administration:read") else {}
        made = self.made("organization-full", login=self.site.organization, public_repos=private.count(False), **counts)
        return Answered(200, made)

    def repos(self, asked: Asked) -> Answered:
        seen = [
            one
            for one in self.site.repositories.values()
            if asked.token.only in (None, set()) or one.name in (asked.token.only or ())
        ]
        return self.page(asked, [self.minimal(one) for one in seen])

    def minimal(self, one: Repository) -> dict[str, Any]:
        return self.made(
            "minimal-repository",
            name=one.name,
            full_name=f"{self.site.organization}/{one.name}",
            node_id=one.node_id,
            private=one.private,
            visibility="private" if one.private else "public",
            archived=one.archived,
            topics=list(one.topics),
            default_branch="main",
        )

    def list_teams(self, asked: Asked) -> Answered:
        made = {
            one.slug: self.made(
                "team", name=one.slug, slug=one.slug, node_id=one.node_id, parent=None, type="organization"
            )
            for one in self.site.teams.values()
        }
        for one in self.site.teams.values():
            if one.parent:
                made[one.slug]["parent"] = self.made("nullable-team-simple", slug=one.parent, name=one.parent)
        return self.page(asked, list(made.values()))

    def put_team(self, asked: Asked) -> Answered:
        team, login = self.team(asked), self.login(asked)
        if team is None or not login:
            return self.said(404, "Not Found")
        role = asked.body.get("role", "member")
        if login not in self.site.members:
            self.site.invited.add(login)
            return Answered(200, self.made("team-membership", role=role, state="pending"))
        team.members[login] = role
        return Answered(200, self.made("team-membership", role=self.role_in(team, login), state="active"))

    def role_in(self, team: Team, login: str) -> str:
        """Return a member's role: an owner of the organization is a maintainer everywhere."""
        return "maintainer" if self.site.members.get(login) == "admin" else team.members[login]

    def delete_team(self, asked: Asked) -> Answered:
        team = self.team(asked)
        if team is None or team.members.pop(self.login(asked), None) is None:
            return self.said(404, "Not Found")
        return Answered(204)

    def membership(self, asked: Asked) -> Answered:
        if asked.token.login not in self.site.members:
            return self.said(403, "You must be a member of the organization.")
        login = self.login(asked)
        state = "active" if login in self.site.members else "pending"
        if login not in {*self.site.members, *self.site.invited}:
            return self.said(404, "Not Found")
        role = self.site.members.get(login, "member")
        return Answered(200, self.made("org-membership", state=state, role=role, user=self.simple(login)))

    def put_membership(self, asked: Asked) -> Answered:
        login, role = self.login(asked), asked.body.get("role", "member")
        owners = [one for one, held in self.site.members.items() if held == "admin"]
        if role == "member" and owners == [login]:
            return self.said(403, "You can't demote the last owner.")
        if login not in self.site.members:
            self.site.invited.add(login)
        else:
            self.site.members[login] = role
        return self.membership(asked)

    def list_roles(self, asked: Asked) -> Answered:
        roles = [
            self.made("organization-role", id=one.number, name=one.name, organization=None)
            for one in self.site.roles.values()
        ]
        return Answered(200, {"total_count": len(roles), "roles": roles})

    def holders(self, asked: Asked) -> Answered:
        role = self.site.roles.get(int(asked.values["role"]))
        if role is None:
            return Answered(404)
        made = [
            self.made("user-role-assignment", login=login, assignment=how)
            for login, how in self.site.holders(role).items()
        ]
        return self.page(asked, made)

    def put_role(self, asked: Asked) -> Answered:
        role, login = self.site.roles.get(int(asked.values["role"])), self.login(asked)
        if role is None or not login:
            return Answered(404)
        if login not in self.site.members:
            return Answered(422)
        role.direct.add(login)
        return Answered(204)

    def delete_role(self, asked: Asked) -> Answered:
        role = self.site.roles.get(int(asked.values["role"]))
        if role is not None:
            role.direct.discard(self.login(asked))
        return Answered(204)

    def put_collaborator(self, asked: Asked) -> Answered:
        repository, login = self.repository(asked), self.login(asked)
        if repository is None or not login:
            return self.said(404, "Not Found")
        role = asked.body.get("permission", "push")
        if repository.archived:
            return self.said(403, "Repository was archived so is read-only.")
        if role not in {*ORDER, *self.site.custom_roles}:
            return self.said(422, "Validation Failed")
        if self.site.members.get(login) == "admin":
            return Answered(204)
        if login in self.site.members and self.site.base_role and ORDER.index(role) < ORDER.index(self.site.base_role):
            return self.said(422, f"Cannot assign {login} permission of {role}")
        if login in self.site.members or login in repository.direct:
            repository.direct[login] = role
            return Answered(204)
        invitation = next((one for one in repository.invitations if one.login == login), None)
        if invitation is None:
            invitation = Invitation(next(self.site.numbers), login, role)
            repository.invitations.append(invitation)
        return Answered(201, self.invitation(repository, invitation))

    def delete_collaborator(self, asked: Asked) -> Answered:
        repository = self.repository(asked)
        if repository is None:
            return self.said(404, "Not Found")
        if repository.archived:
            return self.said(403, "Repository was archived so is read-only.")
        repository.direct.pop(self.login(asked), None)
        return Answered(204)

    def invitation(self, repository: Repository, one: Invitation) -> dict[str, Any]:
        return self.made(
            "repository-invitation",
            id=one.number,
            repository=self.minimal(repository),
            invitee=self.simple(one.login),
            inviter=self.simple("latchkey-bot"),
            permissions=READ[one.role],
            expired=one.expired,
            html_url=f"https://github.com/{self.site.organization}/{repository.name}/invitations",
        )

    def invitations(self, asked: Asked) -> Answered:
        repository = self.repository(asked)
        if repository is None:
            return self.said(404, "Not Found")
        return self.page(asked, [self.invitation(repository, one) for one in repository.invitations])

    def patch_invitation(self, asked: Asked) -> Answered:
        repository = self.repository(asked)
        for one in repository.invitations if repository is not None else []:
            if one.number == int(asked.values["number"]):
                one.role = WRITE[asked.body["permissions"]]
                return Answered(200, self.invitation(repository, one))  # type: ignore[arg-type]
        return self.said(404, "Not Found")

    def delete_invitation(self, asked: Asked) -> Answered:
        repository = self.repository(asked)
        if repository is None:
            return self.said(404, "Not Found")
        repository.invitations = [one for one in repository.invitations if one.number != int(asked.values["number"])]
        return Answered(204)


def tree(site: Site, token: Token, variables: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a GraphQL question may read, and the errors that GitHub puts beside its answer."""
    with site.lock:
        seen = [
            one for one in site.repositories.values() if not one.private or token.only is None or one.name in token.only
        ]
        organization = {"repositories": {"totalCount": len(seen)}}
        if "ids" not in variables:
            return {"organization": organization}, []
        nodes, errors = [], []
        for number, id_ in enumerate(variables["ids"]):
            node, kind = _node(site, token, seen, id_, variables["login"])
            nodes.append(node)
            if kind:
                path = ["nodes", number] + (["collaborators"] if node else [])
                words = f"Could not resolve to a node with the global id of '{id_}'"
                errors.append({"type": kind, "path": path, "message": words if kind == "NOT_FOUND" else "Forbidden."})
        return {"nodes": nodes}, errors


def _node(site: Site, token: Token, seen: list[Repository], id_: str, login: str) -> tuple[dict[str, Any] | None, str]:
    """Return one node, or why there is none."""
    repository = next((one for one in seen if one.node_id == id_), None)
    team = site.teams.get(id_)
    if repository is not None:
        if not token.may("administration:read"):
            return {**_repository(site, repository), "collaborators": None}, "FORBIDDEN"
        sources = site.sources(repository, login)
        levels = {"pull": "READ", "triage": "READ", "push": "WRITE", "maintain": "WRITE", "admin": "ADMIN"}
        told = [
            {"permission": levels.get(role, "WRITE"), "roleName": READ.get(role, role), "source": {"__typename": kind}}
            for kind, role in sources
        ]
        edges = [{"node": {"__typename": "User", "login": login}, "permissionSources": told}] if told else []
        return {**_repository(site, repository), "collaborators": {"edges": edges}}, ""
    if team is not None and token.may("members:read"):
        # The search finds parts of names too, as GitHub's does.
        members = [one for one in team.members if login.lower() in one.lower()]
        edges = [
            {
                "role": "MAINTAINER" if site.members.get(one) == "admin" else team.members[one].upper(),
                "node": {"__typename": "User", "login": one},
            }
            for one in members
        ]
        url = f"https://github.com/orgs/{site.organization}/teams/{team.slug}"
        place = {"name": team.slug, "slug": team.slug, "url": url, "organization": {"login": site.organization}}
        return {"__typename": "Team", **place, "members": {"edges": edges}}, ""
    return None, "NOT_FOUND"


def _repository(site: Site, one: Repository) -> dict[str, Any]:
    return {
        "__typename": "Repository",
        "name": one.name,
        "url": f"https://github.com/{site.organization}/{one.name}",
        "isArchived": one.archived,
        "owner": {"__typename": "Organization", "login": site.organization},
    }
