"""Decides how much an account should have on each thing, and changes just that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import Refused, TargetError, TargetMissing
from connectors.contract.orders import Desired, Unit
from connectors.providers.github import programs
from connectors.providers.github.names import COLLABORATOR, INVITED, Thing, parse
from connectors.providers.github.reading import Holding, State
from connectors.providers.github.server import Target


@dataclass(slots=True)
class Share:
    """What an order says of one thing: the highest level held, and every level that is held or ends."""

    held: int = 0
    named: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Wanted:
    """What an order says of all things. `errors` are units that make no sense here."""

    shares: dict[Thing, Share] = field(default_factory=dict)
    units: dict[Unit, tuple[Thing, int]] = field(default_factory=dict)
    errors: dict[Unit, TargetError] = field(default_factory=dict)

    @classmethod
    def of(cls, desired: Desired, organization: str) -> Wanted:
        """Sort the units of an order by what they are on."""
        wanted = cls()
        for grant in desired.holds:
            for unit in grant.units:
                wanted.add(unit, organization, held=True)
        for ending in desired.gone:
            for unit in ending.units:
                wanted.add(unit, organization, held=False)
        return wanted

    def add(self, unit: Unit, organization: str, *, held: bool) -> None:
        """Take in one unit."""
        try:
            thing, level = parse(unit, organization)
        except TargetError as error:
            self.errors[unit] = error
            return
        self.units[unit] = (thing, level)
        share = self.shares.setdefault(thing, Share())
        share.named.add(level)
        share.held = max(share.held, level if held else 0)


def surplus(holding: Holding, share: Share, standing: int, state: State) -> bool:
    """Say whether the account has more than it should, by us.

    A level that is neither standing nor named by the order came from elsewhere, and stays. GitHub calls an owner of the
    organization a maintainer of each team they are in, whatever they were made.
    """
    named = holding.level in share.named or (holding.thing.resource_type == "team" and state.membership == "admin")
    return holding.level > max(standing, share.held) and named


def change(at: Target, state: State, holding: Holding, level: int) -> None:
    """Make the account have this level on a thing; 0 is nothing. Raises a TargetError."""
    if holding.archived:
        raise Refused(
            f"{holding.owner}/{holding.name} is archived: GitHub changes nothing about who may use it.",
            fix="Unarchive it for as long as this takes.",
        )
    if level > holding.level or not holding.works:
        _may_give(at, state, holding, level)
    {
        "repository": _repository,
        "team": _team,
        "organization_role": _role,
        "organization": _ownership,
    }[holding.thing.resource_type](at, state.login, holding, level)


def _may_give(at: Target, state: State, holding: Holding, level: int) -> None:
    """Raise a TargetError for what would give more than was asked for, or could not be taken back exactly."""
    if level and holding.thing.resource_type != "repository" and not state.is_member:
        words = "has not accepted the invitation to" if state.membership == "pending" else "is no member of"
        raise TargetMissing(
            f"{state.login} {words} {at.organization}. Giving this would make them one for good.",
            fix=f"Invite {state.login} to the organization first.",
        )
    if level and holding.owner and holding.owner.lower() != at.organization.lower():
        raise Refused(f"{holding.owner}/{holding.name} does not belong to {at.organization} any more.")
    if holding.other_role:
        raise Refused(
            f"{state.login} has the role {holding.other_role!r} in {holding.name}, and GitHub keeps one role: to give"
            " another would take this one.",
            fix="Give that role through a team.",
        )


def _repository(at: Target, login: str, holding: Holding, level: int) -> None:
    """Change the role in a repository, or the invitation to it."""
    place: dict[str, Any] = {"owner": holding.owner, "repository": holding.name}
    invitation = holding.invitation
    if invitation is not None and level and not invitation.expired:
        at.rest.change(programs.CHANGE_INVITATION, **place, invitation=invitation.number, role=INVITED[level])
        return
    if invitation is not None:
        at.rest.change(programs.WITHDRAW_INVITATION, **place, invitation=invitation.number, accept=(204, 404))
    if level:
        at.rest.change(programs.GRANT_REPOSITORY, **place, login=login, role=COLLABORATOR[level], accept=(201, 204))
    elif invitation is None:
        at.rest.change(programs.REVOKE_REPOSITORY, **place, login=login, accept=(204, 404))


def _team(at: Target, login: str, holding: Holding, level: int) -> None:
    """Change the role in a team."""
    place: dict[str, Any] = {"organization": at.organization, "team": holding.name, "login": login}
    if level:
        at.rest.change(programs.GRANT_TEAM, **place, role=("", "member", "maintainer")[level])
    else:
        at.rest.change(programs.REVOKE_TEAM, **place, accept=(204, 404))


def _role(at: Target, login: str, holding: Holding, level: int) -> None:
    """Assign an organization role, or take it."""
    program = programs.GRANT_ROLE if level else programs.REVOKE_ROLE
    accept = (204,) if level else (204, 404)
    at.rest.change(program, organization=at.organization, login=login, role=holding.thing.resource, accept=accept)


def _ownership(at: Target, login: str, holding: Holding, level: int) -> None:
    """Make a member an owner, or an owner a member."""
    program = programs.GRANT_OWNERSHIP if level else programs.REVOKE_OWNERSHIP
    at.rest.change(program, organization=at.organization, login=login)
