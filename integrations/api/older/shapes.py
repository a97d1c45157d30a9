"""What may be written at the older addresses of integrations and people, and what is answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, Instant, text
from integrations.api.shapes import LIST_MAX, Value


def _values() -> serializers.DictField:
    return serializers.DictField(child=Value(), help_text="By field its value.")


def _secret() -> serializers.DictField:
    return serializers.DictField(
        child=serializers.JSONField(),
        help_text="`type` (AWS, GCP, KUBERNETES, AZURE, HASHICORP_VAULT, ENVIRONMENT, FILE, APONO) and its fields.",
        **OPTIONAL,
    )


def _few(shape: Any, most: int) -> serializers.Field[Any, Any, Any, Any]:
    """Return a field of a list of so many things of one shape at most."""
    found: serializers.Field[Any, Any, Any, Any] = shape(many=True, max_length=most, **OPTIONAL)
    return found


class IntegrationOwnerOfTerraform(serializers.Serializer[object]):
    """Who answers for an integration: people by address, or groups by name."""

    integration_id = text(60, **OPTIONAL)
    attribute_type = text(100)
    attribute_value = serializers.ListField(child=text(300), max_length=50)


class ResourceOwnerMapping(serializers.Serializer[object]):
    """The tag that names a resource's owner."""

    tag_name = text()
    attribute_type = text(100)
    attribute_integration_id = text(60, **OPTIONAL)


class _Wanted(serializers.Serializer[object]):
    name = text(150)
    provisioner_id = text(60, **OPTIONAL)
    secret_config = _secret()
    connected_resource_types = serializers.ListField(child=text(60), max_length=LIST_MAX, **OPTIONAL)
    custom_access_details = text(400, allow_blank=True, **OPTIONAL)


class OlderIntegrationChange(_Wanted):
    """An integration as it is written anew; its type stays."""

    metadata = _values()


class OlderIntegrationWanted(OlderIntegrationChange):
    """A new integration."""

    type = text(60)


class TerraformIntegrationWanted(_Wanted):
    """An integration as older Terraform providers write it."""

    type = text(60)
    params = _values()
    integration_owners = _few(IntegrationOwnerOfTerraform, 2)
    resource_owners_mappings = _few(ResourceOwnerMapping, 1)


class _Shown(serializers.Serializer[object]):
    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    status = serializers.CharField()
    provisioner_id = serializers.CharField(**OPTIONAL)
    last_sync_time = Instant(**OPTIONAL)
    secret_config = _secret()
    connected_resource_types = serializers.ListField(child=serializers.CharField())
    custom_access_details = serializers.CharField(**OPTIONAL)


class OlderIntegrationShown(_Shown):
    """An integration."""

    details = serializers.CharField(**OPTIONAL)
    metadata = serializers.DictField(child=serializers.CharField())


class TerraformIntegrationShown(_Shown):
    """An integration as older Terraform providers read it."""

    params = serializers.DictField(child=serializers.CharField())
    integration_owners = IntegrationOwnerOfTerraform(many=True, **OPTIONAL)
    resource_owners_mappings = ResourceOwnerMapping(many=True, **OPTIONAL)


class CatalogueField(serializers.Serializer[object]):
    """A field of what is to be told of a system."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's own word too
    values = serializers.ListField(child=serializers.CharField())
    default = serializers.CharField()
    optional = serializers.BooleanField()


class CatalogueEntry(serializers.Serializer[object]):
    """A type of system that can be connected."""

    name = serializers.CharField()
    type = serializers.CharField()
    description = serializers.CharField()
    params = CatalogueField(many=True)
    requires_secret = serializers.BooleanField()
    supported_secret_types = serializers.ListField(child=serializers.CharField())


class OlderConnector(serializers.Serializer[object]):
    """A connector."""

    connector_id = serializers.CharField()
    last_connected = Instant(**OPTIONAL)
    status = serializers.CharField()


class ResourceState(serializers.Serializer[object]):
    """Whether a resource is there."""

    status = serializers.ChoiceField(choices=["Active", "Error", "Deleted"])
    message = serializers.CharField(**OPTIONAL)


class OlderResource(serializers.Serializer[object]):
    """A resource."""

    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    status = ResourceState()


class OlderPermission(serializers.Serializer[object]):
    """A permission on resources of a type."""

    name = serializers.CharField()
    id = serializers.CharField()
    resource_type = serializers.CharField()


class OlderIdentityShown(serializers.Serializer[object]):
    """A person, a group, or an attribute that people have."""

    type = serializers.ChoiceField(choices=["user", "group", "context_attribute"])
    name = serializers.CharField()
    id = serializers.CharField()


class OlderUser(serializers.Serializer[object]):
    """A person."""

    id = serializers.CharField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    active = serializers.BooleanField()


class IdentityAttributes(serializers.Serializer[object]):
    """A person's attributes, by type."""

    email = text(254)
    attributes = serializers.DictField(child=text(300))


class IdentityAttributeTypes(serializers.Serializer[object]):
    """A person, and types of attributes."""

    email = text(254)
    attribute_types = serializers.ListField(child=text(100), max_length=LIST_MAX)


class AttributeProblem(serializers.Serializer[object]):
    """Why something could not be done."""

    error_code = serializers.CharField()
    error_details = serializers.CharField()


class IdentityResult(serializers.Serializer[object]):
    """What became of one person's attributes."""

    email = serializers.CharField()
    success = serializers.BooleanField()
    errors = AttributeProblem(many=True)  # type: ignore[assignment]  # a serializer's own word too


class IdentitySummary(serializers.Serializer[object]):
    """How many people it went well for."""

    total = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()


class IdentityResults(serializers.Serializer[object]):
    """What became of the attributes of many people."""

    summary = IdentitySummary()
    results = IdentityResult(many=True)
