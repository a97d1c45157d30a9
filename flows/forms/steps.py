"""The steps of escalation as a page sends them: each approver group says in a hidden field to which step it belongs.

Step 0 is asked at once, the others are asked as well, one after another.
"""

from __future__ import annotations

from django.http import QueryDict

STEPS_MAX = 5


def number(text: str) -> int:
    """Return which step is meant; the first for anything that is none."""
    return min(int(text), STEPS_MAX) if text.isascii() and text.isdecimal() and len(text) < 3 else 0


def of(sent: QueryDict, key: str) -> int:
    """Return the step of a group that was sent."""
    return number(sent.get(f"approvers-{key}-tier", ""))


def _move(sent: QueryDict, keys: list[str], new: dict[int, int]) -> None:
    for key in keys:
        step = of(sent, key)
        sent[f"approvers-{key}-tier"] = str(new.get(step, step))


def sooner(sent: QueryDict, keys: list[str], text: str) -> None:
    """Let a step and the one before it change places."""
    step = number(text)
    if step > 0:
        _move(sent, keys, {step: step - 1, step - 1: step})


def close_ranks(sent: QueryDict, keys: list[str]) -> None:
    """Number the steps anew where one has gone. The first stays the first, also while it is empty."""
    later = sorted({of(sent, key) for key in keys} - {0})
    _move(sent, keys, {step: place for place, step in enumerate(later, 1)})
