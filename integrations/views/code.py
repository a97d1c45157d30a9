"""An integration as a document: what would be given to connect it again. Secrets are named, never told."""

from __future__ import annotations

import json
from typing import Any

from integrations.choices import SecretStore
from integrations.models import Integration, SecretReference


def document(integration: Integration) -> dict[str, Any]:
    """Return what `actions.connect` would be given, as plain data; empty settings are left out."""
    owners = list(integration.owners.select_related("user", "group"))
    settings = {
        "enabled_types": integration.enabled_types,
        "custom_access_details": integration.custom_access_details,
        "rotation_days": integration.rotation_days,
        "cleanup_days": integration.cleanup_days,
        "reconcile_hours": integration.reconcile_hours,
    }
    if integration.owner_tag_key:
        settings |= {"owner_tag_key": integration.owner_tag_key, "owner_tag_type": integration.owner_tag_type}
    return {
        "name": integration.name,
        "type": integration.type,
        "connector": integration.connector.name,
        "config": dict(integration.config),
        "settings": {name: value for name, value in settings.items() if value not in (None, "", [])},
        "owners": {
            "users": [one.user.email for one in owners if one.user is not None],
            "groups": [one.group.name for one in owners if one.group is not None],
        },
        "secrets": {one.field: _secret(one) for one in integration.secrets.order_by("field")},
    }


def _secret(one: SecretReference) -> dict[str, str]:
    """Return where a secret is; what the built-in store calls it means nothing elsewhere."""
    told = {"store": one.store}
    return told if one.store == SecretStore.BUILTIN else told | {"reference": one.reference}


def as_json(told: dict[str, Any]) -> str:
    """Return the document as JSON."""
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_toml(told: dict[str, Any]) -> str:
    """Return the document as TOML: tables of strings, whole numbers, and lists of strings."""
    return "\n".join(_table(told, ())).strip() + "\n"


def _table(table: dict[str, Any], above: tuple[str, ...]) -> list[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    lines = ["", f"[{'.'.join(map(_text, above))}]"] if above and (plain or not table) else []
    lines += [f"{_text(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in table.items():
        if isinstance(value, dict):
            lines += _table(value, (*above, name))
    return lines


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int) else _text(str(value), quoted=True)


def _text(text: str, *, quoted: bool = False) -> str:
    """Return a key or a string. A basic string of TOML is one of JSON, but for DEL."""
    if not quoted and text.isascii() and text.replace("_", "a").replace("-", "a").isalnum():
        return text
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
