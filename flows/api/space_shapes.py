"""What may be written of spaces, and how it is described: an extension of our own."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.choices import SpaceRole
from accounts.rest.fields import NextPage, text
from flows.api.shapes import LIST_MAX, many, texts
from flows.models.spaces import NAME_MAX

ROLES = {"SpaceOwner": SpaceRole.OWNER, "SpaceManager": SpaceRole.MANAGER}
TYPES = ("user", "group")


def _roles() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=list(ROLES)), min_length=1, max_length=len(ROLES)
    )


class MemberRoles(serializers.Serializer[object]):
    """What somebody is in a space."""

    identity_type = serializers.ChoiceField(choices=TYPES, default="user")
    space_roles = _roles()


class SpaceMemberShape(MemberRoles):
    """A person by address, or everybody in a group by its name; both also by id."""

    identity_reference = text(254)


class SpaceMembersWanted(serializers.Serializer[object]):
    """Who belongs to a space, whole."""

    members = many(SpaceMemberShape, max_length=LIST_MAX)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Everybody is there once."""
        told = [(one["identity_type"], one["identity_reference"]) for one in attrs.get("members") or ()]
        if len(set(told)) < len(told):
            raise serializers.ValidationError({"members": "Somebody is named twice: put their roles together."})
        return attrs


class SpaceWanted(SpaceMembersWanted):
    """A space as it is written. Members that are left out stay."""

    name = text(NAME_MAX)
    space_scope_references = texts(200)
    members = many(SpaceMemberShape, max_length=LIST_MAX, required=False)


class SpaceShown(serializers.Serializer[object]):
    """A space: what bounds it by name, and who belongs to it."""

    id = serializers.CharField()
    name = serializers.CharField()
    space_scope_references = serializers.ListField(child=serializers.CharField())
    members = SpaceMemberShape(many=True)
    creation_date = serializers.DateTimeField()


class SpaceList(serializers.Serializer[object]):
    """A page of spaces."""

    items = SpaceShown(many=True)
    pagination = NextPage()


class SpaceMemberList(serializers.Serializer[object]):
    """All who belong to a space."""

    items = SpaceMemberShape(many=True)
    pagination = NextPage()
