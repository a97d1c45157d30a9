"""The manifest of a provider: data with a closed schema, from which forms and pages are derived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the configuration form. `kind` is text, integer, choice, or secret."""

    name: str
    label: str
    kind: str
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission as the manifest declares it."""

    id: str
    name: str
    risk_level: int


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type as the manifest declares it. `optional` types are off until the admin chooses them."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider, described. `id` is the folder's name."""

    id: str
    name: str
    category: str
    description: str
    fields: tuple[Field, ...]
    resource_types: tuple[ResourceType, ...]
    setup: tuple[str, ...] = ()
    ends_by_itself: bool = False
    has_logins: bool = False

    def secret_fields(self) -> tuple[Field, ...]:
        """Return the fields that go into a secret store."""
        return tuple(field for field in self.fields if field.kind == "secret")

    def plain_fields(self) -> tuple[Field, ...]:
        """Return the fields that are no secret."""
        return tuple(field for field in self.fields if field.kind != "secret")
