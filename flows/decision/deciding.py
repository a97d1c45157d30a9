"""The decision: a pure function of plain data. No database, no clock, no order of rows changes the answer.

Which of several flows decides is a total order (`preference`): one that allows the time asked for, before one that does
not; then the least approval; then the longest time; then the name. So the answer is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.queries import PersonFacts
from flows.choices import ApprovalMode, RequestScope, Trigger
from flows.decision import fields, windows
from flows.decision.conditions import (
    asks_owner,
    matches,
    setting,
)
from flows.decision.covering import Document, FlowFacts, Reach
from integrations.queries import Entitlement


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision looks at. `duration_seconds` None means: as long as the flow allows.

    `at` is when it is asked; without it every flow with a window is shut.
    """

    requestor: PersonFacts
    grantee: PersonFacts
    asks: tuple[Entitlement, ...]
    flows: tuple[FlowFacts, ...]
    duration_seconds: int | None = None
    justification: str = ""
    at: datetime | None = None
    break_glass: bool = False
    ticket: str = ""
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way. `field` names the form's field, `path` the entitlement, if it is about one."""

    code: str
    message: str
    field: str = ""
    path: str = ""


Owner = tuple[tuple[str, str] | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """The part of an ask that one flow decides; it becomes one request. `duration_seconds` None: without an end.

    `owner` is who answers for all of it, where the flow asks owners. `rivals` are the flows that fit all of it as well,
    `asked_seconds` is what was asked for, if anything was.
    """

    flow: FlowFacts
    asks: tuple[Entitlement, ...]
    duration_seconds: int | None
    max_duration_seconds: int | None
    break_glass: bool = False
    owner: Owner | None = None
    rivals: tuple[FlowFacts, ...] = ()
    asked_seconds: int | None = None

    @property
    def needs_approval(self) -> bool:
        """Whether somebody has to say yes before it opens."""
        return bool(self.flow.document["approval"]["mode"] != ApprovalMode.NONE) and not self.break_glass


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says to an ask. Anything in `problems` means: not as it stands."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]

    @property
    def allowed(self) -> bool:
        """Whether the ask may be submitted."""
        return bool(self.parts) and not self.problems


@dataclass(slots=True)
class _Chosen:
    """What one flow decides of an ask, while it is gathered."""

    flow: FlowFacts
    owner: Owner | None
    asks: list[Entitlement] = field(default_factory=list)
    rivals: set[int] | None = None


def decide(facts: Facts) -> Decision:
    """Return which flow decides which part of the ask, or why not. Fails closed: no flow, no access."""
    problems = list(_about_people(facts))
    usable = [flow for flow in facts.flows if not any(gates(flow.document, facts))]
    reach = Reach(usable)
    shut = Reach(_shut(facts)) if len(usable) < len(facts.flows) else Reach(())
    chosen: dict[tuple[str, Any], _Chosen] = {}
    for ask in facts.asks:
        if ask.refusal:
            problems.append(Problem("NOT_GRANTABLE", ask.refusal, path=_name(ask)))
            continue
        fitting = reach.covering(ask)
        if not fitting:
            problems.append(_no_flow(ask, shut, facts))
            continue
        _choose(ask, fitting, facts, chosen)
    parts = tuple(_part(one, facts) for _, one in sorted(chosen.items(), key=lambda pair: pair[0]))
    problems += [problem for part in parts for problem in _about_part(part, facts)]
    if not facts.asks:
        problems.append(Problem("FIELD_MISSING", "Choose what you need.", field="entitlements"))
    return Decision(parts=parts, problems=tuple(problems))


def _about_people(facts: Facts) -> Iterator[Problem]:
    if not facts.requestor.active:
        yield Problem("DISABLED", "This account is disabled.")
    elif not facts.grantee.active:
        yield Problem("DISABLED", f"The account of {facts.grantee.name} is disabled.", field="grantee")


def gates(document: Document, facts: Facts) -> Iterator[bool]:
    """Yield, in a fixed order, whether each condition that comes before the targets stands in the way."""
    yield not document["active"] or document["trigger"] != Trigger.SELF_SERVE
    yield not matches(document["requestors"], facts.requestor)
    yield not for_whom(document, facts.requestor, facts.grantee)
    yield facts.break_glass and not setting(document, "break_glass")
    yield not windows.is_open(document.get("timeframe"), facts.at)


def for_whom(document: Document, requestor: PersonFacts, grantee: PersonFacts) -> bool:
    """Whether the flow lets this requestor ask for this grantee."""
    whom = document.get("request_for") or {"scopes": [RequestScope.SELF.value]}
    scopes = whom["scopes"]
    if requestor.id == grantee.id:
        return RequestScope.SELF in scopes
    if RequestScope.DIRECT_REPORTS in scopes and grantee.manager_id == requestor.id and not grantee.outside:
        return True
    return RequestScope.OTHERS in scopes and matches(whom["grantees"], grantee)


def _shut(facts: Facts) -> Iterator[FlowFacts]:
    """Return the flows in whose way only the window stands: when they open is worth telling."""
    for flow in facts.flows:
        *before, shut = gates(flow.document, facts)
        if shut and not any(before):
            yield flow


def _no_flow(ask: Entitlement, shut: Reach, facts: Facts) -> Problem:
    waiting = shut.covering(ask)
    if waiting and facts.at is not None:
        at = facts.at
        opening = min(waiting, key=lambda flow: (_opens(flow, at), flow.document["name"]))
        words = windows.opening_words(opening.document["timeframe"], at)
        return Problem("OUTSIDE_WINDOW", f"The access flow for this {words}.", path=_name(ask))
    if facts.break_glass:
        return Problem(
            "NO_BREAK_GLASS", "No access flow lets you break the glass for this. Ask for it.", path=_name(ask)
        )
    if facts.requestor.id != facts.grantee.id:
        message = f"No access flow lets you ask for this for {facts.grantee.name}."
        return Problem("NOT_FOR_THEM", message, field="grantee", path=_name(ask))
    return Problem("NO_FLOW", "No access flow gives you this. Ask an admin to add you to one.", path=_name(ask))


def _opens(flow: FlowFacts, at: datetime) -> float:
    opening = windows.opens_at(flow.document["timeframe"], at)
    return opening.timestamp() if opening else float("inf")


def _name(ask: Entitlement) -> str:
    return f"{ask.permission_name} on {ask.resource_path}"


def _choose(ask: Entitlement, fitting: list[FlowFacts], facts: Facts, chosen: dict[tuple[str, Any], _Chosen]) -> None:
    """Give the ask to the flow that is preferred; those with other owners are parts of their own."""
    flow = min(fitting, key=lambda one: preference(one, facts))
    owner = (ask.owner, ask.integration_owners) if asks_owner(flow.document["approval"]["groups"]) else None
    place = chosen.setdefault((flow.document["id"], repr(owner)), _Chosen(flow, owner))
    place.asks.append(ask)
    others = {one.version_id for one in fitting}
    place.rivals = others if place.rivals is None else place.rivals & others


def preference(flow: FlowFacts, facts: Facts) -> tuple[bool, int, float, str, str]:
    """Order flows that fit the same: long enough, least approval, longest, then by name."""
    document = flow.document
    longest = document["duration_seconds"]
    limit = float("inf") if longest is None else float(longest)
    asked = facts.duration_seconds
    too_short = asked is not None and asked > limit
    return too_short, approvals(document, facts.break_glass), -limit, document["name"], document["id"]


def approvals(document: Document, break_glass: bool = False) -> int:
    """Return how many have to say yes: nobody, one of any group, or one of each."""
    approval = document["approval"]
    if approval["mode"] == ApprovalMode.NONE or break_glass:
        return 0
    first = [group for group in approval["groups"] if group.get("tier", 0) == 0]
    return max(1, len(first)) if approval["mode"] == ApprovalMode.ALL_OF else 1


def _part(one: _Chosen, facts: Facts) -> Part:
    longest, asked = one.flow.document["duration_seconds"], facts.duration_seconds
    mine = one.flow.version_id
    rivals = [flow for flow in facts.flows if flow.version_id != mine and flow.version_id in (one.rivals or ())]
    return Part(
        flow=one.flow,
        asks=tuple(one.asks),
        duration_seconds=longest if asked is None else asked,
        max_duration_seconds=longest,
        break_glass=facts.break_glass,
        owner=one.owner,
        rivals=tuple(sorted(rivals, key=lambda flow: preference(flow, facts))),
        asked_seconds=asked,
    )


def _about_part(part: Part, facts: Facts) -> Iterable[Problem]:
    document = part.flow.document
    name, longest = document["name"], part.max_duration_seconds
    if part.duration_seconds is not None and part.duration_seconds <= 0:
        yield Problem("INVALID_DURATION", "The duration must be longer than nothing.", field="duration")
    elif longest is not None and (part.duration_seconds or 0) > longest:
        message = f"At most {words_for(longest)} with the access flow {name}."
        yield Problem("INVALID_DURATION", message, field="duration")
    if (document["settings"]["justification_required"] or part.break_glass) and not facts.justification.strip():
        yield Problem("FIELD_MISSING", f"The access flow {name} wants a justification.", field="justification")
    wrong = fields.wrong_ticket(setting(document, "ticket_pattern") or "", facts.ticket.strip())
    if wrong:
        yield Problem("INVALID_TICKET" if facts.ticket.strip() else "FIELD_MISSING", wrong, field="ticket")
    for key, text in fields.wrong_answers(setting(document, "fields") or [], dict(facts.answers)):
        yield Problem("INVALID_FIELD", text, field=f"field-{key}")


def words_for(seconds: int) -> str:
    """Return a duration as people say it: 90 minutes is "1 h 30 min"."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
