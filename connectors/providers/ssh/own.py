"""Gives groups to people's own accounts: no login, no credentials, and nothing taken that was there before."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.contract.errors import LeaseLost, Misconfigured, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Desired, Found, Unit
from connectors.contract.provider import Run
from connectors.providers.ssh import programs
from connectors.providers.ssh.names import own_names, own_unit
from connectors.providers.ssh.reading import Account, State, own_accounts, standing_units
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.wanting import Wanted


@dataclass(slots=True)
class Own:
    """The person's own accounts, as far as an order is about them."""

    fleet: Fleet
    desired: Desired
    names: list[str]
    standing: frozenset[Unit] = frozenset()
    errors: dict[Unit, TargetError] = field(default_factory=dict)

    def accounts(self, state: State, server: str) -> list[Account]:
        """Return the person's own accounts on a server."""
        return own_accounts(state[server], self.names) if server in state else []

    def present(self, state: State) -> dict[Unit, Account]:
        """Return the groups that own accounts are in, of those that may be given."""
        return {
            own_unit(server, group): account
            for server in state
            for account in self.accounts(state, server)
            for group in account.groups & state[server].allowed
        }

    def remember(self, run: Run, state: State, wanted: list[Wanted]) -> None:
        """Ask what was there before anything was given. Nobody asks about a server that was not read."""
        asked = [one.unit for one in wanted if one.place is not None and one.place.own and one.place.server in state]
        if asked:
            self.standing = run.baseline(self.present(state), asked)

    def take(self, state: State, holds: list[Wanted], gone: list[Wanted]) -> None:
        """Take the groups of ended grants that no other grant has, and that were not standing."""
        kept = {one.unit for one in holds} | self.standing
        present = self.present(state)
        for one in gone:
            if one.place is None or not one.place.own or one.unit in kept or one.unit not in present:
                continue
            name = present[one.unit].name
            try:
                self.fleet.host(one.place.server).change(programs.REVOKE_OWN_GROUP, ACCOUNT=name, GROUP=one.place.group)
            except LeaseLost:
                raise
            except TargetError as error:
                self.errors[one.unit] = error

    def give(self, state: State, holds: list[Wanted]) -> None:
        """Give the groups that are wanted and not there."""
        present = self.present(state)
        for one in holds:
            if one.place is None or not one.place.own or one.error is not None or one.unit in present:
                continue
            try:
                account = self._the_account(state, one.place.server)
                self.fleet.host(one.place.server).change(
                    programs.GRANT_OWN_GROUP, ACCOUNT=account.name, GROUP=one.place.group
                )
            except LeaseLost:
                raise
            except TargetError as error:
                self.errors[one.unit] = error

    def _the_account(self, state: State, server: str) -> Account:
        """Return the one account that the person has on a server. Raises a TargetError for none or several."""
        found = self.accounts(state, server)
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

    def error(self, state: State, one: Wanted) -> TargetError | None:
        """Return why a wanted unit is not there; None when it is."""
        assert one.place is not None
        if one.unit in self.present(state) and one.place.server not in self.fleet.errors:
            return None
        return self.errors.get(one.unit) or one.error or NotPermitted("The server does not have it.")

    def found(self, state: State) -> tuple[list[Found], list[Found]]:
        """Return what own accounts have: what we gave, and what is standing."""
        owners = {unit: grant.grant_id for grant in self.desired.gone for unit in grant.units}
        owners |= {unit: grant.grant_id for grant in self.desired.holds for unit in grant.units}
        ours, standing = [], []
        for unit, account in self.present(state).items():
            if unit in owners and unit not in self.standing:
                ours += [Found(unit, account.name, owner) for owner in self._owners(unit)]
            else:
                standing.append(Found(unit, account.name))
        for server, one in state.items():
            for account in self.accounts(state, server):
                standing += [Found(unit, account.name) for unit in standing_units(account, one.read_at)]
        return ours, standing

    def _owners(self, unit: Unit) -> list[str]:
        """Return the grants that a unit belongs to: those in force, or else those that should be over."""
        held = [grant.grant_id for grant in self.desired.holds if unit in grant.units]
        return held or [grant.grant_id for grant in self.desired.gone if unit in grant.units]


def own_of(fleet: Fleet, desired: Desired) -> Own:
    """Return the person's own accounts; nothing is asked yet."""
    return Own(fleet, desired, own_names(desired.person, fleet.settings.account_attribute))
