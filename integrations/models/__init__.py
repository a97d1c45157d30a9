"""Configured systems, what was found in them, and the orders to the connectors beside them."""

from integrations.models.inventory import Permission, Resource, ResourceType, Tag
from integrations.models.links import BaselineUnit, ConnectorToken, Trial
from integrations.models.orders import Change, Order, StagedResource, SyncRun
from integrations.models.people import Directory, DirectoryAttribute, Shift, StagedFact
from integrations.models.systems import (
    Connector,
    ConnectorInstance,
    Integration,
    IntegrationOwner,
    Origin,
    SecretReference,
    StoredSecret,
)

__all__ = [
    "BaselineUnit",
    "Change",
    "Connector",
    "ConnectorInstance",
    "ConnectorToken",
    "Directory",
    "DirectoryAttribute",
    "Integration",
    "IntegrationOwner",
    "Order",
    "Origin",
    "Permission",
    "Resource",
    "ResourceType",
    "SecretReference",
    "Shift",
    "StagedFact",
    "StagedResource",
    "StoredSecret",
    "SyncRun",
    "Tag",
    "Trial",
]
