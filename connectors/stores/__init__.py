"""Secret stores, one file each. A connector reads a secret at the moment of use, and keeps it no longer than one order.

The built-in store is the server's: it opens a secret for one order and seals it to the connector's own key. All others
are read by the connector, with the identity that its environment gives it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Protocol

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError
from connectors.contract.orders import SecretReference
from connectors.contract.provider import Run
from connectors.contract.secret import Secret

# Store id to the module that reads it.
STORES = {
    "aws": "aws_secrets_manager",
    "azure": "azure_key_vault",
    "google": "google_secret_manager",
    "kubernetes": "kubernetes_secret",
    "vault": "vault",
    "environment": "environment",
    "file": "file",
}


class Store(Protocol):
    """A place where secrets are kept."""

    def read(self, reference: str, run: Run) -> str:
        """Return the text that `reference` names in this store, within the lease. Raises a TargetError."""


def resolve(references: Mapping[str, SecretReference], run: Run) -> dict[str, Secret]:
    """Return the secrets that these fields refer to; what several fields refer to is read once.

    Raises a TargetError of the store's own kind, which says that the secret is unreachable, and why.
    """
    read: dict[tuple[str, str], str] = {}
    found = {}
    for field, reference in references.items():
        place = (reference.store, reference.reference)
        if place not in read:
            read[place] = _read(reference, run)
        found[field] = Secret(_part(read[place], reference))
    return found


def store(id_: str) -> Store:
    """Return a store, importing what it needs on first use. Raises Misconfigured for an unknown one."""
    if id_ not in STORES:
        raise Misconfigured(f"This connector knows no secret store '{id_}'.", fix=f"It knows {', '.join(STORES)}.")
    module = importlib.import_module(f"connectors.stores.{STORES[id_]}")
    made: Store = module.STORE
    return made


def _read(reference: SecretReference, run: Run) -> str:
    """Read one secret; an error names it, and what to do."""
    run.alive()
    try:
        return store(reference.store).read(reference.reference, run)
    except LeaseLost:
        raise
    except TargetError as error:
        words = f"Secret {reference.reference} is unreachable in the store '{reference.store}': {error.message}"
        raise type(error)(words, fix=error.fix) from error


def _part(text: str, reference: SecretReference) -> str:
    """Return the part of a secret that a key names; a secret that is no JSON object is one value, whatever the key."""
    if not reference.key:
        return text
    try:
        parts = json.loads(text)
    except ValueError:
        return text
    if not isinstance(parts, dict):
        return text
    value = parts.get(reference.key)
    if not isinstance(value, str | int):
        raise Misconfigured(
            f"The secret {reference.reference} is a JSON object without a text called '{reference.key}'.",
            fix=f"Add the key '{reference.key}' to it.",
        )
    return str(value)
