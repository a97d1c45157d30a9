"""Resolves the units of a grant: on which server each is, which group it takes, and whether it can be given."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError
from connectors.contract.orders import Ending, Grant, Unit
from connectors.providers.ssh.names import SUDO_GROUP, Place, parse_unit
from connectors.providers.ssh.reading import Account, State
from connectors.providers.ssh.servers import Fleet


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit, resolved as far as it could be. `place` is None for what is no unit of ours."""

    unit: Unit
    place: Place | None
    error: TargetError | None = None

    def held(self, login: Account, now: float) -> bool:
        """Say whether a login has it."""
        assert self.place is not None
        return login.usable(now) and (not self.place.group or self.place.group in login.groups)


def resolve(fleet: Fleet, state: State, grant: Grant | Ending) -> list[Wanted]:
    """Return the units of a grant. One that cannot be asked for or given carries its error."""
    return [_unit(fleet, state, unit) for unit in grant.units]


def servers_of(grants: tuple[Grant | Ending, ...]) -> set[str]:
    """Return the servers that the units of some grants are on."""
    found = set()
    for unit in (unit for grant in grants for unit in grant.units):
        try:
            found.add(parse_unit(unit).server)
        except TargetError:
            continue  # reported with its unit
    return found


def _unit(fleet: Fleet, state: State, unit: Unit) -> Wanted:
    """Return one unit."""
    place = None
    try:
        place = parse_unit(unit)
        fleet.host(place.server)
        _check(fleet, state, place)
    except LeaseLost:
        raise
    except TargetError as error:
        return Wanted(unit, place, error)
    return Wanted(unit, place)


def _check(fleet: Fleet, state: State, place: Place) -> None:
    """Raise NotPermitted for a group that may not be given."""
    if not place.group or place.group in state[place.server].allowed:
        if place.group in ("", SUDO_GROUP) or fleet.settings.offers(place.group):
            return
        raise NotPermitted(f"The integration does not offer the group {place.group}.", fix="Add it to the user groups.")
    if place.group == SUDO_GROUP:
        raise NotPermitted(
            f"{place.server} does not let anybody become root through Latchkey.",
            fix="Run setup/2_server.sh there with GIVE_SUDO=yes, if that is wanted.",
        )
    raise NotPermitted(
        f"{place.server} does not let Latchkey give the group {place.group}, or has no such group.",
        fix="Run setup/2_server.sh there with the group among GIVE_GROUPS.",
    )
