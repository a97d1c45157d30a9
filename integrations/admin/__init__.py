"""The admin pages of integrations: systems, inventory, connectors, orders."""

from integrations.admin.inventory import ResourceAdmin
from integrations.admin.operations import ConnectorAdmin, ConnectorInstanceAdmin, OrderAdmin
from integrations.admin.systems import IntegrationAdmin

__all__ = ["ConnectorAdmin", "ConnectorInstanceAdmin", "IntegrationAdmin", "OrderAdmin", "ResourceAdmin"]
