"""What applying a folder would do: the change itself, rehearsed and undone; and what it means for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from django.db import transaction

from audit.actor import Actor
from flows import events, reach
from flows.actions.applying import Outcome, apply_policy
from flows.decision import Document, targets_of
from flows.findings import doubts
from flows.models import AppliedPolicy
from flows.text.changes import DELETE, NOUNS, Change, form_lines
from flows.text.folder import Folder, read_folder
from flows.text.nodes import canonical
from flows.text.present import Key, Present, present


class WhatIf(Protocol):
    """Tells what flows becoming others means: who gains, who loses, what ends; as lines that a person reads."""

    def __call__(self, before: Sequence[Document], after: Sequence[Document]) -> Sequence[str]:
        """Compare the documents of the flows that change: as they are, and as they would be."""


@dataclass(frozen=True)
class Drift:
    """What became otherwise, in the admin or over the API, since text was applied last; applying undoes it."""

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
        what_if=what_if(outcome.changes),
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


def what_if(changed: Iterable[Change], engine: WhatIf | None = None) -> list[str]:
    """Return what the changes mean, in lines."""
    flows = [one for one in changed if one.kind == "flow"]
    before = [one.before for one in flows if one.before]
    after = [one.after for one in flows if one.after and one.verb != DELETE]
    return list((engine or counted)(before, after))


def counted(before: Sequence[Document], after: Sequence[Document]) -> list[str]:
    """Count who may ask and what for, before and after, and the requests that would end: a WhatIf."""
    old, new = ({one["id"]: one for one in each if one["active"]} for each in (before, after))
    lines = [line for pk in {**old, **new} if (line := _counts(old.get(pk), new.get(pk)))]
    ended = events.live_requests(reach.uuids(pk for pk in old if pk not in new))
    if ended:
        lines.append(f"{reach.in_words(ended, 'request ends', 'requests end')} that waits or holds access.")
    return lines


def _counts(before: Document | None, after: Document | None) -> str:
    name = (after or before or {})["name"]
    people, things = ((of(before), of(after)) for of in (_people, _entitlements))
    if before is None:
        return f"{name}: {_persons(people[1])} may ask for {_pairs(things[1])}."
    if after is None:
        return f"{name}: {_persons(people[0])} may not ask any more for {_pairs(things[0])}."
    told = [
        *([f"{_persons(people[1])} instead of {people[0]:,} may ask"] if people[0] != people[1] else []),
        *([f"{_pairs(things[1])} instead of {things[0]:,}"] if things[0] != things[1] else []),
    ]
    return f"{name}: {', '.join(told)}." if told else ""


def _people(document: Document | None) -> int:
    return reach.counted(reach.people(document["requestors"])) if document else 0


def _entitlements(document: Document | None) -> int:
    return sum(reach.entitlements_of(one) for one in targets_of(document)) if document else 0


def _persons(number: int) -> str:
    return reach.in_words(number, "person", "people")


def _pairs(number: int) -> str:
    return reach.in_words(number, "entitlement", "entitlements")


def _doubts(changed: Iterable[Change]) -> list[str]:
    """Return what a person should look at twice in flows that are made or changed."""
    flows = [one.after for one in changed if one.kind == "flow" and one.after and one.verb != DELETE]
    return [f"{flow['name']}: {finding.text}" for flow in flows for finding in doubts(flow)]


def _drift(now: Present, folder: Folder) -> Iterable[Drift]:
    """Tell what differs from what was applied last, unless the folder says the same by now."""
    applied = {(one.kind, one.name): one.form for one in AppliedPolicy.objects.order_by("kind", "name")}
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
