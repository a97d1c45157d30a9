"""What a dry run says, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from access_requests import actions
from access_requests.actions.asking import PartPlan
from access_requests.views.words import approvals_needed, why_asked
from flows.decision import Document, Problem, webhooks_of
from flows.decision.explaining import why
from flows.queries import system_names

NAMES_MAX = 5


@dataclass(frozen=True, slots=True)
class Some:
    """The first few of many names."""

    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one access flow would make of its part of the ask. `approvers`: why each group is asked, and who it is.

    `checks` are the other systems that have to say yes before anybody is asked.
    """

    flow: str
    what: Some
    needs_approval: bool
    needed: str
    approvers: tuple[tuple[str, Some], ...]
    checks: tuple[str, ...]
    longest: int | None
    why: str
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way, and of which entitlements."""

    message: str
    what: Some


@dataclass(frozen=True, slots=True)
class DryRunSaid:
    """What would happen: what each flow makes of it, what is in the way, and what is wrong with the form itself."""

    checked: bool
    allowed: bool
    verdicts: tuple[Verdict, ...]
    obstacles: tuple[Obstacle, ...]
    errors: tuple[str, ...]


def said(run: actions.DryRun | None, problems: Iterable[Problem], errors: Sequence[str]) -> DryRunSaid:
    """Return what a dry run says. Without one, there may still be problems with what was picked."""
    in_the_way = tuple(_obstacles(problems))
    return DryRunSaid(
        checked=run is not None or bool(in_the_way),
        allowed=run is not None and not in_the_way and not errors,
        verdicts=tuple(_verdict(plan) for plan in run.plans) if run else (),
        obstacles=in_the_way,
        errors=tuple(errors),
    )


def _some(names: Iterable[str]) -> Some:
    every = list(dict.fromkeys(names))
    return Some(tuple(every[:NAMES_MAX]), max(0, len(every) - NAMES_MAX))


def _verdict(plan: PartPlan) -> Verdict:
    document = plan.part.flow.document
    systems = system_names(document)
    groups = document["approval"]["groups"]
    return Verdict(
        flow=document["name"],
        what=_some(f"{one.permission_name} on {one.resource_path} in {one.integration_name}" for one in plan.part.asks),
        needs_approval=plan.part.needs_approval,
        needed=approvals_needed(document),
        approvers=tuple(
            (_why(document, index), _some([*_systems(groups[index], systems), *(person.name for person, _ in group)]))
            for index, group in plan.approvers.items()
        ),
        checks=tuple(systems[pk] for pk in document.get("checks") or () if pk in systems),
        longest=plan.part.max_duration_seconds,
        why=why(plan.part) if plan.part.rivals else "",
        breaks=plan.part.break_glass,
    )


def _systems(group: dict[str, Any], names: dict[str, str]) -> list[str]:
    return [names[pk] for pk in webhooks_of(group) if pk in names]


def _why(document: Document, index: int) -> str:
    return why_asked(document, index) or "Another system"


def _obstacles(problems: Iterable[Problem]) -> Iterable[Obstacle]:
    """Return each message once, with everything it is about."""
    about: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        about[problem.message].extend([problem.path] if problem.path else [])
    return [Obstacle(message, _some(paths)) for message, paths in about.items()]
