"""An integration as Terraform text. Secrets of the built-in store are variables, for nobody reads them out."""

from __future__ import annotations

from accounts.rest.terraform import block
from integrations.api.stores import Part
from integrations.api.views import rows, shown
from integrations.choices import SecretStore
from integrations.models import Integration

_NOTE = "The secrets are in the built-in store, which tells them to nobody: give them to it yourself."


def integration_text(integration: Integration) -> str:
    """Return an integration as Terraform text."""
    found = list(rows().filter(pk=integration.pk))
    if not found:
        return ""
    (told,) = shown(found)
    left_out = ("id", "category", "status", "last_sync_time", "owner", "owners_mapping")
    body: Part = {key: value for key, value in told.items() if key not in left_out}
    if owner := told.get("owner"):
        values = {"type": owner["attribute_type"], "values": owner["attribute_value"]}
        body["owner"] = values | _source(owner)
    if mapping := told.get("owners_mapping"):
        body["owners_mapping"] = {key: mapping[key] for key in ("key_name", "attribute_type")} | _source(mapping)
    built_in = integration.secrets.filter(store=SecretStore.BUILTIN).exists()
    return block("resource_integration", integration.name, body, note=_NOTE if built_in else "")


def _source(told: Part) -> Part:
    name = told.get("source_integration_name")
    return {"source_integration_name": name} if name else {}
