"""The manifest of a provider: data with a closed schema, from which forms and pages are derived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the configuration form.

    `kind` is text, integer, choice, boolean ("true" or "false" as default), json (parsed where it is used), or secret.
    `multiline` gives text, json and secret fields room for several lines.
    """

    name: str
    label: str
    kind: str
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    minimum: int | None = None
    maximum: int | None = None
    multiline: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission as the manifest declares it."""

    id: str
    name: str
    risk_level: int


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type as the manifest declares it. `optional` types are off until the admin chooses them.

    `finds_permissions`: what can be asked for is the target's own: a sync says it, and the manifest need not.
    """

    id: str
    name: str
    permissions: tuple[Permission, ...] = ()
    optional: bool = False
    finds_permissions: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """How many resources of these types one grant may name at most; `words` say so, and what to do instead.

    Every surface refuses with these words, before anything is asked for or written.
    """

    resource_types: tuple[str, ...]
    at_most: int
    words: str


@dataclass(frozen=True, slots=True)
class AttributePath:
    """Where in a directory's record of a person an attribute is found, unless the admin says otherwise."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider, described. `id` is the folder's name.

    `kind` is "system" for what access is given to, "people" for a directory or a shift schedule, which only tells:
    `tells` then names what (people, groups, shifts), `attributes` where attributes are found, and `shift_type` the
    attribute type that says who is on which shift.

    `has_logins`: each grant gets a login of its own there, with credentials of its own; its name is at most `login_max`
    characters long. Without, access is given to an account that the person has already, which may hold the same things
    for other reasons: such a provider asks `Run.baseline` before it gives anything.

    `reads_named_only`: a read-back there sees only the resources that its order names, so what it did not see yesterday
    may have been there all the same.

    `drains`: it heeds `Ending.drain_until`, so that a session which is open at the end of a grant may go on for a while
    although no new one can begin. For that each grant needs a login of its own.

    `tells_sessions`: a read-back there counts the sessions that are open on the logins it reads. Without, it says none.
    """

    id: str
    name: str
    category: str
    description: str
    fields: tuple[Field, ...]
    resource_types: tuple[ResourceType, ...]
    setup: tuple[str, ...] = ()
    ends_by_itself: bool = False
    has_logins: bool = False
    reads_named_only: bool = False
    drains: bool = False
    tells_sessions: bool = False
    login_max: int = 63
    # What a grantee gets with a login, in a word or a few: a password, a kubeconfig, an access key.
    credential: str = "password"
    limits: tuple[Limit, ...] = ()
    kind: str = "system"
    tells: tuple[str, ...] = ()
    attributes: tuple[AttributePath, ...] = ()
    shift_type: str = ""

    def secret_fields(self) -> tuple[Field, ...]:
        """Return the fields that go into a secret store."""
        return tuple(field for field in self.fields if field.kind == "secret")

    def plain_fields(self) -> tuple[Field, ...]:
        """Return the fields that are no secret."""
        return tuple(field for field in self.fields if field.kind != "secret")
