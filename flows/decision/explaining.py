"""Why a flow decided, and why the others did not: pure functions of the facts that the decision looked at.

Each flow is asked the same questions in the same order (`Gate`); the first it fails is what is told. It is told in full
to who may read policy, and without names to who may not: see `Hurdle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from accounts.queries import PersonFacts
from flows.choices import LogicalOperator, RequestScope, Trigger
from flows.decision import windows
from flows.decision.conditions import fulfils, matches, names, setting
from flows.decision.covering import Document, FlowFacts, covers
from flows.decision.deciding import Facts, Part, approvals, for_whom, preference, words_for
from flows.sentence import join, whose
from integrations.queries import Entitlement

# So many flows are told of; what came nearest comes first.
TOLD_MAX = 10


class Gate(IntEnum):
    """What is asked of a flow, in this order. The further a flow comes, the nearer it was."""

    ON = 1
    REQUESTOR = 2
    GRANTEE = 3
    BREAK_GLASS = 4
    WINDOW = 5
    DURATION = 6


@dataclass(frozen=True, slots=True)
class Hurdle:
    """The first question a flow failed. `told` names people and groups and is for who may read policy.

    `plain` names nothing but what its reader knows already, `next_step` says what can be done; both may be read by
    whoever asks, if they match the flow's requestors (`known`). Of other flows a requestor is not told one by one.
    """

    flow: FlowFacts
    gate: Gate
    told: str
    plain: str
    next_step: str
    known: bool

    @property
    def name(self) -> str:
        """The flow's name."""
        return str(self.flow.document["name"])


def why(part: Part) -> str:
    """Return why this flow decides this part, of all that fit it."""
    if part.break_glass:
        return "It lets you break the glass for this."
    if not part.rivals:
        return "It is the only access flow that gives this."
    mine, other = (preference(flow, _asked(part)) for flow in (part.flow, part.rivals[0]))
    reasons = ("it allows the time asked for", "it asks for the least approval", "it allows the longest time")
    found = next((words for words, a, b in zip(reasons, mine, other, strict=False) if a != b), "its name comes first")
    return f"Of {len(part.rivals) + 1} access flows that give this, {found}."


def _asked(part: Part) -> Facts:
    """Return as much of the facts as a preference looks at."""
    nobody = PersonFacts("", "", "", True, frozenset(), frozenset(), (), None, None)
    return Facts(nobody, nobody, (), (), part.asked_seconds, break_glass=part.break_glass)


def hurdles(facts: Facts, ask: Entitlement, flows: Iterable[FlowFacts]) -> list[Hurdle]:
    """Return the first thing that failed in each flow that gives the ask to somebody; what came nearest first."""
    near = (_first(facts, ask, flow) for flow in flows if covers(flow.document, ask))
    found = [one for one in near if one is not None]
    return sorted(found, key=lambda one: (-one.gate, one.name))[:TOLD_MAX]


def _first(facts: Facts, ask: Entitlement, flow: FlowFacts) -> Hurdle | None:
    """Return what the flow failed first; None where it fits."""
    document = flow.document
    known = matches(document["requestors"], facts.requestor)
    for gate, question in _QUESTIONS:
        answer = question(document, facts)
        if answer is not None:
            return Hurdle(flow, gate, *answer, known=known)
    return None


Answer = tuple[str, str, str]


def _on(document: Document, facts: Facts) -> Answer | None:
    if not document["active"]:
        return "It is switched off.", "It is switched off.", "Ask an admin whether it will be switched on again."
    if document["trigger"] != Trigger.SELF_SERVE:
        told = "It is automatic: nobody asks for it, whoever matches has it."
        return told, told, "There is nothing to ask for."
    return None


def _requestor(document: Document, facts: Facts) -> Answer | None:
    person, group = facts.requestor, document["requestors"]
    if matches(group, person):
        return None
    told = f"{person.name} does not match its requestors: {failing(group, person)}."
    return told, "It is for others.", "Ask an admin to add you to it."


def failing(group: dict[str, Any], person: PersonFacts) -> str:
    """Return which conditions of a group the person does not fulfil, as far as that decides."""
    if not group["conditions"]:
        return "nobody is named"
    missing = [one for one in group["conditions"] if not fulfils(one, person)]
    if not missing and person.outside and not names(group, person):
        return "people from outside have to be named by a user or group condition"
    if group["operator"] == LogicalOperator.AND:
        return f"not {_somebody(missing[0])}"
    if len(missing) > 1:
        return f"neither {join([_somebody(one) for one in missing], 'nor')}"
    return f"not {_somebody(missing[0])}"


def _somebody(condition: dict[str, Any]) -> str:
    """Return a condition as it follows "not"."""
    words = whose(condition)
    return f"somebody {words}" if words.startswith("who") else words


def _grantee(document: Document, facts: Facts) -> Answer | None:
    if for_whom(document, facts.requestor, facts.grantee):
        return None
    scopes = (document.get("request_for") or {}).get("scopes", [RequestScope.SELF.value])
    labels = {RequestScope.SELF: "yourself", RequestScope.DIRECT_REPORTS: "your direct reports"}
    allowed = [labels.get(RequestScope(one), "certain others") for one in sorted(scopes, reverse=True)]
    plain = f"With it you may ask for {join(allowed, 'and')} only."
    them = facts.grantee.name
    step = f"Let {them} ask for it." if facts.grantee.id != facts.requestor.id else "Let somebody ask for you."
    return f"It may be asked for {join(list(scopes), 'and')}, and {them} is none of these.", plain, step


def _break_glass(document: Document, facts: Facts) -> Answer | None:
    if not facts.break_glass or setting(document, "break_glass"):
        return None
    told = "The glass cannot be broken with it."
    return told, told, "Ask for it without breaking the glass."


def _window(document: Document, facts: Facts) -> Answer | None:
    window = document.get("timeframe")
    if window is None or windows.is_open(window, facts.at):
        return None
    if facts.at is None:
        told = "It has a working window."
        return told, told, "Say when it is for."
    told = "It is shut now."
    return told, told, f"This {windows.opening_words(window, facts.at)}."


def _duration(document: Document, facts: Facts) -> Answer | None:
    longest, asked = document["duration_seconds"], facts.duration_seconds
    if asked is None or longest is None or asked <= longest:
        return None
    told = f"It gives at most {words_for(longest)}, and {words_for(asked)} were asked for."
    return told, told, f"Ask for at most {words_for(longest)}."


# What is asked between REQUESTOR and GRANTEE, whether it gives the ask, decides which flows came near at all.
_QUESTIONS: tuple[tuple[Gate, Callable[[Document, Facts], Answer | None]], ...] = (
    (Gate.ON, _on),
    (Gate.REQUESTOR, _requestor),
    (Gate.GRANTEE, _grantee),
    (Gate.BREAK_GLASS, _break_glass),
    (Gate.WINDOW, _window),
    (Gate.DURATION, _duration),
)


def for_requestor(found: Iterable[Hurdle]) -> Iterator[Hurdle]:
    """Return the hurdles that whoever asks may read: those of flows whose requestors they are."""
    return (one for one in found if one.known and one.gate != Gate.ON)


def approval_in_words(document: Document) -> str:
    """Return how much approval a flow takes."""
    number = approvals(document)
    return {0: "no approval", 1: "one approval"}.get(number, f"{number} approvals")
