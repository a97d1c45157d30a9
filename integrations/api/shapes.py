"""What may be written of integrations and connectors, and how it is described."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, NextPage, text
from integrations.api.stores import BUILT_IN, FIELDS

VALUE_MAX, LIST_MAX = 200_000, 200


@extend_schema_field({"description": "A text, a number, a yes or no, or a tree."})
class Value(serializers.Field[str, Any, Any, Any]):
    """A value of a configuration: a text, or a number, a yes or no, or a tree, which is kept as its text."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it as actions take it. Raises ValidationError."""
        if isinstance(data, str) and len(data) > VALUE_MAX:
            raise serializers.ValidationError(f"At most {VALUE_MAX} characters.")
        return data

    def to_representation(self, value: Any) -> Any:
        """Return it."""
        return value


class AwsSecret(serializers.Serializer[object]):
    """A secret of AWS Secrets Manager."""

    region = text(60)
    secret_id = text(400)


class GcpSecret(serializers.Serializer[object]):
    """A secret of Google Secret Manager."""

    project = text()
    secret_id = text(250)


class KubernetesSecret(serializers.Serializer[object]):
    """A Kubernetes secret."""

    namespace = text()
    name = text(250)


class AzureSecret(serializers.Serializer[object]):
    """A secret of Azure Key Vault."""

    vault_url = text(300)
    name = text(150)


class VaultSecret(serializers.Serializer[object]):
    """A secret of HashiCorp Vault or OpenBao."""

    secret_engine = text()
    path = text(280)


class NamedSecret(serializers.Serializer[object]):
    """A secret beside the connector, by name."""

    name = text()


class BuiltInSecret(serializers.Serializer[object]):
    """Secrets for the built-in store: by field the value. They are never told."""

    parameters = serializers.DictField(child=text(VALUE_MAX, allow_blank=True))


class SecretStoreShown(serializers.Serializer[object]):
    """Where the secrets are."""

    aws = AwsSecret(**OPTIONAL)
    gcp = GcpSecret(**OPTIONAL)
    kubernetes = KubernetesSecret(**OPTIONAL)
    azure = AzureSecret(**OPTIONAL)
    hashicorp_vault = VaultSecret(**OPTIONAL)
    environment = NamedSecret(**OPTIONAL)
    file = NamedSecret(**OPTIONAL)


class SecretStoreWanted(SecretStoreShown):
    """Where the secrets are; the built-in store is given them."""

    apono = BuiltInSecret(**OPTIONAL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """All secrets are in one store."""
        if sum(bool(attrs.get(name)) for name in (*FIELDS, BUILT_IN)) > 1:
            raise serializers.ValidationError("All secrets of an integration are in one store: name one.")
        return attrs


class Owner(serializers.Serializer[object]):
    """Who answers for it: people by address, or groups by name."""

    attribute_type = text(100)
    attribute_value = serializers.ListField(child=text(300), max_length=50)


class OwnerWanted(Owner):
    """Who answers for it, as it is written."""

    source_integration_reference = text(allow_blank=True, **OPTIONAL)


class OwnerShown(Owner):
    """Who answers for it, as it is answered."""

    source_integration_id = serializers.CharField(**OPTIONAL)
    source_integration_name = serializers.CharField(**OPTIONAL)


class Mapping(serializers.Serializer[object]):
    """The tag that names a resource's owner, and what its value is."""

    key_name = text()
    attribute_type = text(100)


class MappingWanted(Mapping):
    """The tag that names a resource's owner, as it is written."""

    source_integration_reference = text(allow_blank=True, **OPTIONAL)


class MappingShown(Mapping):
    """The tag that names a resource's owner, as it is answered."""

    source_integration_id = serializers.CharField(**OPTIONAL)
    source_integration_name = serializers.CharField(**OPTIONAL)


class IntegrationExtension(serializers.Serializer[object]):
    """What only Latchkey has. Left out, it stays as it is."""

    reconcile_hours = serializers.IntegerField(min_value=0, max_value=8760, required=False)
    owner_users = serializers.ListField(child=serializers.EmailField(), max_length=50, required=False)


class IntegrationChange(serializers.Serializer[object]):
    """An integration as it is written anew; its type stays."""

    name = text(150)
    connector_id = text(**OPTIONAL)
    integration_config = serializers.DictField(child=Value())
    secret_store_config = SecretStoreWanted(**OPTIONAL)
    connected_resource_types = serializers.ListField(child=text(60), max_length=LIST_MAX, **OPTIONAL)
    custom_access_details = text(400, allow_blank=True, **OPTIONAL)
    owner = OwnerWanted(**OPTIONAL)
    owners_mapping = MappingWanted(**OPTIONAL)
    latchkey = IntegrationExtension(**OPTIONAL)


class IntegrationWanted(IntegrationChange):
    """A new integration."""

    type = text(60)


class IntegrationShown(serializers.Serializer[object]):
    """An integration as it is answered."""

    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    category = serializers.CharField()
    connector_id = serializers.CharField(**OPTIONAL)
    status = serializers.CharField()
    last_sync_time = serializers.DateTimeField(**OPTIONAL)
    integration_config = serializers.DictField(child=serializers.CharField())
    secret_store_config = SecretStoreShown(**OPTIONAL)
    connected_resource_types = serializers.ListField(child=serializers.CharField(), **OPTIONAL)
    custom_access_details = serializers.CharField(**OPTIONAL)
    owner = OwnerShown(**OPTIONAL)
    owners_mapping = MappingShown(**OPTIONAL)
    latchkey = IntegrationExtension(**OPTIONAL)


class IntegrationList(serializers.Serializer[object]):
    """A page of integrations."""

    items = IntegrationShown(many=True)
    pagination = NextPage()


class CloudOfInstance(serializers.Serializer[object]):
    """Where an instance runs."""

    region = serializers.CharField(**OPTIONAL)


class InstanceMetadata(serializers.Serializer[object]):
    """What an instance says of itself."""

    connector_version = serializers.CharField(**OPTIONAL)
    cloud_provider_metadata = CloudOfInstance(**OPTIONAL)


class Instance(serializers.Serializer[object]):
    """A running instance of a connector."""

    id = serializers.CharField()
    metadata = InstanceMetadata()
    last_connected_time = serializers.DateTimeField()


class ConnectorShown(serializers.Serializer[object]):
    """A connector as it is answered."""

    id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["CONNECTED", "DISCONNECTED"])
    version = serializers.CharField()
    last_connected = serializers.DateTimeField(**OPTIONAL)
    is_latest_version = serializers.BooleanField()
    cloud_provider_type = serializers.CharField()
    sessions = Instance(many=True)


class ConnectorWanted(serializers.Serializer[object]):
    """A connector's new name."""

    name = text(100)


class ConnectorList(serializers.Serializer[object]):
    """A page of connectors."""

    items = ConnectorShown(many=True)
    pagination = NextPage()
