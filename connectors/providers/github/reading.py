"""Reads from GitHub what an account has, and where from: its own role apart from what others give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, NotPermitted, TargetError, TargetMissing
from connectors.providers.github import programs
from connectors.providers.github.names import LEVELS, ROLES, Thing
from connectors.providers.github.server import IDS, Target, clock, graph_error

NODES = {"repository": "Repository", "team": "Team"}
# What the older of two fields says where the newer is silent.
PERMISSIONS = {"READ": 1, "WRITE": 3, "ADMIN": 5}
UNSEEN = "GitHub shows nothing there, and the token does not see all of the organization: nothing is proven."


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation to a repository."""

    number: int
    url: str
    expired: bool


@dataclass(slots=True)
class Holding:
    """What an account has on one thing. `level` is what it has itself, or is invited to; `elsewhere` what others give.

    `other_role` is a role of the organization's own making that the account has itself. `error` says why nothing is
    known; TargetMissing: there is no such thing.
    """

    thing: Thing
    level: int = 0
    elsewhere: int = 0
    other_role: str = ""
    owner: str = ""
    name: str = ""
    url: str = ""
    archived: bool = False
    invitation: Invitation | None = None
    error: TargetError | None = None

    @property
    def works(self) -> int:
        """Return the level that the account can use, or take up by itself."""
        own = 0 if self.invitation is not None and self.invitation.expired else self.level
        return max(own, self.elsewhere)


@dataclass(slots=True)
class State:
    """What was read in one go. `membership` is member, admin (an owner), pending, or empty for an outsider."""

    login: str
    read_at: float
    membership: str = ""
    holdings: dict[Thing, Holding] = field(default_factory=dict)

    @property
    def is_member(self) -> bool:
        """Say whether the account belongs to the organization."""
        return self.membership in ("member", "admin")


def read(at: Target, login: str, things: Iterable[Thing]) -> State:
    """Read what an account has on these things."""
    membership, read_at = _membership(at, login)
    state = State(login, read_at, membership)
    state.holdings = {thing: Holding(thing) for thing in things}
    nodes = [holding for holding in state.holdings.values() if holding.thing.resource_type in NODES]
    for start in range(0, len(nodes), IDS):
        _read_nodes(at, state, nodes[start : start + IDS])
    for holding in state.holdings.values():
        try:
            _read_rest(at, state, holding)
        except LeaseLost:
            raise
        except TargetError as error:
            holding.error = error
    return state


def sees_everything(at: Target) -> bool:
    """Say whether the token sees all of the organization, so that what it does not see is not there.

    GitHub says of what may not be seen that it is not there. The token has to be an owner's, and see as many
    repositories as the organization says it has.
    """
    login = str(_object(at.rest.read(programs.READ_CONNECTOR).data).get("login", ""))
    if not login or _membership(at, login)[0] != "admin":
        return False
    organization = _object(at.rest.read(programs.READ_ORGANIZATION, organization=at.organization).data)
    private = organization.get("total_private_repos")
    if not isinstance(private, int):
        return False
    answer = _object(at.graph.read(programs.COUNT_REPOSITORIES, organization=at.organization).data)
    counted = _object(_object(_object(answer.get("data")).get("organization")).get("repositories"))
    return bool(counted.get("totalCount") == private + int(organization.get("public_repos", 0)))


def doubt(at: Target, state: State) -> None:
    """Turn every "is not there" into an error where the token does not see everything."""
    missing = [one for one in state.holdings.values() if isinstance(one.error, TargetMissing)]
    if missing and not sees_everything(at):
        for holding in missing:
            holding.error = NotPermitted(UNSEEN, fix="Use an owner's token for all repositories: setup/1_token.md.")


def _membership(at: Target, login: str) -> tuple[str, float]:
    """Return what an account is in the organization, and when by GitHub's own clock."""
    answer = at.rest.read(programs.READ_MEMBERSHIP, organization=at.organization, login=login, accept=(200, 404))
    data = _object(answer.data)
    if answer.status == 404:
        return "", clock(answer)
    return str(data.get("role")) if data.get("state") == "active" else "pending", clock(answer)


