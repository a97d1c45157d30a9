"""How things are called: GUIDs and SIDs as text, the marker of a person, the record of a membership."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Person, Unit

GROUP, MEMBER = "group", "MEMBER"
# The name of a record is short enough for a CN (64) and long enough never to be met twice.
NAME_LENGTH = 40
# A membership that lasts until it is taken.
NO_END = 0


def guid_of(raw: bytes) -> str:
    """Return an objectGUID as text. Raises Misconfigured where there is none: then nothing can be named."""
    if len(raw) != 16:
        raise Misconfigured("The directory shows no objectGUID.", fix="Let the connector's user read it.")
    return str(UUID(bytes_le=raw))


def sid_of(raw: bytes) -> str:
    """Return an objectSid as text (MS-DTYP, 2.4.2.2); nothing where there is none."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        return ""
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])


def unit(group: str) -> Unit:
    """Return membership in a group as a unit."""
    return Unit(GROUP, group, MEMBER)


def marker(integration_id: str, person: Person) -> str:
    """Return what every record about a person bears."""
    return f"latchkey integration={integration_id} person={person.person_id}"


@dataclass(frozen=True, slots=True)
class Record:
    """What we wrote down about one membership: which grant has it, whose account, which group.

    `until` is when the directory itself takes the account out, in seconds since the epoch; NO_END where it does not.
    """

    name: str
    grant_id: str
    account: str
    group: str
    until: int = NO_END

    @property
    def link(self) -> tuple[str, str]:
        """Return account and group."""
        return (self.account, self.group)

    @property
    def facts(self) -> str:
        """Return the record as it is written."""
        return f"grant={self.grant_id} account={self.account} group={self.group} until={self.until}"


def record(marked: str, grant_id: str, account: str, group: str, until: int) -> Record:
    """Return the record of a membership; the same facts always have the same name, but for the end."""
    parts = "\n".join((marked, grant_id, account, group))
    return Record(hashlib.sha256(parts.encode()).hexdigest()[:NAME_LENGTH], grant_id, account, group, until)


def parse_record(name: str, facts: str) -> Record | None:
    """Return a record as it was read, or None where somebody changed it beyond recognition."""
    found: Mapping[str, str] = dict(part.split("=", 1) for part in facts.split() if "=" in part)
    if not {"grant", "account", "group", "until"} <= found.keys() or not found["until"].isdecimal():
        return None
    return Record(name, found["grant"], found["account"], found["group"], int(found["until"]))


def end_of(seconds: float) -> int:
    """Return the end of a grant as a record has it."""
    return NO_END if math.isinf(seconds) else max(1, int(seconds))
