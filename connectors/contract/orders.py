"""Orders (what the server wants) and reports (what the connector found and did)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.contract.errors import ErrorReport
from connectors.contract.people import PeoplePage
from connectors.contract.secret import Secret


class Verb(StrEnum):
    """What a provider can be told to do."""

    CHECK = "check"
    DISCOVER = "discover"
    PEOPLE = "people"
    APPLY = "apply"
    READ_BACK = "read_back"
    RESET_CREDENTIALS = "reset_credentials"
    ROTATE = "rotate"
    CLEAN_UP = "clean_up"


@dataclass(frozen=True, slots=True)
class Unit:
    """One entitlement: a permission on a resource, both in the target's own identifiers."""

    resource_type: str
    resource: str
    permission: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access group should hold. `ends_at` (seconds since the epoch, UTC) is the target's own backstop."""

    grant_id: str
    login: str
    units: tuple[Unit, ...]
    ends_at: float
    # True while the server holds no credentials for this login, seen or unseen: only then may a retry reset them.
    wants_credentials: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """A grant that once was and must hold nothing any more.

    `drain_until` (seconds since the epoch, UTC): no new session may begin, and those that are open may go on until then
    with what they hold; once none is open, all of it ends. Without it everything ends now. The server says it only
    where the manifest says `drains`, and only while it is ahead, so that a provider asks no clock.
    """

    grant_id: str
    login: str
    units: tuple[Unit, ...] = ()
    drain_until: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The person an order is about.

    `name` and `aliases` (e-mail addresses, account names) are what logins of the person that we did not make may be
    called: a provider that finds one reports its access as standing, and changes nothing about it. `attributes` is what
    the directory says of the person, by type, for targets where their account has a name of its own.
    """

    person_id: str
    name: str
    aliases: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything one person should hold in one integration, and everything that must be gone."""

    person: Person
    holds: tuple[Grant, ...] = ()
    gone: tuple[Ending, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret lies: what `store` (an id of connectors.stores) calls it. `key` names a part of a JSON secret."""

    store: str
    reference: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One order, as it is leased to one connector instance.

    `config` holds the manifest's plain fields, `secrets` its secret fields. `references` are secret fields that the
    connector reads from their store itself, at the moment of use: a provider finds them in `secrets`. `seal_to` is the
    server's X25519 public key (32 bytes, hex) to which credentials made for a grantee are sealed. `lease_seconds` runs
    from the moment the order is received, on the receiver's monotonic clock. `digests` pins programs by name to the
    SHA-256 of their file (empty: not pinned); a program that differs, or is not named, is refused.
    """

    order_id: str
    epoch: int
    verb: Verb
    provider: str
    integration_id: str
    config: dict[str, Any]
    secrets: dict[str, Secret] = field(default_factory=dict)
    desired: Desired | None = None
    seal_to: str = ""
    lease_seconds: float = 60.0
    resource_types: tuple[str, ...] = ()
    dry_run: bool = False
    # DISCOVER only: how many resources one `Page` holds at most.
    page_size: int = 5000
    digests: dict[str, str] = field(default_factory=dict)
    references: dict[str, SecretReference] = field(default_factory=dict)
    # DISCOVER only: the `resume` of the last page that the server kept of an earlier try; empty: from the beginning.
    resume: str = ""
    # PEOPLE only: the cursor that the last sync ended with; empty: everybody is to be told.
    cursor: str = ""


class UnitOutcome(StrEnum):
    """What became of one unit."""

    HELD = "held"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UnitReport:
    """The outcome for one unit, read from the target."""

    unit: Unit
    outcome: UnitOutcome
    error: ErrorReport | None = None


@dataclass(frozen=True, slots=True)
class GrantReport:
    """The outcome for one grant or ending.

    `sealed_credentials` is the sealed JSON object of the secret details (e.g. {"password": …}), hex; empty when none
    were made in this run. `details` are the details to connect that are no secret (host, port, database, username).
    `sessions_left` belongs to an ending that drains: how many go on, read after the target let no new one in. Its units
    are held then; 0 says that nothing drains (any more). `warnings` are for the admin and the record: e.g. what a
    person has to do by hand.
    """

    grant_id: str
    units: tuple[UnitReport, ...]
    login: str = ""
    sealed_credentials: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    sessions_ended: int = 0
    warnings: tuple[str, ...] = ()
    sessions_left: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a read-back saw at the target. `grant_id` is empty for what is not ours."""

    unit: Unit
    login: str
    grant_id: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the target said, asked after the work was done.

    `ours` is access on logins that we made for the person; `standing` is access of the person that we did not give.
    `read_at` is in seconds since the epoch by the target's own clock.
    """

    read_at: float
    ours: tuple[Found, ...] = ()
    standing: tuple[Found, ...] = ()
    live_sessions: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """A program that ran, with the SHA-256 (hex) of its file."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program as a dry run would have sent it: text with its slots filled by quoted identifiers, never a secret."""

    function: str
    text: str


@dataclass(frozen=True, slots=True)
class PermissionFact:
    """A permission a resource type offers. `risk_level` is 1 to 9."""

    permission: str
    name: str
    risk_level: int = 1
    tags: dict[str, str] = field(default_factory=dict)
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceTypeFact:
    """A resource type with the permissions that can be asked for on it."""

    resource_type: str
    name: str
    permissions: tuple[PermissionFact, ...]


@dataclass(frozen=True, slots=True)
class ResourceFact:
    """One resource found. `refusals` maps a permission that cannot be granted to the reason, in words."""

    resource_type: str
    source_id: str
    name: str
    path: str
    tags: dict[str, str] = field(default_factory=dict)
    context: dict[str, str] = field(default_factory=dict)
    risk_level: int = 1
    refusals: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what discover found; many pages make one inventory. PEOPLE sends `people` instead of resources.

    `resume` is the provider's own word for where to go on after this page; empty where it cannot: a sync that is done
    again then begins again. `total` is how many resources are expected in all, 0 where that is not known.
    """

    resources: tuple[ResourceFact, ...]
    resume: str = ""
    total: int = 0
    people: PeoplePage | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what check found. `level` is ok, warning or error."""

    level: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The final report of one order. `error` is None when the verb did what it was told.

    `resource_types` and `found` (how many resources went out in pages) belong to DISCOVER, `findings` to CHECK,
    `grants` and `read_back` to the verbs about a person. `functions` are the programs that really ran, in the order in
    which each ran last: the last one did the reading back.
    """

    order_id: str
    epoch: int
    error: ErrorReport | None = None
    findings: tuple[Finding, ...] = ()
    resource_types: tuple[ResourceTypeFact, ...] = ()
    found: int = 0
    grants: tuple[GrantReport, ...] = ()
    read_back: ReadBack | None = None
    functions: tuple[Function, ...] = ()
    programs: tuple[Program, ...] = ()
