"""How things are called: levels, and what GitHub's two interfaces say for them.

Repositories and teams are known by GitHub's own node id, which outlives a change of name; an organization role by its
number; the organization by its name in the configuration.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit

# From the least to the most. Level 1 is the first; 0 is nothing.
LEVELS = {
    "repository": ("PULL", "TRIAGE", "PUSH", "MAINTAIN", "ADMIN"),
    "team": ("MEMBER", "MAINTAINER"),
    "organization_role": ("ASSIGNED",),
    "organization": ("OWNER",),
}
# What one calls pull is read to the other, and to an invitation.
ROLES = {"read": 1, "pull": 1, "triage": 2, "write": 3, "push": 3, "maintain": 4, "admin": 5}
COLLABORATOR = ("", "pull", "triage", "push", "maintain", "admin")
INVITED = ("", "read", "triage", "write", "maintain", "admin")
NODE_ID = re.compile(r"[A-Za-z0-9_=+/-]{1,200}")
NUMBER = re.compile(r"[0-9]{1,18}")


class Thing(NamedTuple):
    """What levels are held on."""

    resource_type: str
    resource: str

    def unit(self, level: int) -> Unit:
        """Return the unit of one level on it."""
        return Unit(self.resource_type, self.resource, LEVELS[self.resource_type][level - 1])

    def units(self, at_most: int = 5) -> list[Unit]:
        """Return the units of all levels on it, up to one."""
        return [Unit(*self, permission) for permission in LEVELS[self.resource_type][:at_most]]


def parse(unit: Unit, organization: str) -> tuple[Thing, int]:
    """Return what a unit is on, and its level. Raises Misconfigured when it is none of ours."""
    if unit.permission not in LEVELS.get(unit.resource_type, ()):
        raise Misconfigured(f"GitHub has no permission {unit.permission} on a {unit.resource_type}.")
    known = {
        "repository": NODE_ID.fullmatch(unit.resource),
        "team": NODE_ID.fullmatch(unit.resource),
        "organization_role": NUMBER.fullmatch(unit.resource),
        "organization": unit.resource.lower() == organization.lower(),
    }
    if not known[unit.resource_type]:
        raise Misconfigured(f"{unit.resource!r} is no source id of a {unit.resource_type} of {organization}.")
    level = LEVELS[unit.resource_type].index(unit.permission) + 1
    return Thing(unit.resource_type, unit.resource), level
