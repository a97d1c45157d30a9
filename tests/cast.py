"""The standing cast: who appears in nearly every test."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.choices import Role
from accounts.models import RoleAssignment, User

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Cast:
    """Four people. The outsider is signed in like everybody and has no rights to anything."""

    requester: User
    approver: User
    admin: User
    outsider: User


def person(name: str, *roles: Role) -> User:
    """Make somebody called `name` with the roles, the address <name>@example.com and PASSWORD."""
    user = User(email=f"{name.lower()}@example.com", name=name)
    user.set_password(PASSWORD)
    user.save()
    RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=role) for role in roles)
    return user


def assemble() -> Cast:
    """Make the whole cast."""
    return Cast(
        requester=person("Rita", Role.GRANTEE),
        approver=person("Abel", Role.GRANTEE),
        admin=person("Ada", Role.ADMIN),
        outsider=person("Otto", Role.GRANTEE),
    )
