"""Integrations as the contracts say them: out of rows that are read already, and into what actions take. Pure.

What a client wrote is told back just so, as far as it still holds: `Integration.as_written` keeps the names to which
it gave values, though they are the usual ones, and how it named owners and secrets. What is null is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract.manifest import Manifest
from integrations.api.stores import Part, reference_shown
from integrations.choices import IntegrationStatus, SecretStore
from integrations.models import Integration, IntegrationOwner
from integrations.queries import owner_name

RESOURCES, USER_INFORMATION = "RESOURCES", "USER-INFORMATION"
CATEGORIES = (RESOURCES, USER_INFORMATION)
# Categories of providers that tell of people and give nothing.
_TELLING = ("user_information", "user-information", "directory", "people", "on_call", "on-call", "shifts")
STATUSES = {
    IntegrationStatus.INITIALIZING: "Initializing",
    IntegrationStatus.ACTIVE: "Active",
    IntegrationStatus.WARNING: "Warning",
    IntegrationStatus.ERROR: "Error",
    IntegrationStatus.DISABLED: "Disabled",
}
# Settings of ours that the contract has among the configuration: by name the column and its usual value.
LIFETIMES: dict[str, tuple[str, int | None]] = {
    "credentials_rotation_period_in_days": ("rotation_days", None),
    "credentials_cleanup_period_in_days": ("cleanup_days", 90),
}
RECONCILE_USUAL = 6


def category_of(manifest: Manifest | None) -> str:
    """Return which of the contract's two categories a type is of."""
    return USER_INFORMATION if manifest is not None and manifest.category in _TELLING else RESOURCES


def present(part: Part) -> Part:
    """Return what is not null."""
    return {key: value for key, value in part.items() if value is not None}


def config_shown(row: Integration, manifest: Manifest | None) -> dict[str, str]:
    """Return the configuration as texts: what was written, and what is not as usual."""
    usual: dict[str, Any] = {one.name: one.default for one in manifest.plain_fields()} if manifest else {}
    kept: dict[str, Any] = dict(row.config)
    for name, (column, value) in LIFETIMES.items():
        usual[name] = "" if value is None else str(value)
        kept[name] = getattr(row, column)
    written = row.as_written.get("config")
    if written is None:
        # Made on a page: all that it says is told, but for lifetimes as usual.
        written = list(row.config)
    told = {
        name: _text(value) for name, value in kept.items() if name in written or _text(value) != usual.get(name, "")
    }
    return told | {name: "" for name in written if name not in told}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def owner_keys(owners: list[IntegrationOwner]) -> list[str]:
    """Return who owners are, in an order of their own."""
    return sorted(f"user:{one.user_id}" if one.user_id else f"group:{one.group_id}" for one in owners)


def owner_shown(row: Integration, owners: list[IntegrationOwner], names: Mapping[str, str]) -> Part | None:
    """Return the owners: one kind of them, people or groups. Of both, the contract can say groups only."""
    if not owners:
        return None
    written = row.as_written.get("owner")
    if written and written["keys"] == owner_keys(owners):
        told = {"attribute_type": written["attribute_type"], "attribute_value": written["attribute_value"]}
        return told | _source(written.get("source"), names)
    groups = [one for one in owners if one.group_id]
    return {
        "attribute_type": "group" if groups else "user",
        "attribute_value": [owner_name(one) for one in groups or owners],
    }


def _source(pk: str | None, names: Mapping[str, str]) -> Part:
    return {"source_integration_id": pk, "source_integration_name": names[pk]} if pk and pk in names else {}


def mapping_shown(row: Integration, names: Mapping[str, str]) -> Part | None:
    """Return by which tag a resource's owner is named."""
    if not row.owner_tag_key:
        return None
    told = {"key_name": row.owner_tag_key, "attribute_type": row.owner_tag_type}
    return told | _source(row.as_written.get("mapping_source"), names)


def store_shown(row: Integration) -> Part | None:
    """Return where the secrets are, unless that is the built-in store."""
    for one in row.secrets.all():
        if one.store != SecretStore.BUILTIN:
            return reference_shown(one.store, one.reference, row.as_written.get("secret_store_config"))
    return None


def extension(row: Integration, owners: list[IntegrationOwner]) -> Part:
    """Return what the contract has no word for, where it is not as usual."""
    told: Part = {}
    if row.reconcile_hours != RECONCILE_USUAL:
        told["reconcile_hours"] = row.reconcile_hours
    if {bool(one.user_id) for one in owners} == {True, False}:
        told["owner_users"] = [owner_name(one) for one in owners if one.user_id]
    return told


def integration_shown(row: Integration, manifest: Manifest | None, names: Mapping[str, str]) -> Part:
    """Return an integration as version 4 answers it. `names` are those of integrations that owners come from."""
    owners = list(row.owners.all())
    return present(
        {
            "id": str(row.pk),
            "name": row.name,
            "type": row.type,
            "category": category_of(manifest),
            "connector_id": str(row.connector_id),
            "status": STATUSES[IntegrationStatus(row.status)],
            "last_sync_time": row.synced_at,
            "integration_config": config_shown(row, manifest),
            "secret_store_config": store_shown(row),
            "connected_resource_types": list(row.enabled_types) or None,
            "custom_access_details": row.custom_access_details or None,
            "owner": owner_shown(row, owners, names),
            "owners_mapping": mapping_shown(row, names),
            "latchkey": extension(row, owners) or None,
        }
    )


def sources_of(row: Integration) -> list[str]:
    """Return the ids of the integrations that owners were said to come from."""
    told = [(row.as_written.get("owner") or {}).get("source"), row.as_written.get("mapping_source")]
    return [one for one in told if one]
