"""Who is really on call: the rolls of a rotation, with who took over from whom for a while. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.toolkit.telling import record, text


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody from one moment to another, by user name."""

    who: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody in the place of another for a while; `who` is empty where nobody has taken over yet."""

    instead_of: str
    turn: Turn


def turns_of(policy: dict[str, Any]) -> Iterator[Turn]:
    """Yield who is on call by an escalation policy's schedule; not who is always on call, without a turn."""
    overrides = [one for found in _list(policy.get("overrides")) if (one := _override(found)) is not None]
    for entry in _list(policy.get("schedule")):
        for roll in _list(entry.get("rolls")):
            turn = _turn(roll, text(record(roll.get("onCallUser")), "username"))
            if turn is not None:
                yield from _with_overrides(turn, overrides)


def _with_overrides(turn: Turn, overrides: list[Override]) -> Iterator[Turn]:
    """Yield what is left of a turn, and the parts of it that others took."""
    left = [turn]
    for one in overrides:
        begins, ends = max(turn.begins, one.turn.begins), min(turn.ends, one.turn.ends)
        if one.instead_of != turn.who or not one.turn.who or begins >= ends:
            continue
        yield Turn(one.turn.who, begins, ends)
        left = [piece for part in left for piece in _without(part, begins, ends)]
    yield from left


def _without(turn: Turn, begins: datetime, ends: datetime) -> Iterator[Turn]:
    """Yield what is left of a turn outside of a stretch."""
    if turn.begins < begins:
        yield replace(turn, ends=min(turn.ends, begins))
    if ends < turn.ends:
        yield replace(turn, begins=max(turn.begins, ends))


def _override(found: dict[str, Any]) -> Override | None:
    turn = _turn(found, text(record(found.get("overrideOnCallUser")), "username"), nobody=True)
    instead_of = text(record(found.get("origOnCallUser")), "username")
    return Override(instead_of, turn) if turn is not None and instead_of else None


def _turn(found: dict[str, Any], who: str, *, nobody: bool = False) -> Turn | None:
    begins, ends = _moment(text(found, "start")), _moment(text(found, "end"))
    if begins is None or ends is None or begins >= ends or not (who or nobody):
        return None
    return Turn(who, begins, ends)


def _moment(text: str) -> datetime | None:
    """Return a moment with its zone; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
