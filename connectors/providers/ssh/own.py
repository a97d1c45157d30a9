"""Gives groups to people's own accounts: no login, no credentials, and nothing taken that was there before.

What we give is written down on the server, with the person's marker, so it is found again whatever the account or the
person is called by then. A membership without that note is standing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.contract.errors import LeaseLost, Misconfigured, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Desired, Found, Unit
from connectors.contract.provider import Run
from connectors.providers.ssh import programs
from connectors.providers.ssh.names import own_names, own_unit, parse_unit
from connectors.providers.ssh.reading import Account, State, own_accounts, standing_units
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.wanting import Wanted
from connectors.toolkit.shell_files import ShellFile


@dataclass(slots=True)
class Own:
    """The person's own accounts, as far as an order is about them."""

    fleet: Fleet
    desired: Desired
    marker: str
    names: list[str]
    standing: frozenset[Unit] = frozenset()
    errors: dict[Unit, TargetError] = field(default_factory=dict)

    def given(self, state: State) -> dict[Unit, tuple[str, bool]]:
        """Return what we gave, with the account's name and whether it still is so."""
        return {own_unit(server, group): had for server, one in state.items() for group, had in one.members.items()}

    def before(self, state: State) -> dict[Unit, str]:
        """Return the groups that own accounts are in and that we did not give, with the account's name."""
        found = {
            own_unit(server, group): account.name
            for server in state
            for account in self._accounts(state, server)
            for group in account.groups & state[server].allowed
        }
        return {unit: name for unit, name in found.items() if unit not in self.given(state)}

    def remember(self, run: Run, state: State, wanted: list[Wanted]) -> None:
        """Ask what was there before anything was given. Nobody asks about a server that was not read."""
        asked = [one.unit for one in wanted if one.place is not None and one.place.own and one.place.server in state]
        if asked:
            self.standing = run.baseline(self.before(state), asked)

    def take(self, state: State) -> None:
        """Take the groups that we gave and no grant in force has, whether or not the order names them."""
        kept = self.standing.union(*(grant.units for grant in self.desired.holds))
        for unit, (name, _) in self.given(state).items():
            if unit not in kept:
                self._change(programs.REVOKE_OWN_GROUP, unit, name)

    def give(self, state: State, holds: list[Wanted]) -> None:
        """Give the groups that are wanted and not there."""
        given, before = self.given(state), self.before(state)
        for one in holds:
            if one.place is None or not one.place.own or one.error is not None:
                continue
            if one.unit in before or given.get(one.unit, ("", False))[1]:
                continue
            try:
                account = self._the_account(state, one.place.server)
            except TargetError as error:
                self.errors[one.unit] = error
                continue
            self._change(programs.GRANT_OWN_GROUP, one.unit, account.name)

    def account_of(self, state: State, unit: Unit) -> str:
        """Return the name of the account that has a unit."""
        return self.before(state).get(unit) or self.given(state)[unit][0]

    def has(self, state: State, unit: Unit) -> bool:
        """Say whether an own account has it, from whomever."""
        return unit in self.before(state) or self.given(state).get(unit, ("", False))[1]

    def is_left(self, state: State, unit: Unit) -> bool:
        """Say whether something is left of what we gave, although no grant in force has it."""
        held = any(unit in grant.units for grant in self.desired.holds)
        return unit in self.given(state) and unit not in self.standing and not held

    def found(self, state: State) -> tuple[list[Found], list[Found]]:
        """Return what own accounts have: what we gave, and what is standing."""
        ours = []
        for unit, (name, has) in self.given(state).items():
            if has and unit not in self.standing:
                ours += [Found(unit, name, owner) for owner in self._owners(unit)]
        standing = [Found(unit, name) for unit, name in self.before(state).items()]
        for server, one in state.items():
            for account in self._accounts(state, server):
                standing += [Found(unit, account.name) for unit in standing_units(account, one.read_at)]
        return ours, standing

    def _owners(self, unit: Unit) -> list[str]:
        """Return the grants that a unit belongs to: those in force, else those that should be over, else none."""
        held = [grant.grant_id for grant in self.desired.holds if unit in grant.units]
        return held or [grant.grant_id for grant in self.desired.gone if unit in grant.units] or [""]

    def _accounts(self, state: State, server: str) -> list[Account]:
        """Return the person's own accounts on a server."""
        return own_accounts(state[server], self.names) if server in state else []

    def _the_account(self, state: State, server: str) -> Account:
        """Return the one account that the person has on a server. Raises a TargetError for none or several."""
        found = self._accounts(state, server)
        if not found:
            raise TargetMissing(
                f"{server} has no account of this person: none is called {' or '.join(self.names) or 'anything'}.",
                fix="Make the account there, or name the attribute that has its name.",
            )
        if len(found) > 1:
            raise Misconfigured(
                f"{server} has several accounts that may be this person's: {', '.join(one.name for one in found)}.",
                fix="Name the attribute that has the account's name.",
            )
        return found[0]

    def error(self, unit: Unit) -> TargetError:
        """Return why a unit is not as it should be."""
        return self.errors.get(unit) or NotPermitted("The server does not have it so, although nothing was refused.")

    def _change(self, program: ShellFile, unit: Unit, account: str) -> None:
        """Run a program on an own account; remember its error. What is missing cannot be taken away any more."""
        place = parse_unit(unit)
        try:
            self.fleet.host(place.server).change(program, ACCOUNT=account, GROUP=place.group, MARKER=self.marker)
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[unit] = error


def own_of(fleet: Fleet, desired: Desired, marker: str) -> Own:
    """Return the person's own accounts; nothing is asked yet."""
    return Own(fleet, desired, marker, own_names(desired.person, fleet.settings.account_attribute))
