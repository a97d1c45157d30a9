"""Secret stores, one file each. All stand behind one door: `Store`."""

from __future__ import annotations

from typing import Protocol

from connectors.contract.secret import Secret


class Store(Protocol):
    """A place where secrets are kept."""

    def resolve(self, reference: str) -> Secret:
        """Return the secret that `reference` names in this store. Raises a TargetError when it cannot be had."""
