"""What a target where every grant gets a login of its own has to be able to do, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Desired, Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.engines.holdings import Holdings, Wanted


@dataclass(slots=True)
class Login:
    """A login, as the target has it now."""

    name: str
    grant_id: str
    can_login: bool
    holdings: Holdings = field(default_factory=dict)
    sessions: set[int] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """Say whether nothing is left of the access."""
        return not (self.can_login or self.holdings or self.sessions)


AnyLogin = TypeVar("AnyLogin", bound=Login)


@dataclass(slots=True)
class State(Generic[AnyLogin]):
    """What was read in one go. `foreign` are logins that bear a name of the order, but not this person's marker."""

    read_at: float
    ours: dict[str, AnyLogin] = field(default_factory=dict)
    standing: dict[str, AnyLogin] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()

    def held(self, grant: Grant) -> AnyLogin | None:
        """Return the login of a grant."""
        login = self.ours.get(grant.login)
        return login if login is not None and login.grant_id == grant.grant_id else None

    def of(self, grant_id: str, name: str) -> list[AnyLogin]:
        """Return our logins that have this name or belong to this grant."""
        return [login for login in self.ours.values() if name == login.name or grant_id == login.grant_id]

    def to_end(self, desired: Desired) -> list[AnyLogin]:
        """Return our logins that the person should not have."""
        kept = {login.name for grant in desired.holds if (login := self.held(grant)) is not None}
        return [login for name, login in self.ours.items() if name not in kept]


@dataclass(slots=True)
class Ended:
    """What became of ending one login."""

    sessions: int = 0
    errors: list[TargetError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def attempt(self, step: Callable[[], None]) -> None:
        """Do one step; remember its error. What is missing cannot be taken away any more."""
        try:
            step()
        except TargetMissing:
            return
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors.append(error)


@dataclass(slots=True)
class Given:
    """What became of one grant. `opened`: nobody could log in before this run."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    password: Secret | None = None
    opened: bool = False

    def made(self, grant: Grant, password: Secret) -> None:
        """Remember that the login was made. Nobody learns the password of one that was not asked for."""
        if grant.wants_credentials:
            self.password = password
        else:
            words = f"The login {grant.login} was gone and was made again: its old password no longer works."
            self.warnings.append(words)


class Place(Protocol[AnyLogin]):
    """One target, as an order about a person sees it. Every method raises TargetErrors."""

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant by its id. A unit that cannot be resolved carries its error."""

    def read(self) -> State[AnyLogin]:
        """Read everything about the person."""

    def units(self, holdings: Holdings) -> Iterable[Unit]:
        """Return holdings that were read last as units; what is no unit of ours keeps the target's own words."""

    def create(self, grant: Grant, given: Given) -> None:
        """Make the login of a grant; `given` gets its password if the grant wants one, and a warning if not."""

    def reopen(self, login: AnyLogin, grant: Grant, given: Given) -> None:
        """Make a login that is there usable until the grant's end, with a new password if the grant wants one."""

    def take_surplus(self, grant: Grant, holdings: Holdings, wanted: list[Wanted], ended: Ended) -> None:
        """Take what no wanted unit accounts for, and out of `holdings` what is not there any more."""

    def give_unit(self, grant: Grant, one: Wanted) -> None:
        """Give the login of a grant one unit."""

    def shut(self, login: AnyLogin) -> Ended:
        """Let no new session of a login of ours begin, and touch nothing else; a second time finds nothing to do."""

    def end(self, login: AnyLogin) -> Ended:
        """Shut a login of ours, take what it holds, end its sessions; a second time finds nothing to do."""

    def remove(self, login: AnyLogin) -> None:
        """Drop a login of ours that has ended, keeping what its owner made; or raise, and the login stays."""

    def set_password(self, login: str) -> Secret:
        """Give a login of ours a new password and return it."""

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""


def desired_of(order: Order) -> Desired:
    """Return what an order about a person wants; the runner has seen to it that there is one."""
    assert order.desired is not None
    return order.desired


def drains(desired: Desired, login: Login) -> bool:
    """Say whether the sessions of a login that is over may go on for a while."""
    named = [one for one in desired.gone if one.login == login.name or one.grant_id == login.grant_id]
    return bool(named) and all(ending.drain_until is not None for ending in named)
