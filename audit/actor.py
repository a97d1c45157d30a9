"""Who does it: a snapshot that every action takes and every audit entry keeps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from audit.choices import ActorKind, Source


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something acting. `operation` ties together the audit entries of one operation."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    email: str = ""
    source: Source = Source.SYSTEM
    operation: uuid.UUID = field(default_factory=uuid.uuid4)

    def again(self) -> Actor:
        """Return the same actor beginning another operation."""
        return replace(self, operation=uuid.uuid4())


def system(name: str = "Latchkey") -> Actor:
    """Return the platform itself, acting on a timetable."""
    return Actor(kind=ActorKind.SYSTEM, name=name, source=Source.SYSTEM)


def connector(instance_id: str, name: str) -> Actor:
    """Return a connector instance reporting."""
    return Actor(kind=ActorKind.CONNECTOR, id=instance_id, name=name, source=Source.CONNECTOR)


def person(user: Any, source: Source) -> Actor:
    """Return `user` (an accounts.User; typed loosely, for audit imports only Django) acting through `source`."""
    return Actor(kind=ActorKind.USER, id=str(user.pk), name=user.name, email=user.email, source=source)
