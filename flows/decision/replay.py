"""The facts of an ask as plain JSON, and back: what was decided once can be decided again, by another policy.

The flows are left out: they are what changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from accounts.queries import PersonFacts
from flows.decision.covering import FlowFacts
from flows.decision.deciding import Facts
from integrations.queries import Entitlement

_PERSON = {one.name for one in fields(PersonFacts)}
_ENTITLEMENT = {one.name for one in fields(Entitlement)}
_DEFAULTS = {one.name: one.default for one in fields(Entitlement)}


def to_json(facts: Facts) -> dict[str, Any]:
    """Return the facts as JSON; what is as it mostly is, is left out. The justification's text is not kept twice."""
    grantee = {} if facts.grantee == facts.requestor else {"grantee": _person(facts.grantee)}
    return {
        "requestor": _person(facts.requestor),
        **grantee,
        "asks": [_ask(one) for one in facts.asks],
        "duration_seconds": facts.duration_seconds,
        "justified": bool(facts.justification.strip()),
        "at": facts.at.isoformat() if facts.at else None,
        "break_glass": facts.break_glass,
        "ticket": facts.ticket,
        "answers": [list(pair) for pair in facts.answers],
    }


def from_json(kept: dict[str, Any], flows: Iterable[FlowFacts]) -> Facts:
    """Return facts that were kept, to be decided on by these flows. What was not known then has its default."""
    requestor = _person_of(kept["requestor"])
    return Facts(
        requestor=requestor,
        grantee=_person_of(kept["grantee"]) if "grantee" in kept else requestor,
        asks=tuple(_ask_of(one) for one in kept["asks"]),
        flows=tuple(flows),
        duration_seconds=kept["duration_seconds"],
        justification="(kept with the request)" if kept["justified"] else "",
        at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
        break_glass=kept["break_glass"],
        ticket=kept["ticket"],
        answers=tuple((key, value) for key, value in kept["answers"]),
    )


def _person(person: PersonFacts) -> dict[str, Any]:
    return asdict(person) | {"group_ids": sorted(person.group_ids), "group_names": sorted(person.group_names)}


def _person_of(kept: dict[str, Any]) -> PersonFacts:
    told = {name: value for name, value in kept.items() if name in _PERSON}
    told["group_ids"], told["group_names"] = frozenset(kept["group_ids"]), frozenset(kept["group_names"])
    told["attributes"] = _pairs(kept["attributes"])
    return PersonFacts(**told)


def _ask(one: Entitlement) -> dict[str, Any]:
    values = ((name, getattr(one, name)) for name in _DEFAULTS)
    return {name: value for name, value in values if value != _DEFAULTS[name]}


def _ask_of(kept: dict[str, Any]) -> Entitlement:
    told = {name: _tuples(value) for name, value in kept.items() if name in _ENTITLEMENT}
    return Entitlement(**told)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, held) for key, held in value)


def _tuples(value: Any) -> Any:
    """Return JSON's lists as the tuples they were."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
