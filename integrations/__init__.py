"""Configured systems: inventory, secrets, connectors and orders. The one door to connectors/."""
