"""Where secrets are: as the contracts say it, and as references of ours. Pure.

The built-in store is written to as `apono`, with the values, and never told: what is in it is nobody's to read.
"""

from __future__ import annotations

from typing import Any

from integrations.choices import SecretStore

Part = dict[str, Any]
# The contract's name of each store, with its fields. The last two are ours.
FIELDS: dict[str, tuple[SecretStore, tuple[str, ...]]] = {
    "aws": (SecretStore.AWS, ("region", "secret_id")),
    "gcp": (SecretStore.GOOGLE, ("project", "secret_id")),
    "kubernetes": (SecretStore.KUBERNETES, ("namespace", "name")),
    "azure": (SecretStore.AZURE, ("vault_url", "name")),
    "hashicorp_vault": (SecretStore.VAULT, ("secret_engine", "path")),
    "environment": (SecretStore.ENVIRONMENT, ("name",)),
    "file": (SecretStore.FILE, ("name",)),
}
BUILT_IN = "apono"


def reference_wanted(config: Part) -> tuple[str, str] | None:
    """Return store and reference that a checked secret_store_config names; None for the built-in store or none."""
    for name, (store, fields) in FIELDS.items():
        if told := config.get(name):
            return store.value, _joined(name, [str(told[field]) for field in fields])
    return None


def _joined(name: str, values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    first, second = values
    if name == "aws" and second.startswith("arn:"):
        return second
    if name == "gcp":
        return f"projects/{first}/secrets/{second}"
    if name == "azure":
        return f"{first.rstrip('/')}/secrets/{second}"
    return f"{first}/{second}"


def reference_shown(store: str, reference: str, written: Part | None = None) -> Part | None:
    """Return a reference as it is answered: word by word as it was written, while it still means the same."""
    if written and reference_wanted(written) == (store, reference):
        return written
    for name, (ours, fields) in FIELDS.items():
        if ours == store:
            return {name: dict(zip(fields, _parted(name, reference), strict=True))}
    return None


def _parted(name: str, reference: str) -> list[str]:
    if name in ("environment", "file"):
        return [reference]
    if name == "aws" and reference.startswith("arn:"):
        parts = reference.split(":")
        return [parts[3] if len(parts) > 3 else "", reference]
    if name == "gcp":
        parts = reference.split("/")
        return [parts[1], "/".join(parts[3:])] if len(parts) > 3 else ["", reference]
    if name == "azure":
        vault, _, secret = reference.partition("/secrets/")
        return [vault, secret]
    first, _, second = reference.partition("/")
    return [first, second]
