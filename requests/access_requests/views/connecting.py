"""How the grantee gets in through a grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from access_requests.choices import CredentialsStatus
from access_requests.models import AccessGroup, AccessSession
from integrations.queries import credential

# Details to connect, in the order and words people read them; others follow as the provider names them.
DETAILS = {
    "host": "Host",
    "port": "Port",
    "database": "Database",
    "databases": "Databases",
    "username": "User",
    "sslmode": "Encryption",
}
_SHOWN_ELSEWHERE = ("command", "uri")


@dataclass(frozen=True, slots=True)
class Connect:
    """How the grantee gets in through one grant."""

    session: AccessSession
    command: str
    uri: str
    facts: tuple[tuple[str, str, str], ...]
    word: str
    may_show: bool
    may_reset: bool
    being_made: bool

    @property
    def key(self) -> str:
        """A name for it, to build the ids of the page from."""
        return str(self.session.pk)


@dataclass(frozen=True, slots=True)
class Grant:
    """One integration's part of a request, as its page shows it. `connect` is there for the grantee of live access."""

    group: AccessGroup
    error: dict[str, str]
    connect: Connect | None


def connect_of(group: AccessGroup) -> Connect | None:
    """Return the details to connect through a grant that is open; None while there are none."""
    session: AccessSession | None = getattr(group, "session", None)
    if session is None or group.ended_at is not None:
        return None
    status = CredentialsStatus(session.credentials_status)
    return Connect(
        session=session,
        command=str(session.details.get("command", "")),
        uri=str(session.details.get("uri", "")),
        facts=tuple(_facts(session.details)),
        word=credential(group.integration),
        may_show=status == CredentialsStatus.AVAILABLE,
        may_reset=status in {CredentialsStatus.AVAILABLE, CredentialsStatus.VIEWED},
        being_made=status == CredentialsStatus.RESETTING,
    )


def _facts(details: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return label, value and a name for each detail, the known ones first."""
    known = [name for name in DETAILS if name in details]
    others = [name for name in sorted(details) if name not in DETAILS and name not in _SHOWN_ELSEWHERE]
    if details.get("databases") == [details.get("database")]:
        known.remove("databases")
    named = enumerate([*known, *others], 1)
    return [(_label(name), _text(details[name]), f"detail-{number}") for number, name in named]


def _label(name: str) -> str:
    return DETAILS.get(name, name.replace("_", " ").capitalize())


def _text(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
