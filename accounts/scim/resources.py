"""The resources we serve, as scim2-models describes them: what of RFC 7643 means something here, and nothing else.

What else a provider sends (roles, entitlements, passwords, telephone numbers, …) is read past and not kept.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, ClassVar

from pydantic import Field
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    External,
    Filter,
    Mutability,
    Pagination,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

BULK_OPERATIONS, BODY_MAX, PAGE_MAX, PAGE = 1000, 2 * 1024 * 1024, 500, 100
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Name(ComplexAttribute):
    """The parts of a person's name."""

    formatted: str | None = None
    """The full name, formatted for display."""

    family_name: str | None = None
    """The family name, or last name."""

    given_name: str | None = None
    """The given name, or first name."""

    middle_name: str | None = None
    """The middle names."""


class Email(ComplexAttribute):
    """An e-mail address."""

    value: Annotated[str | None, Required.true] = None
    """The e-mail address."""

    display: str | None = None
    """A name for display."""

    type: str | None = Field(None, examples=["work", "home", "other"])
    """What the address is for, such as work or home."""

    primary: bool | None = None
    """Whether this is the address of the person."""


class Address(ComplexAttribute):
    """Where a person works; street and postal code are not kept."""

    locality: str | None = None
    """The city."""

    region: str | None = None
    """The state or region."""

    country: str | None = None
    """The country."""

    type: str | None = Field(None, examples=["work", "home", "other"])
    """What the address is for, such as work or home."""

    primary: bool | None = None
    """Whether this address counts before others."""


class GroupMembership(ComplexAttribute):
    """A group the person is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The id of the group."""

    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(  # noqa: UP037  # read when the model is made
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the group."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the group."""


class User(Resource[AnyExtension]):
    """A person."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the identity provider calls the person."""

    name: Name | None = None
    """The parts of the name."""

    Name: ClassVar[type[ComplexAttribute]] = Name

    display_name: str | None = None
    """The name for display."""

    nick_name: str | None = None
    """How the person is called in everyday life."""

    title: str | None = None
    """The title, such as Vice President."""

    user_type: str | None = None
    """The relationship to the organization, such as Employee or Contractor."""

    preferred_language: str | None = None
    """The preferred language."""

    locale: str | None = None
    """How dates and numbers are written."""

    timezone: str | None = None
    """The time zone, such as Europe/Berlin; taken over when the person is new."""

    active: Annotated[bool | None, Required.true] = None
    """Whether the person may sign in and be given access."""

    emails: Annotated[list[Email] | None, Required.true] = None
    """The e-mail addresses; the primary one is who the person is."""

    Emails: ClassVar[type[ComplexAttribute]] = Email

    addresses: list[Address] | None = None
    """Where the person works."""

    Addresses: ClassVar[type[ComplexAttribute]] = Address

    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None
    """The groups that were pushed and that the person is in."""

    Groups: ClassVar[type[ComplexAttribute]] = GroupMembership


class Manager(ComplexAttribute):
    """Whom a person reports to."""

    value: Annotated[str | None, Required.true, CaseExact.true] = None
    """The id of the manager."""

    # The name is looked up when the model is made.
    ref: Annotated[Reference["User"] | None, Mutability.read_write] = Field(  # type: ignore[type-arg]  # noqa: UP037
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the manager."""


class EnterpriseUser(Extension):
    """What organizations say of their people."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    """What the organization numbers the person by."""

    cost_center: str | None = None
    """The cost center."""

    organization: str | None = None
    """The organization."""

    division: str | None = None
    """The division."""

    department: str | None = None
    """The department."""

    manager: Manager | None = None
    """Whom the person reports to: somebody who was pushed too."""

    Manager: ClassVar[type[ComplexAttribute]] = Manager


class GroupMember(ComplexAttribute):
    """Somebody in a group."""

    value: Annotated[str | None, Mutability.immutable, Required.true, CaseExact.true] = None
    """The id of the person."""

    # The name is looked up when the model is made.
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(  # type: ignore[type-arg]  # noqa: UP037
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the person."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always User: groups in groups are not supported."""


class Group(Resource[Any]):
    """A group of people."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name of the group."""

    members: list[GroupMember] | None = None
    """The people in the group."""

    Members: ClassVar[type[ComplexAttribute]] = GroupMember


Person = User[EnterpriseUser]

# Providers differ from the standard in known ways; what they mean is plain in each of these.
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


def key(text: str, *, exact: bool = False) -> str:
    """Return a text as it is compared: NFC, and in lower case unless its case counts."""
    composed = unicodedata.normalize("NFC", text)
    return composed if exact else unicodedata.normalize("NFC", composed.lower())


def provider() -> ScimProvider:
    """Return the description of this service."""
    return ScimProvider(
        models=[User, EnterpriseUser, Group],
        resource_types=[ResourceType.from_resource(Person), ResourceType.from_resource(Group)],
        config=_config(),
    )


def _config() -> ServiceProviderConfig:
    bearer = AuthenticationScheme(
        type=AuthenticationScheme.Type("oauthbearertoken"),
        name="OAuth Bearer Token",
        description="A service token with the scope scim, in the header Authorization.",
        spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
        primary=True,
    )
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=BULK_OPERATIONS, max_payload_size=BODY_MAX),
        filter=Filter(supported=True, max_results=PAGE_MAX),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=False,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod("index"),
            default_page_size=PAGE,
            max_page_size=PAGE_MAX,
        ),
        authentication_schemes=[bearer],
    )
