"""Reads from AWS what a person has there: users that we made, and users of the person's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.contract.errors import TargetMissing
from connectors.contract.orders import Desired, Found, Grant, Order, ReadBack, Unit

from . import programs
from .account import Account
from .kinds import ATTACH
from .names import POLICY, Marker, own_names, person_marker
from .policies import Document, Piece, pieces, shuts
from .wanting import KEY_ACTIONS, Wanted


@dataclass(slots=True)
class Login:
    """A user of ours, as AWS has it now. `own` are the managed policies made for it, by ARN; `attached` maps ARNs of
    policies and groups that others made to their names.
    """

    name: str
    arn: str
    grant_id: str
    keys: list[str] = field(default_factory=list)
    inline: dict[str, Document] = field(default_factory=dict)
    own: dict[str, Document] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def shut(self, now: float) -> bool:
        """Say whether everything is denied to it."""
        return any(shuts(document, now) for document in self.inline.values())

    def over(self, now: float) -> bool:
        """Say whether nothing is left of the access."""
        left = self.keys or self.own or self.policies or self.groups or self.inline.keys() - {POLICY}
        return self.shut(now) and not left

    @property
    def attached(self) -> set[str]:
        """Return the ARNs of what others made and it has."""
        return self.policies.keys() | self.groups.keys()

    def pieces(self, now: float) -> frozenset[Piece]:
        """Return what its own policies allow, piece by piece."""
        documents = [*self.inline.values(), *self.own.values()]
        return frozenset[Piece]().union(*(pieces(document, now) for document in documents))

    def holds(self, one: Wanted, now: float) -> bool:
        """Say whether it has a unit, and may use it."""
        return not self.shut(now) and one.held(self.attached, self.pieces(now))


@dataclass(slots=True)
class State:
    """What was read in one go. `loose` are managed policies of this person that no user has."""

    marker: Marker
    read_at: float = 0.0
    ours: dict[str, Login] = field(default_factory=dict)
    standing: list[Found] = field(default_factory=list)
    loose: dict[str, str] = field(default_factory=dict)

    def held(self, grant: Grant) -> Login | None:
        """Return the user of a grant."""
        login = self.ours.get(grant.login)
        return login if login is not None and login.grant_id == grant.grant_id else None

    def of(self, grant_id: str, name: str) -> list[Login]:
        """Return our users that have this name or belong to this grant."""
        return [login for login in self.ours.values() if name == login.name or grant_id == login.grant_id]

    def to_end(self, desired: Desired) -> list[Login]:
        """Return our users that the person should not have."""
        kept = {login.name for grant in desired.holds if (login := self.held(grant)) is not None}
        return [login for name, login in self.ours.items() if name not in kept]


def desired_of(order: Order) -> Desired:
    """Return what an order about a person wants; the runner has seen to it that there is one."""
    assert order.desired is not None
    return order.desired


def read(at: Account, order: Order) -> State:
    """Read everything about one person."""
    desired = desired_of(order)
    marker = person_marker(order.integration_id, desired.person)
    state = State(marker)
    own = _own_policies(at, marker)
    for page in at.cloud.pages(programs.USERS, path=marker.path):
        for user in page["Users"]:
            login = Login(user["UserName"], user["Arn"], marker.grant_in(user["Path"]))
            _fill(at, login, own)
            state.ours[login.name] = login
    had = {arn for login in state.ours.values() for arn in login.own}
    state.loose = {arn: grant for arn, grant in own.items() if arn not in had}
    for name in own_names(desired):
        if name not in state.ours:
            state.standing += _standing(at, name)
    state.read_at = at.cloud.now
    return state


def _own_policies(at: Account, marker: Marker) -> dict[str, str]:
    """Return the managed policies made for this person: grant ids by ARN."""
    found: dict[str, str] = {}
    for page in at.cloud.pages(programs.POLICIES_BELOW, path=marker.path):
        found |= {one["Arn"]: marker.grant_in(one["Path"]) for one in page["Policies"]}
    return found


def _fill(at: Account, login: Login, own: dict[str, str]) -> None:
    """Read what one of our users has. One that vanishes meanwhile has nothing."""
    cloud, name = at.cloud, login.name
    try:
        for page in cloud.pages(programs.KEYS, login=name):
            login.keys += [key["AccessKeyId"] for key in page["AccessKeyMetadata"]]
        for page in cloud.pages(programs.USER_POLICIES, login=name):
            for policy in page["PolicyNames"]:
                login.inline[policy] = cloud.read(programs.USER_POLICY, login=name, name=policy)["PolicyDocument"]
        login.policies, login.groups = _attached(at, name)
        for arn in [arn for arn in login.policies if arn in own]:
            del login.policies[arn]
            login.own[arn] = _document(at, arn)
    except TargetMissing:
        return


def _attached(at: Account, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the managed policies and the groups of a user: names by ARN."""
    policies: dict[str, str] = {}
    groups: dict[str, str] = {}
    for page in at.cloud.pages(programs.ATTACHED_POLICIES, login=name):
        policies |= {one["PolicyArn"]: one["PolicyName"] for one in page["AttachedPolicies"]}
    for page in at.cloud.pages(programs.GROUPS_OF_USER, login=name):
        groups |= {one["Arn"]: one["GroupName"] for one in page["Groups"]}
    return policies, groups


