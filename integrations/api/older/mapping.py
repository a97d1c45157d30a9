"""Integrations of the older contracts: into bodies of version 4, which is what writes, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rest_framework.exceptions import ValidationError

from connectors.contract.manifest import Manifest
from integrations.api.mapping import present
from integrations.api.stores import BUILT_IN, FIELDS, Part
from integrations.models import Integration

PARAMS, METADATA = "params", "metadata"
SECRETS = {name.upper(): name for name in (*FIELDS, BUILT_IN)}
_NAMES = {
    "connector_id": "provisioner_id",
    "secret_store_config": "secret_config",
    "owner": "integration_owners",
    "latchkey": "integration_owners",
    "owners_mapping": "resource_owners_mappings",
}


@contextmanager
def named(config: str) -> Iterator[None]:
    """Have refusals name the fields of an older body; `config` is what it calls the configuration."""
    names = _NAMES | {"integration_config": config}
    try:
        yield
    except ValidationError as problem:
        found: Any = problem.detail
        if not isinstance(found, dict):
            raise
        told: dict[str, Any] = {}
        for path, words in found.items():
            first, dot, rest = str(path).partition(".")
            told[f"{names.get(first, first)}{dot}{rest}"] = words
        raise ValidationError(told) from problem


def wanted(body: Part, config: str, kept: Part | None = None) -> Part:
    """Return a checked body as version 4 has it. `kept` is an integration, of which owners stay as they are."""
    told: Part = {name: body[name] for name in ("name", "type") if name in body}
    told |= {
        "connector_id": body.get("provisioner_id"),
        "integration_config": body[config],
        "secret_store_config": _secret_wanted(body.get("secret_config")),
        "connected_resource_types": body.get("connected_resource_types"),
        "custom_access_details": body.get("custom_access_details"),
    }
    return told | (_owners_kept(kept) if kept is not None else _owners_wanted(body))


def _secret_wanted(told: Part | None) -> Part | None:
    if not told:
        return None
    name = SECRETS.get(str(told.get("type")))
    if name is None:
        raise ValidationError({"secret_store_config.type": [f"One of {', '.join(SECRETS)}."]})
    known = FIELDS[name][1] if name in FIELDS else ("parameters",)
    if wrong := sorted(set(told) - {"type", *known}):
        raise ValidationError({f"secret_store_config.{wrong[0]}": [f"{told['type']} takes {', '.join(known)}."]})
    return {name: {field: told[field] for field in known if field in told}}


def _owners_wanted(body: Part) -> Part:
    found: Part = {}
    of = {one["attribute_type"]: one for one in body.get("integration_owners") or ()}
    if len(of) < len(body.get("integration_owners") or ()):
        raise ValidationError({"owner": ["Owners of one type stand in one list of values."]})
    owner = of.pop("group", None) or next(iter(of.values()), None)
    if owner is not None:
        source = owner.get("integration_id")
        told = {"attribute_type": owner["attribute_type"], "attribute_value": owner["attribute_value"]}
        found["owner"] = told | ({"source_integration_reference": source} if source else {})
    beside = [one for one in of.values() if one is not owner]
    if any(one["attribute_type"] != "user" or one.get("integration_id") for one in beside):
        raise ValidationError({"owner": ["Beside groups there can be users, whichever integration they come from."]})
    # Said also where there are none, so that who is not told any more is no owner any more.
    found["latchkey"] = {"owner_users": [email for one in beside for email in one["attribute_value"]]}
    for one in body.get("resource_owners_mappings") or ():
        source = one.get("attribute_integration_id")
        told = {"key_name": one["tag_name"], "attribute_type": one["attribute_type"]}
        found["owners_mapping"] = told | ({"source_integration_reference": source} if source else {})
    return found


def _owners_kept(shown: Part) -> Part:
    """Return owners as they are answered as they are written."""
    found: Part = {"latchkey": {"owner_users": (shown.get("latchkey") or {}).get("owner_users", [])}}
    for name in ("owner", "owners_mapping"):
        if part := shown.get(name):
            told = {key: value for key, value in part.items() if not key.startswith("source_")}
            found[name] = told | {"source_integration_reference": part.get("source_integration_id")}
    return found


def shown(row: Integration, told: Part, manifest: Manifest | None, config: str) -> Part:
    """Return an integration, told as version 4 answers it, as an older contract does."""
    synced: datetime | None = told.get("last_sync_time")
    found = {
        **{name: told.get(name) for name in ("id", "name", "type", "status", "custom_access_details")},
        "provisioner_id": told["connector_id"],
        "last_sync_time": synced.timestamp() if synced else None,
        config: told["integration_config"],
        "secret_config": _secret_shown(told.get("secret_store_config")),
        "connected_resource_types": types_of(row, manifest),
    }
    if config == METADATA:
        return present(found | {"details": row.status_reason or None})
    return present(found | _owners_shown(told))


def types_of(row: Integration, manifest: Manifest | None) -> list[str]:
    """Return which resource types are looked for. Clients look here for what can be named: the usual are said too."""
    if row.enabled_types or manifest is None:
        return list(row.enabled_types)
    return [one.id for one in manifest.resource_types if not one.optional]


def _secret_shown(told: Mapping[str, Part] | None) -> Part | None:
    for name, fields in (told or {}).items():
        return {"type": name.upper(), **fields}
    return None


def _owners_shown(told: Part) -> Part:
    owners, mapping = [], told.get("owners_mapping")
    if owner := told.get("owner"):
        part = {name: owner[name] for name in ("attribute_type", "attribute_value")}
        owners.append(present(part | {"integration_id": owner.get("source_integration_id")}))
    if users := (told.get("latchkey") or {}).get("owner_users"):
        owners.append({"attribute_type": "user", "attribute_value": users})
    tags = {"tag_name": mapping["key_name"], "attribute_type": mapping["attribute_type"]} if mapping else {}
    source = {"attribute_integration_id": mapping.get("source_integration_id")} if mapping else {}
    return {
        "integration_owners": owners or None,
        "resource_owners_mappings": [present(tags | source)] if tags else None,
    }
