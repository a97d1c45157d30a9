"""Logins made for grants, on a target where a login owns nothing: how they are named, marked and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, unquote

from connectors.contract.errors import Misconfigured, TargetError
from connectors.contract.orders import Desired, Ending, Grant, Person, Unit
from connectors.contract.secret import Secret


@dataclass(frozen=True, slots=True)
class Login:
    """A login, as the target has it now. `units` has what it holds; what is no unit of ours in the target's words.

    `partly` is what only a part of the target lets it do (one of several nodes). `there`: the target still has the
    login. What is not there may still have sessions.
    """

    name: str
    grant_id: str
    units: frozenset[Unit] = frozenset()
    can_login: bool = False
    sessions: int = 0
    there: bool = True
    partly: frozenset[Unit] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """What was read in one go, about one person.

    `foreign` are logins with a name of the order that do not bear this person's marker. `unknown` are parts of the
    target that could not be asked, with the reason: nothing that is to be gone is proven gone while there are any.
    """

    read_at: float
    ours: dict[str, Login]
    standing: dict[str, Login]
    foreign: frozenset[str] = frozenset()
    unknown: dict[str, TargetError] = field(default_factory=dict)

    def held(self, grant: Grant) -> Login | None:
        """Return the login of a grant, if it is there."""
        login = self.ours.get(grant.login)
        return login if login is not None and login.there and login.grant_id == grant.grant_id else None

    def of(self, ending: Ending, desired: Desired) -> list[Login]:
        """Return the logins of an ended grant, never one that a grant in force has."""
        kept = {grant.login for grant in desired.holds if self.held(grant) is not None}
        own = [one for one in self.ours.values() if one.grant_id == ending.grant_id or one.name == ending.login]
        return [login for login in own if login.name not in kept]

    def to_end(self, desired: Desired) -> list[Login]:
        """Return our logins that the person should not have."""
        kept = {grant.login for grant in desired.holds if self.held(grant) is not None}
        return [login for name, login in self.ours.items() if name not in kept]


@dataclass(slots=True)
class Given:
    """What became of one grant. `opened`: there was no login before this run."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    password: Secret | None = None
    opened: bool = False


class Accounts(Protocol):
    """A target with logins, as one order sees it."""

    def read(self) -> State:
        """Return what the person of the order has, and what bears a name of the order. Raises a TargetError."""

    def refusals(self, grant: Grant) -> dict[Unit, TargetError]:
        """Return the units of a grant that cannot be given, each with the reason."""

    def give(self, grant: Grant, login: Login | None, units: tuple[Unit, ...], given: Given) -> None:
        """Make the login of a grant hold exactly `units`, and fill in `given`. Raises a TargetError."""

    def set_password(self, login: Login) -> Secret:
        """Give a login a new password and return it. Raises a TargetError."""

    def end(self, login: Login) -> int:
        """Remove a login and end its sessions; return how many there were. Raises a TargetError if some are left."""

    def settle(self) -> None:
        """Make what was changed last, where that takes a step of its own. Raises a TargetError."""

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what the grantee needs to connect, but for the password."""


def sorted_units(units: Iterable[Unit]) -> list[Unit]:
    """Return units in an order that does not change from run to run."""
    return sorted(units, key=lambda unit: (unit.resource_type, unit.resource, unit.permission))


def mark(integration_id: str, person: Person, grant_id: str) -> str:
    """Return the marker of a grant's login: latchkey/integration/person/grant, each percent-encoded."""
    ids = (integration_id, person.person_id, grant_id)
    if not all(ids):
        raise Misconfigured("An order without ids cannot be marked at the target.")
    return "/".join(["latchkey", *(quote(id_, safe="") for id_ in ids)])


def marked_grant(marker: str, integration_id: str, person: Person) -> str | None:
    """Return the grant that a marker names, if it is one of this person in this integration."""
    beginning = mark(integration_id, person, "x")[:-1]
    rest = marker.removeprefix(beginning)
    return unquote(rest) if marker.startswith(beginning) and rest and "/" not in rest else None


def standing_names(person: Person) -> frozenset[str]:
    """Return what the person's own logins may be called.

    The rule: the person's name and aliases, exactly and in lower case, and for an e-mail address also what is before
    the @. A login of that name is taken for the person's, unless it bears a marker of ours.
    """
    names = {person.name, *person.aliases}
    names |= {name.partition("@")[0] for name in names}
    return frozenset(filter(None, names | {name.lower() for name in names}))


def merged(logins: Iterable[Login]) -> Login:
    """Return what several parts of a target say of one login as one: it holds what all of them have, the sessions add
    up, and it is there if it is there anywhere."""
    first, *others = logins
    for other in others:
        first = replace(
            first,
            units=first.units & other.units,
            partly=first.partly | other.partly | (first.units ^ other.units),
            can_login=first.can_login and other.can_login,
            sessions=first.sessions + other.sessions,
            there=first.there or other.there,
        )
    return first
