"""What may be written of groups, and how people, groups and attributes are described."""

from __future__ import annotations

from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, NextPage, text

MEMBERS_MAX = 10_000


def _emails() -> serializers.ListField:
    return serializers.ListField(child=text(254), max_length=MEMBERS_MAX)


class NameWanted(serializers.Serializer[object]):
    """A group's new name."""

    name = text(200)


class MembersWanted(serializers.Serializer[object]):
    """Who is to be in a group, by address."""

    members_emails = _emails()


class GroupWanted(NameWanted):
    """A new group of our own."""

    members_emails = _emails()


class _From(serializers.Serializer[object]):
    source_integration_id = serializers.CharField(**OPTIONAL)
    source_integration_name = serializers.CharField(**OPTIONAL)


class GroupShown(_From):
    """A group."""

    id = serializers.CharField()
    name = serializers.CharField()
    source_id = serializers.CharField(**OPTIONAL)


class GroupList(serializers.Serializer[object]):
    """A page of groups."""

    items = GroupShown(many=True)
    pagination = NextPage()


class MemberShown(serializers.Serializer[object]):
    """A member of a group."""

    email = serializers.CharField()


class MemberList(serializers.Serializer[object]):
    """A page of members."""

    items = MemberShown(many=True)
    pagination = NextPage()


class UserShown(_From):
    """A person."""

    id = serializers.CharField()
    email = serializers.CharField()
    email_aliases = serializers.ListField(child=serializers.CharField())
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    active = serializers.BooleanField()
    roles = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField(child=serializers.CharField(), **OPTIONAL)


class UserList(serializers.Serializer[object]):
    """A page of people."""

    items = UserShown(many=True)
    pagination = NextPage()


class AttributeShown(_From):
    """A type and a value that conditions can name."""

    type = serializers.CharField()
    value = serializers.CharField()
    source_id = serializers.CharField(**OPTIONAL)


class AttributeList(serializers.Serializer[object]):
    """A page of attributes."""

    items = AttributeShown(many=True)
    pagination = NextPage()
