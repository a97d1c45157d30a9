"""Integrations, people and the inventory at the older addresses.

shapes      serializers
mapping     integrations of the older contracts: into bodies of version 4, which is what writes, and back
views       integrations, for programs and for older Terraform providers
catalogue   what can be connected, and connectors
inventory   resources and permissions of an integration
people      identities, users, and attributes that are written for many people at once
"""
