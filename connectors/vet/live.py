"""A real target for a provider: what `connectors.vet.stories` are told on, for every provider, ours and other people's.

A live file (`python -m connectors.vet FOLDER --live FILE`) defines two functions: `missing()` says why there can be no
target here, or nothing; `live()` returns a context that starts a target of its own and is left with it gone.
"""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, cast

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Person, Unit


class Session(Protocol):
    """A session that a grantee has open at the target."""

    def alive(self) -> bool:
        """Say whether it still lets the grantee work."""

    def close(self) -> None:
        """Close it from the grantee's side."""


class Live(Protocol):
    """A target that the stories may use as they like; nobody else uses it meanwhile."""

    config: dict[str, Any]
    secrets: dict[str, str]
    # Somebody the target may know already; where the provider makes logins, a person the target has not heard of.
    person: Person
    # What is asked for; each can be held and used by itself.
    units: tuple[Unit, ...]

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Use the access as the grantee would: try the one thing that only `unit` permits, and say whether it worked.

        `details` and `credentials` are what the grantee was shown; both are empty where access is given to an account
        that the person has anyway. Waits as long as the target may need to take a change in.
        """

    def snapshot(self) -> object:
        """Return everything at the target that a grant could touch; equal when nothing changed."""

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> Session | None:
        """Open a session that lasts, or None where the target has none."""

    def give_standing(self, unit: Unit) -> bool:
        """Give the person `unit` by hand, beside Latchkey. False where people have no account of their own there."""

    def take_standing(self, unit: Unit) -> None:
        """Take back what `give_standing` gave."""


class LiveFile(Protocol):
    """A file with a target."""

    def missing(self) -> str:
        """Return why there can be no target here, or nothing."""

    def live(self) -> AbstractContextManager[Live]:
        """Start a target, and remove it at the end."""


def load(path: Path) -> LiveFile:
    """Return a live file. Raises Misconfigured when it is none."""
    spec = importlib.util.spec_from_file_location(f"live_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise Misconfigured(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("missing", "live"):
        if not callable(getattr(module, name, None)):
            raise Misconfigured(f"{path} defines no {name}().")
    return cast(LiveFile, module)
