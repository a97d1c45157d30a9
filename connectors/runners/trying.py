"""`latchkey-connector try VERB --order FILE`: one order, run here and now without a server, to see what it does.

The file is TOML: `provider`, `config`, `[references.<field>]` with `store` and `reference` (the environment and files
are the ones to use here), and for verbs about a person `[person]` and `[[holds]]` with `units`. What changes something
is only tried as a dry run.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Desired, Ending, Grant, Order, Page, Person, Report, SecretReference, Unit, Verb
from connectors.contract.wire import BadMessage, build, plain
from connectors.manifests import read_toml
from connectors.registry import BUILT_IN, Registry
from connectors.runners.local import run
from connectors.runners.rules import READING, Rules
from connectors.toolkit.sealing import new_private_key, public_key

KEYS = {"provider", "config", "references", "person", "holds", "gone", "resource_types", "seconds"}
TRY_SECONDS = 300.0


def read_order(path: Path, verb: Verb, *, dry_run: bool) -> Order:
    """Return the order that a file describes. Raises Misconfigured naming the file and what is wrong with it."""
    data = read_toml(path)
    unknown = data.keys() - KEYS
    if unknown or not isinstance(data.get("provider"), str):
        raise Misconfigured(f"{path}: needs 'provider', and knows {', '.join(sorted(KEYS))}.")
    if verb not in READING and not dry_run:
        raise Misconfigured(f"{verb} changes something: add --dry-run to see what would run.")
    try:
        return Order(
            order_id=str(uuid.uuid4()),
            epoch=1,
            verb=verb,
            provider=data["provider"],
            integration_id=str(uuid.UUID(int=0)),
            config=dict(data.get("config", {})),
            references={name: build(SecretReference, one) for name, one in data.get("references", {}).items()},
            desired=_desired(data) if verb not in (Verb.CHECK, Verb.DISCOVER, Verb.PEOPLE) else None,
            # Nobody will open what is sealed to a key that is forgotten at once.
            seal_to=public_key(new_private_key()),
            lease_seconds=float(data.get("seconds", TRY_SECONDS)),
            resource_types=tuple(data.get("resource_types", ())),
            dry_run=dry_run,
        )
    except (BadMessage, TypeError, ValueError, AttributeError) as error:
        raise Misconfigured(f"{path}: {error}") from error


def _desired(data: dict[str, Any]) -> Desired:
    """Return what a person should hold, as the file says it."""
    person = {"person_id": str(uuid.UUID(int=0)), "name": "Somebody", **data.get("person", {})}
    return Desired(
        build(Person, person),
        tuple(_grant(number, one) for number, one in enumerate(data.get("holds", []))),
        tuple(
            build(Ending, {"grant_id": f"try-gone-{number}", **one}) for number, one in enumerate(data.get("gone", []))
        ),
    )


def _grant(number: int, said: dict[str, Any]) -> Grant:
    """Return one grant; its end is given in seconds from now."""
    units = tuple(build(Unit, one) for one in said.get("units", []))
    seconds = said.get("seconds")
    ends_at = math.inf if seconds is None else time.time() + float(seconds)
    return Grant(f"try-{number}", str(said.get("login", "lk_try")), units, ends_at, bool(said.get("credentials", True)))


def attempt(order: Order, rules: Rules, *, registry: Registry = BUILT_IN) -> tuple[Report, list[Page]]:
    """Run an order here, by the owner's rules; return its report and what it found."""
    pages: list[Page] = []
    report = run(order, on_page=pages.append, registry=registry, rules=rules)
    return report, pages


def in_words(report: Report, pages: list[Page]) -> str:
    """Return what came of it, for a terminal. Credentials are not in it, sealed or not."""
    if report.error is not None:
        return f"{report.error.kind}: {report.error.message} {report.error.fix}".strip()
    lines = [f"{one.level:<8} {one.message} {one.fix}".rstrip() for one in report.findings]
    lines += [f"{one.resource_type} {one.source_id}" for page in pages for one in page.resources]
    for program in report.programs:
        lines += [f"-- {program.function}", program.text, ""]
    for grant in report.grants:
        lines += [f"{one.outcome:<8} {json.dumps(plain(one.unit), ensure_ascii=False)}" for one in grant.units]
    if report.read_back is not None:
        lines.append(f"read back: {len(report.read_back.ours)} of ours, {len(report.read_back.standing)} standing")
    return "\n".join(lines) or "Nothing to do."