def _read_nodes(at: Target, state: State, holdings: list[Holding]) -> None:
    """Read repositories and teams."""
    nodes, errors = at.nodes([holding.thing.resource for holding in holdings], state.login)
    for number, (holding, node) in enumerate(zip(holdings, nodes, strict=True)):
        said = [error for error in errors if list(error.get("path") or [])[:2] == ["nodes", number]]
        if said:
            holding.error = graph_error(said[0], programs.READ_HOLDINGS)
        elif not isinstance(node, dict):
            holding.error = TargetMissing("GitHub has it no more.")
        elif node.get("__typename") != NODES[holding.thing.resource_type]:
            holding.error = Misconfigured(f"{holding.thing.resource!r} is no {holding.thing.resource_type} at GitHub.")
        elif holding.thing.resource_type == "repository":
            _repository(holding, node, state.login)
        else:
            _team(holding, node, state.login)


def _repository(holding: Holding, node: dict[str, Any], login: str) -> None:
    """Take in a repository."""
    holding.owner, holding.name = str(node["owner"]["login"]), str(node["name"])
    holding.url, holding.archived = str(node["url"]), bool(node["isArchived"])
    for edge in _edges(node, "collaborators", login):
        for source in edge.get("permissionSources") or []:
            role = str(source.get("roleName") or "").lower()
            level = ROLES.get(role) or PERMISSIONS.get(str(source.get("permission")), 0)
            if source["source"]["__typename"] != "Repository":
                holding.elsewhere = max(holding.elsewhere, level)
            elif role and role not in ROLES:
                holding.other_role = str(source["roleName"])
            else:
                holding.level = max(holding.level, level)


def _team(holding: Holding, node: dict[str, Any], login: str) -> None:
    """Take in a team. Members of its child teams are members only there."""
    holding.owner, holding.name = str(node["organization"]["login"]), str(node["slug"])
    holding.url = str(node["url"])
    for edge in _edges(node, "members", login):
        holding.level = LEVELS["team"].index(str(edge["role"])) + 1


def _edges(node: dict[str, Any], name: str, login: str) -> Iterator[dict[str, Any]]:
    """Yield the edges of a connection that lead to this account, and not to one with a similar name."""
    connection = node.get(name)
    if not isinstance(connection, dict):
        raise NotPermitted(f"GitHub does not say who {name} are.", fix=f"It needs {programs.READ_HOLDINGS.needs}.")
    for edge in connection.get("edges") or []:
        if str(edge["node"]["login"]).lower() == login.lower():
            yield edge


def _read_rest(at: Target, state: State, holding: Holding) -> None:
    """Read what only the other interface tells."""
    kind, resource = holding.thing
    if kind == "repository" and holding.error is None and not holding.level:
        _read_invitation(at, state, holding)
    elif kind == "organization_role":
        holding.name = resource
        holders = at.items(programs.READ_ROLE_HOLDERS, organization=at.organization, role=resource)
        mine = next((one for one in holders if str(one.get("login")).lower() == state.login.lower()), {})
        holding.level = int(mine.get("assignment") in ("direct", "mixed"))
        holding.elsewhere = int(mine.get("assignment") in ("indirect", "mixed"))
    elif kind == "organization":
        holding.name, holding.level = at.organization, int(state.membership == "admin")


def _read_invitation(at: Target, state: State, holding: Holding) -> None:
    """Read the invitation to a repository that the account has not accepted yet."""
    found = at.items(programs.READ_INVITATIONS, owner=holding.owner, repository=holding.name)
    for one in found:
        if str(_object(one.get("invitee")).get("login")).lower() == state.login.lower():
            holding.level = ROLES.get(str(one["permissions"]), 0)
            holding.invitation = Invitation(int(one["id"]), str(one["html_url"]), bool(one.get("expired")))
            return


def _object(data: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return data if isinstance(data, dict) else {}
