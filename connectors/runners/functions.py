"""`latchkey-connector functions`: every program this connector could run, its digest, and what the owner says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from connectors.contract.errors import Refused
from connectors.registry import Registry
from connectors.runners.rules import Rules
from connectors.toolkit.program_files import ProgramFile


@dataclass(frozen=True, slots=True)
class Listed:
    """A program: where it is read from, and its state: allowed, replaced, pinned, or refused with the reason."""

    provider: str
    program: str
    digest: str
    path: str
    state: str
    why: str = ""


def functions(registry: Registry, rules: Rules) -> Iterator[Listed]:
    """Yield every program of every provider, in order."""
    for provider in sorted(registry.manifests()):
        for name, path in sorted(registry.programs(provider).items()):
            yield _listed(provider, name, path, rules)


def _listed(provider: str, name: str, path: Path, rules: Rules) -> Listed:
    """Return one program as the rules leave it."""
    shipped = ProgramFile(path)
    try:
        used = rules.admit(provider, shipped)
    except Refused as error:
        return Listed(provider, name, shipped.digest, str(path), "refused", error.message)
    replaced = used.path != shipped.path
    pinned = any(pin.program == f"{provider}/{name}" for pin in rules.pins)
    state = " and ".join([*(["replaced"] if replaced else []), *(["pinned"] if pinned else [])]) or "allowed"
    return Listed(provider, name, used.digest, str(used.path), state)


def digests(registry: Registry, rules: Rules) -> dict[str, str]:
    """Return what may run here, as Hello says it: the digest by "provider/program"."""
    return {f"{one.provider}/{one.program}": one.digest for one in functions(registry, rules) if one.state != "refused"}


def as_table(found: list[Listed]) -> str:
    """Return the list for a terminal."""
    rows = [(f"{one.provider}/{one.program}", one.digest[:16], one.state, one.why) for one in found]
    width = max((len(row[0]) for row in rows), default=0)
    return "\n".join(
        f"{name:<{width}}  {digest}  {state}{': ' + why if why else ''}" for name, digest, state, why in rows
    )


def as_json(found: list[Listed]) -> str:
    """Return the list for a program."""
    return json.dumps([asdict(one) for one in found], indent=2)


def as_pins(found: list[Listed]) -> str:
    """Return the list as pins, to be put into a file of rules."""
    tables = (f'[[pins]]\nprogram = "{one.provider}/{one.program}"\nsha256 = "{one.digest}"\n' for one in found)
    return "\n".join(tables)
