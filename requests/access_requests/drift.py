"""The states of drift, declared once, and how to read what an order told of a target."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models

from access_requests.choices import Tone


class FindingKind(models.TextChoices):
    """How a target differs from what should be."""

    VANISHED = "vanished", "Vanished"
    FOREIGN = "foreign", "Foreign"
    REOPENED = "reopened", "Open after its end"


class FindingState(models.TextChoices):
    """What became of drift that was found."""

    # Missed once: shown to nobody before a second look has missed it too.
    SUSPECTED = "suspected", "Looked at again"
    OPEN = "open", "Open"
    GRANTED_AGAIN = "granted_again", "Granted again"
    ADOPTED = "adopted", "Adopted"
    ACCEPTED = "accepted", "Accepted as standing"
    GONE_BY_ITSELF = "gone_by_itself", "Settled by itself"
    REMOVED = "removed", "Removed"


# While a finding is in one of these, seeing the same again is no news.
KNOWN_FINDINGS = (FindingState.OPEN, FindingState.ADOPTED)
# Of vanished access: not to be ordered, or to be looked at again.
MISSING = (FindingState.SUSPECTED, FindingState.OPEN)

FINDING_TONES: dict[FindingState, Tone] = {
    FindingState.SUSPECTED: Tone.QUIET,
    FindingState.OPEN: Tone.WAIT,
    FindingState.GRANTED_AGAIN: Tone.GOOD,
    FindingState.ADOPTED: Tone.MOVE,
    FindingState.ACCEPTED: Tone.QUIET,
    FindingState.GONE_BY_ITSELF: Tone.QUIET,
    FindingState.REMOVED: Tone.GOOD,
}

FINDING_ICONS: dict[FindingState, str] = {
    FindingState.SUSPECTED: "spinner",
    FindingState.OPEN: "alert",
    FindingState.GRANTED_AGAIN: "again",
    FindingState.ADOPTED: "opening",
    FindingState.ACCEPTED: "ok",
    FindingState.GONE_BY_ITSELF: "clock",
    FindingState.REMOVED: "proof",
}


class LookOutcome(models.TextChoices):
    """How far a run is with one person."""

    WAITING = "waiting", "Waiting"
    ASKED = "asked", "Asked"
    LOOKED = "looked", "Looked at"
    FAILED = "failed", "Could not be looked at"


UNDONE = (LookOutcome.WAITING, LookOutcome.ASKED)

AUDIT_ACTIONS = {
    "drift.vanished": "Access was found to have vanished",
    "drift.foreign": "Foreign access was found",
    "drift.granted_again": "Vanished access was granted again",
    "drift.accepted": "Foreign access was accepted as standing",
    "drift.adopted": "Foreign access was adopted into a request",
    "drift.removal_begun": "The removal of foreign access began",
    "drift.settled": "Drift was settled by itself",
    "drift.look_asked": "A look for drift was asked for",
    "drift.looked": "An integration was looked at for drift",
}

# A unit as (resource type, resource, permission), in the target's own words.
Key = tuple[str, str, str]


class Told(StrEnum):
    """What a read-back said of a unit that should be held."""

    THERE = "there"
    MISSING = "missing"
    # It could not be told: that is no news of it.
    UNKNOWN = "unknown"


# Only these say that something is not there; any other error says that it could not be read.
_ABSENT = frozenset({"target_missing", "not_permitted"})
# What providers say of something that they saw and could not read.
_UNREADABLE = "cannot be read"


def key_of(unit: dict[str, str]) -> Key:
    """Return a unit of an order or a report."""
    return (unit["resource_type"], unit["resource"], unit["permission"])


def told_of(result: dict[str, Any], grant_id: str, unit: Key) -> tuple[Told, str]:
    """Return what a report says of a unit that a grant should hold, and the target's own words for it."""
    report = next((one for one in result.get("grants", ()) if one["grant_id"] == grant_id), None)
    said = next((one for one in (report or {}).get("units", ()) if key_of(one["unit"]) == unit), None)
    if said is None:
        found = any(one["grant_id"] == grant_id and key_of(one["unit"]) == unit for one in result["read_back"]["ours"])
        return (Told.THERE, "") if found else (Told.MISSING if report is None else Told.UNKNOWN, "")
    if said["outcome"] == "held":
        return Told.THERE, ""
    error = said.get("error") or {}
    return (Told.MISSING if error.get("kind") in _ABSENT else Told.UNKNOWN), error.get("message", "")


# What a login has: its name, and the unit.
Has = tuple[str, Key]


def beside(read_back: dict[str, Any]) -> set[Has] | None:
    """Return what the person has that is not ours; None where some of it could not be read."""
    found = {(one["login"], key_of(one["unit"])) for one in read_back["standing"]}
    return None if any(_UNREADABLE in unit[1] for _, unit in found) else found
