"""What applying a folder would do: the change itself, rehearsed and undone; and what it means for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.actor import Actor
from flows.actions.applying import Outcome, apply_policy
from flows.findings import doubts
from flows.models import AppliedPolicy
from flows.text.changes import DELETE, NOUNS, Change, form_lines
from flows.text.folder import Folder, read_folder
from flows.text.nodes import canonical
from flows.text.present import Key, Present, present
from flows.text.spaces import grown
from flows.whatif import Effect, foresee, of_documents


@dataclass(frozen=True)
class Drift:
    """What became otherwise, in the admin or by a program, since text was applied last; applying undoes it."""

    kind: str
    name: str
    lines: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"kind": self.kind, "name": self.name, "lines": list(self.lines)}


@dataclass(frozen=True)
class Plan:
    """What would be done, what differs, and what is in force without a file."""

    changes: list[Change] = field(default_factory=list)
    what_if: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    # Things without a file: they stay.
    left: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """What is planned, as a digest: whoever applies it applies this and nothing else."""
        return digest_of(self.changes)

    def told(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {
            "changes": [one.told() for one in self.changes],
            "what_if": self.what_if,
            "doubts": self.doubts,
            "drift": [one.told() for one in self.drift],
            "left": self.left,
        }


def digest_of(changed: Iterable[Change]) -> str:
    """Return the digest of changes."""
    said = json.dumps([one.told() for one in changed], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def make_plan(root: Path, *, actor: Actor, prune: bool = False) -> Plan:
    """Return what applying the folder would do. Raises BadText with why it would be refused; changes nothing."""
    now = present()
    folder = read_folder(root, now, prune=prune)
    outcome = rehearse(folder, actor=actor, prune=prune)
    return Plan(
        changes=outcome.changes,
        what_if=what_if(outcome.changes, at=timezone.now()),
        doubts=_doubts(outcome.changes),
        drift=list(_drift(now, folder)),
        left=[] if prune else [_called(key) for key in sorted(now.forms) if key not in folder.forms],
    )


def rehearse(folder: Folder, *, actor: Actor, prune: bool = False) -> Outcome:
    """Apply the folder and undo it: so a plan refuses what applying would refuse, and says what it would do."""
    with transaction.atomic():
        try:
            return apply_policy(folder, actor=actor, prune=prune)
        finally:
            transaction.set_rollback(True)


def _called(key: Key) -> str:
    return f"{NOUNS[key[0]]} {key[1]}"


def what_if(changed: Iterable[Change], *, at: datetime) -> list[str]:
    """Return what the changes of flows mean together, in lines: who gains, loses, what ends, what went otherwise."""
    flows = [one for one in changed if one.kind == "flow"]
    pairs = [(one.before or None, one.after if one.after and one.verb != DELETE else None) for one in flows]
    return list(_told(foresee(of_documents(pairs), at=at, past=True))) if pairs else []


def _told(effect: Effect) -> Iterator[str]:
    yield from effect.automatic
    for tally, single, many in (
        (effect.people_gaining, "person gains", "people gain"),
        (effect.people_losing, "person loses", "people lose"),
        (effect.gained, "entitlement more", "entitlements more"),
        (effect.lost, "entitlement less", "entitlements less"),
    ):
        if tally.count:
            yield _line(tally.count, single, many, [*tally.first, *([f"{tally.more} more"] if tally.more else [])])
    if effect.ends.count:
        yield _line(effect.ends.count, "request that waits or holds access ends", "requests end", [])
    if effect.past and effect.past.changed:
        kinds = [f"{count} {kind}" for kind, count, _ in effect.past.rows]
        asks = f"{effect.past.read} of the last {effect.days} days"
        yield _line(effect.past.changed, f"request of {asks} otherwise", f"requests of {asks} otherwise", kinds)


def _line(number: int, single: str, many: str, named: list[str]) -> str:
    words = f"{number:,} {single if number == 1 else many}"
    return f"{words}: {', '.join(named)}" if named else f"{words}."


def _doubts(changed: Iterable[Change]) -> list[str]:
    """Return what a person should look at twice in flows that are made or changed."""
    flows = [one.after for one in changed if one.kind == "flow" and one.after and one.verb != DELETE]
    return [f"{flow['name']}: {finding.text}" for flow in flows for finding in doubts(flow)]


def _drift(now: Present, folder: Folder) -> Iterable[Drift]:
    """Tell what differs from what was applied last, unless the folder says the same by now."""
    applied = {
        (one.kind, one.name): grown(one.kind, one.form) for one in AppliedPolicy.objects.order_by("kind", "name")
    }
    for key, form in applied.items():
        here, wanted = now.forms.get(key), folder.forms.get(key)
        if here is None and wanted is not None:
            yield Drift(*key, ("It was deleted.",))
        elif here is not None and canonical(here) not in {canonical(form), canonical(wanted)}:
            yield Drift(*key, tuple(form_lines(form, here)))
    if applied:
        for key in sorted(now.forms):
            if key not in applied and canonical(now.forms[key]) != canonical(folder.forms.get(key)):
                yield Drift(*key, ("It was made elsewhere.",))
