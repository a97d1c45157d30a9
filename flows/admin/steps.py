"""Approver groups as the page shows them: by the steps of escalation, in which they are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flows.forms.steps import STEPS_MAX


@dataclass
class Step:
    """Groups that are asked together; the first at once, the others as well when nobody answered for a while."""

    number: int
    groups: list[Any] = field(default_factory=list)


def steps(groups: Iterable[Any]) -> list[Step]:
    """Return the steps in their order. The first is always there, and numbers the groups of all."""
    found = {0: Step(0)}
    for group in groups:
        found.setdefault(group.step, Step(group.step)).groups.append(group)
    ordered = [found[number] for number in sorted(found)]
    for place, group in enumerate((group for step in ordered for group in step.groups), 1):
        group.numbered(place)
    return ordered


def may_grow(shown: list[Step]) -> int:
    """Return the number that a further step would have; 0 where there is no room for one."""
    number = shown[-1].number + 1
    return number if number <= STEPS_MAX else 0
