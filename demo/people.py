"""The people of the made-up organisation: who they are, who leads them, and whose name is on a button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

from accounts import actions
from accounts.choices import Role
from accounts.models import User
from audit.actor import Actor


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody one may be in the demo. `says` is what they are about, in one line; `lands` the page they begin on."""

    email: str
    part: str
    says: str
    lands: str = "/"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works there."""

    name: str
    groups: tuple[str, ...]
    manager: str = ""
    role: Role = Role.GRANTEE

    @property
    def email(self) -> str:
        """Return the address made of the name."""
        return self.name.lower().replace(" ", ".") + "@example.com"


ENGINEER, APPROVER = "robin.alder@example.com", "sam.birch@example.com"
ADMIN, AUDITOR, SUPPORT = "kim.cedar@example.com", "alex.elm@example.com", "jo.hazel@example.com"
FACES = (
    Face(ENGINEER, "Engineer", "On call for payments, needs the orders"),
    Face(APPROVER, "Approver", "Leads payments, and has requests to answer", "/tasks/"),
    Face(ADMIN, "Admin", "Connects systems, writes the policy", "/admin/"),
    Face(AUDITOR, "Auditor", "Reads everything, changes nothing", "/activity/"),
    Face(SUPPORT, "Support agent", "May ask for little, and sees no more than that"),
)

# Leads first: a manager is there before the people are.
PEOPLE = (
    Person("Dana Oak", ("platform",)),
    Person("Sam Birch", ("payments", "payments-leads"), "Dana Oak"),
    Person("Chris Maple", ("data",), "Dana Oak"),
    Person("Pat Holly", ("support",), "Dana Oak"),
    Person("Lee Rowan", ("security",), "Dana Oak"),
    Person("Kim Cedar", ("security",), "Lee Rowan", Role.ADMIN),
    Person("Alex Elm", ("audit",), "Lee Rowan", Role.VIEWER),
    Person("Robin Alder", ("payments", "payments-oncall"), "Sam Birch"),
    Person("Jo Hazel", ("support",), "Pat Holly"),
    Person("Noor Aspen", ("payments", "payments-oncall"), "Sam Birch"),
    Person("Mika Beech", ("payments",), "Sam Birch"),
    Person("Ravi Yew", ("payments", "payments-oncall"), "Sam Birch"),
    Person("Ines Laurel", ("payments",), "Sam Birch"),
    Person("Tomas Spruce", ("payments",), "Sam Birch"),
    Person("Amara Fir", ("payments", "payments-oncall"), "Sam Birch"),
    Person("Ola Larch", ("payments",), "Sam Birch"),
    Person("Bo Willow", ("platform",), "Dana Oak"),
    Person("Yuki Poplar", ("platform",), "Dana Oak"),
    Person("Sofia Lime", ("platform",), "Dana Oak"),
    Person("Emeka Thorn", ("platform",), "Dana Oak"),
    Person("Nina Walnut", ("platform",), "Dana Oak"),
    Person("Marek Plane", ("platform",), "Dana Oak"),
    Person("Lior Palm", ("platform",), "Dana Oak"),
    Person("Max Linden", ("data",), "Chris Maple"),
    Person("Hana Olive", ("data",), "Chris Maple"),
    Person("Diego Pine", ("data",), "Chris Maple"),
    Person("Priya Teak", ("data",), "Chris Maple"),
    Person("Aino Juniper", ("data",), "Chris Maple"),
    Person("Femi Acacia", ("data",), "Chris Maple"),
    Person("Ruth Myrtle", ("data",), "Chris Maple"),
    Person("Ana Sorrel", ("support",), "Pat Holly"),
    Person("Kofi Bay", ("support",), "Pat Holly"),
    Person("Lena Ivy", ("support",), "Pat Holly"),
    Person("Omar Fern", ("support",), "Pat Holly"),
    Person("Wren Clover", ("support",), "Pat Holly"),
    Person("Sasha Reed", ("support",), "Pat Holly"),
    Person("Tariq Moss", ("security",), "Lee Rowan"),
    Person("Vera Sage", ("contractors",), "Chris Maple"),
    Person("Ivo Heath", ("contractors",), "Sam Birch"),
    Person("Cleo Briar", ("contractors",), "Dana Oak"),
)


def assemble(*, actor: Actor, at: datetime) -> None:
    """Make everybody, in their groups."""
    zone, made, groups = local_zone(), dict[str, User](), {}
    for name in dict.fromkeys(group for person in PEOPLE for group in person.groups):
        groups[name] = actions.create_group(name, actor=actor, at=at)
    for person in PEOPLE:
        made[person.name] = actions.create_user(
            person.email,
            person.name,
            actor=actor,
            roles=[person.role],
            manager=made.get(person.manager),
            time_zone=zone,
            at=at,
        )
        for name in person.groups:
            actions.add_member(groups[name], made[person.name], actor=actor, at=at)


def local_zone() -> str:
    """Return this machine's time zone by name: whoever looks at the demo sits here. Empty when it cannot be told."""
    name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return name if name in available_timezones() and name not in {"UTC", "Etc/UTC"} else ""