def _document(at: Account, arn: str) -> Document:
    """Return what a managed policy says now."""
    version = at.cloud.read(programs.POLICY, policy=arn)["Policy"]["DefaultVersionId"]
    found = at.cloud.read(programs.POLICY_DOCUMENT, policy=arn, version=version)["PolicyVersion"]["Document"]
    assert isinstance(found, dict)
    return found


def _standing(at: Account, name: str) -> list[Found]:
    """Return what a user of the person's own has by groups and managed policies."""
    try:
        user = at.cloud.read(programs.USER, login=name)["User"]
        if user["UserName"] != name:
            return []
        policies, groups = _attached(at, name)
    except TargetMissing:
        return []
    units = [Unit("iam-policy", arn, ATTACH) for arn in policies] + [Unit("iam-group", arn, ATTACH) for arn in groups]
    return [Found(unit, name) for unit in units]


def read_back(state: State, wanted: dict[str, list[Wanted]], held: Iterable[str]) -> ReadBack:
    """Return the state as a proof. `wanted` has the units of every grant, `held` the ids of those in force."""
    in_force, ours = set(held), []
    for login in state.ours.values():
        should = wanted.get(login.grant_id, [])
        found = [one for one in should if login.holds(one, state.read_at)]
        ours += [Found(one.unit, login.name, login.grant_id) for one in found]
        if login.over(state.read_at):
            continue
        more = [*_attached_by_others(login, found), *_more_than(state, login, should)]
        if login.grant_id not in in_force:
            more += [Unit("login", login.arn, "KEY") for _ in login.keys]
        ours += [Found(unit, login.name, login.grant_id) for unit in more]
    return ReadBack(read_at=state.read_at, ours=tuple(ours), standing=tuple(state.standing))


def _attached_by_others(login: Login, found: list[Wanted]) -> Iterable[Unit]:
    """Yield the groups and policies that a user has beyond its units."""
    known = {one.attached for one in found}
    yield from (Unit("iam-policy", arn, ATTACH) for arn in login.policies if arn not in known)
    yield from (Unit("iam-group", arn, ATTACH) for arn in login.groups if arn not in known)


def _more_than(state: State, login: Login, should: list[Wanted]) -> Iterable[Unit]:
    """Yield the policies of a user that allow more than they should; what is for a resource's key is no more."""
    if login.shut(state.read_at):
        return
    right = frozenset[Piece]().union(*(one.pieces for one in should))
    for name, document in sorted((login.inline | login.own).items()):
        if any(piece[1] not in KEY_ACTIONS for piece in pieces(document, state.read_at) - right):
            yield Unit("policy", f"{login.arn} {name}", "ALLOW")
