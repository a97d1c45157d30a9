"""Puts policies together out of policy files, within AWS's limits, and takes them apart again to see what they give.

Limits: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (white space does not count)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.toolkit.aws import compact
from connectors.toolkit.policy_files import ENDS, VERSION, PolicyFile

from . import programs
from .account import Account
from .names import timestamp

INLINE_MAX = 2048
MANAGED_MAX = 6144
# Of the ten managed policies that a user can have. Old and new ones are there together for a moment.
OWN_MAX = 4
ATTACHED_MAX = 10
WHITE = re.compile(r"\s")

Document = dict[str, Any]
# Effect, actions, one resource, and the condition but for the end: what one statement says of one resource.
Piece = tuple[str, tuple[str, ...], str, str]


@dataclass(frozen=True, slots=True)
class Allow:
    """What one policy file allows, on what. `tags` narrow it to what bears them, `via` to one service's own use."""

    file: PolicyFile
    resources: tuple[str, ...]
    parts: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    via: str = ""

    def without_resources(self) -> tuple[str, tuple[tuple[str, str], ...], str]:
        """Return what has to be the same for two of them to become one."""
        return self.file.name, self.tags, self.via


@dataclass(frozen=True, slots=True)
class Packed:
    """The policies of one user. Where `managed` is empty, all is in the inline one."""

    inline: Document
    managed: tuple[Document, ...]
    files: tuple[PolicyFile, ...]


def compose(at: Account, login: str, allow: Allow, ends_at: float) -> Document:
    """Return the policy that allows this."""
    place = at.place
    # Of a text in a policy, only what begins with ${ means something; ${$} is how to write a $ that does not.
    tags = {f"aws:ResourceTag/{key}": value.replace("${", "${$}{") for key, value in allow.tags}
    return at.cloud.document(
        allow.file,
        resources=list(allow.resources),
        parts=list(allow.parts),
        tags=tags or None,
        service=allow.via,
        documents=[place.arn("ssm", "document/SSM-SessionManagerRunShell")],
        sessions=[place.arn("ssm", f"session/{login}-*")],
        ends_at=timestamp(ends_at),
    )


def pack(at: Account, login: str, allows: Iterable[Allow], ends_at: float) -> Packed:
    """Return policies that fit, for all of this. Raises Misconfigured when there is no way to make them fit."""
    merged = _merged(allows)
    over = at.cloud.document(programs.DENY_AFTER_THE_END, ends_at=timestamp(ends_at))
    lots = [lot for allow in merged for lot in _lots(at, login, allow, ends_at)]
    files = (programs.DENY_AFTER_THE_END, *(allow.file for allow in merged))
    everything = _document([*over["Statement"], *(one for lot in lots for one in lot)])
    if size(everything) <= INLINE_MAX:
        return Packed(everything, (), files)
    bins: list[list[Document]] = []
    for lot in sorted(lots, key=lambda lot: -size(_document(lot))):
        room = next((one for one in bins if size(_document([*one, *lot])) <= MANAGED_MAX), None)
        if room is None:
            bins.append(list(lot))
        else:
            room += lot
    if len(bins) > OWN_MAX:
        raise Misconfigured(
            f"The policies of this grant come to {sum(size(_document(one)) for one in bins)} characters; AWS takes"
            f" {OWN_MAX} policies of {MANAGED_MAX} here.",
            fix="Ask for fewer resources at once, for a tag, or for all of a type.",
        )
    return Packed(_document(over["Statement"]), tuple(_document(one) for one in bins), files)


def size(document: Document) -> int:
    """Return how many characters AWS counts."""
    return len(WHITE.sub("", compact(document)))


def pieces(document: Document, now: float) -> frozenset[Piece]:
    """Return what a policy allows at a moment, piece by piece."""
    found: set[Piece] = set()
    for statement in _statements(document):
        condition = {operator: dict(keys) for operator, keys in statement.get("Condition", {}).items()}
        operator, key = ENDS
        end = condition.get(operator, {}).pop(key, None)
        if statement.get("Effect") != "Allow" or (end is not None and moment(end) <= now):
            continue
        rest = json.dumps({name: keys for name, keys in condition.items() if keys}, sort_keys=True)
        actions = tuple(sorted(_list(statement.get("Action", statement.get("NotAction", ())))))
        found |= {("Allow", actions, resource, rest) for resource in _list(statement.get("Resource", ()))}
    return frozenset(found)


def shuts(document: Document, now: float) -> bool:
    """Say whether a policy denies everything at a moment."""
    return any(
        one.get("Effect") == "Deny"
        and _list(one.get("Action", ())) == ["*"]
        and _list(one.get("Resource", ())) == ["*"]
        and _applies(one.get("Condition", {}), now)
        for one in _statements(document)
    )


def moment(text: Any) -> float:
    """Return a moment in a policy; what is none never comes."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC).timestamp()
    except ValueError:
        return float("inf")


def _applies(condition: Document, now: float) -> bool:
    """Say whether a condition is one of ours, and true."""
    if not condition:
        return True
    after = condition.get("DateGreaterThanEquals", {})
    return condition.keys() == {"DateGreaterThanEquals"} and moment(after.get("aws:CurrentTime")) <= now


def _merged(allows: Iterable[Allow]) -> list[Allow]:
    """Return the same with fewer: what differs only in its resources becomes one."""
    merged: dict[object, Allow] = {}
    for one in allows:
        before = merged.get(one.without_resources(), one)
        resources = dict.fromkeys((*before.resources, *one.resources))
        parts = dict.fromkeys((*before.parts, *one.parts))
        merged[one.without_resources()] = Allow(one.file, tuple(resources), tuple(parts), one.tags, one.via)
    return list(merged.values())


def _lots(at: Account, login: str, allow: Allow, ends_at: float) -> Iterator[list[Document]]:
    """Yield the statements in lots that fit into a policy."""
    document = compose(at, login, allow, ends_at)
    number = len(allow.resources)
    if size(document) <= MANAGED_MAX or number < 2:
        yield document["Statement"]
        return
    half = number // 2
    for first, last in ((0, half), (half, number)):
        few = Allow(allow.file, allow.resources[first:last], allow.parts[first:last], allow.tags, allow.via)
        yield from _lots(at, login, few, ends_at)


def _document(statements: Iterable[Document]) -> Document:
    """Return statements as one policy. A Sid may come once, so further ones get a number."""
    numbered, seen = [], dict[str, int]()
    for one in statements:
        sid = str(one["Sid"])
        seen[sid] = seen.get(sid, 0) + 1
        numbered.append({**one, "Sid": sid if seen[sid] == 1 else f"{sid}{seen[sid]}"})
    return {"Version": VERSION, "Statement": numbered}


def _statements(document: Document) -> list[Document]:
    """Return the statements of a policy, also of one that somebody else wrote."""
    found = document.get("Statement", [])
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _list(value: Any) -> list[str]:
    """Return what may be one or a list as a list."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
