"""Lengths of time to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from access_requests.forms import DAY, DURATIONS, HOUR, MINUTE
from flows.decision import words_for

# How many lengths are offered beside the longest: as many as can be told apart at a glance.
CHOICES = 3
SHORT = (15 * MINUTE, *DURATIONS, 3 * DAY, 7 * DAY)


@dataclass(frozen=True, slots=True)
class Time:
    """A length of time to choose: what the form sends, and the words."""

    value: str
    words: str
    chosen: bool


def times_to_add(longest: int) -> list[Time]:
    """Return how much time may be added: some lengths, and the longest."""
    some = [one for one in SHORT if one < longest][-CHOICES:]
    chosen = max((one for one in some if one <= HOUR), default=longest)
    return [Time(str(one), words_for(one), one == chosen) for one in [*some, longest]]


def times_at_most(asked: int | None, typed: str | None = None) -> list[Time]:
    """Return the lengths an approver may give: what was asked for, chosen unless something else was typed, or less."""
    some = [one for one in SHORT if asked is None or one < asked][-CHOICES:]
    values = [*map(str, some), "" if asked is None else str(asked)]
    words = [*map(words_for, some), "Without an end" if asked is None else f"{words_for(asked)}, as asked"]
    picked = values[-1] if typed is None or typed not in values else typed
    return [Time(value, word, value == picked) for value, word in zip(values, words, strict=True)]
