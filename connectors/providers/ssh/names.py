"""How things are called: source ids, markers on accounts, names of people's own accounts.

A source id is the JSON array of the names, outermost first: ["web-1"] is a server, ["web-1","deploy"] a group there.
"""

from __future__ import annotations

import json
import math
import re
from typing import NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Grant, Person, Unit

LENGTHS = {"server": 1, "group": 2}
PERMISSIONS = {"server": ("LOGIN", "SUDO"), "group": ("MEMBER", "OWN_ACCOUNT")}
SUDO_GROUP = "latchkey-sudo"
LOGIN = re.compile(r"lk_[a-z0-9_]{1,29}")
GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
# What may stand in the comment of an account without being mistaken for something else.
ID = re.compile(r"[A-Za-z0-9._-]+")
DAY = 86400
# The account's own end, which counts in days, follows the certificate's: clocks and zones may differ by so many.
DAYS_AFTER = 2
NEVER = -1


class Place(NamedTuple):
    """What a unit is on a server: the group that it takes (none for a plain login), and whose account gets it."""

    server: str
    group: str
    own: bool


def source_id(*names: str) -> str:
    """Return the source id of these names."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def parse_unit(unit: Unit) -> Place:
    """Return what a unit is. Raises Misconfigured when type, permission or source id is none of ours."""
    if unit.permission not in PERMISSIONS.get(unit.resource_type, ()):
        raise Misconfigured(f"A server has no permission {unit.permission} on a {unit.resource_type}.")
    try:
        names = json.loads(unit.resource)
    except ValueError as error:
        raise Misconfigured(f"{unit.resource!r} is no source id.") from error
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise Misconfigured(f"{unit.resource!r} is no source id.")
    if len(names) != LENGTHS[unit.resource_type] or (len(names) > 1 and not GROUP.fullmatch(names[1])):
        raise Misconfigured(f"{unit.resource!r} is no source id of a {unit.resource_type}.")
    if unit.resource_type == "server":
        return Place(names[0], SUDO_GROUP if unit.permission == "SUDO" else "", own=False)
    return Place(names[0], names[1], own=unit.permission == "OWN_ACCOUNT")


def unit_of(server: str, group: str) -> Unit:
    """Return the unit that a login in this group of ours has."""
    if group == SUDO_GROUP:
        return Unit("server", source_id(server), "SUDO")
    return Unit("group", source_id(server, group), "MEMBER")


def own_unit(server: str, group: str) -> Unit:
    """Return the unit that a person's own account in a group has."""
    return Unit("group", source_id(server, group), "OWN_ACCOUNT")


def person_marker(integration_id: str, person: Person) -> str:
    """Return how the comment of every account of one person in one integration begins."""
    for id_ in (integration_id, person.person_id):
        _check_id(id_)
    return f"latchkey integration={integration_id} person={person.person_id} grant="


def grant_marker(person_marker_: str, grant_id: str) -> str:
    """Return the comment of the account of one grant."""
    _check_id(grant_id)
    return person_marker_ + grant_id


def check_login(grant: Grant) -> None:
    """Raise Misconfigured for a login that no server would be asked to make."""
    if not LOGIN.fullmatch(grant.login):
        raise Misconfigured(f"{grant.login!r} is no name for a login: lk_, then a-z, 0-9 and _, 32 in all at most.")


def own_names(person: Person, attribute: str) -> list[str]:
    """Return what the person's own account may be called: exactly that, or nothing."""
    if attribute:
        names = set(person.attributes.get(attribute, ()))
    else:
        names = {*person.aliases, *(alias.partition("@")[0] for alias in person.aliases)}
        names |= {name.lower() for name in names}
    return sorted(name for name in names if name and not re.search(r"[\s:/]", name) and not name.startswith("-"))


def expiry(ends_at: float) -> int:
    """Return the day (counted from 1970) on which an account may be shut by itself."""
    return NEVER if math.isinf(ends_at) else int(ends_at // DAY) + DAYS_AFTER


def _check_id(id_: str) -> None:
    """Raise Misconfigured for an id that would make a marker ambiguous."""
    if not ID.fullmatch(id_):
        raise Misconfigured(f"The id {id_!r} cannot be written into a marker: letters, digits, '.', '_' and '-' only.")
