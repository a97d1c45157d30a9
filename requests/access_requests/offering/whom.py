"""For whom a person may ask: themselves, direct reports, and others whom some flow's conditions allow.

The directory is not open to everybody: who is found here is whom a flow lets this person ask for, and nobody else.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from flows import queries as flow_queries
from flows.choices import RequestScope
from flows.decision import FlowFacts

# How many people one search finds, and how many direct reports are offered by name.
FOUND_MAX, REPORTS_MAX = 20, 100
# A search for less would list people, not find them.
LETTERS_MIN = 2
# What the form says when somebody is named by address.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom else a person may ask for: their direct reports, by name, and whether others can be searched for."""

    reports: tuple[User, ...] = ()
    others: bool = False

    def __bool__(self) -> bool:
        """Whether there is anybody but themselves."""
        return bool(self.reports) or self.others


def whom_of(user: User, flows: Iterable[FlowFacts]) -> Whom:
    """Return whom else the flows let a person ask for. One query where a flow speaks of direct reports, else none."""
    scopes = {scope for flow in flows for scope in _scopes(flow)}
    reports = tuple(_reports(user)[:REPORTS_MAX]) if RequestScope.DIRECT_REPORTS in scopes else ()
    return Whom(reports, RequestScope.OTHERS in scopes)


def find_people(user: User, flows: Iterable[FlowFacts], text: str) -> list[User]:
    """Return the first of those a person may ask for whose name or address has the text in it, by name. One query."""
    text = text.strip()
    if len(text) < LETTERS_MIN:
        return []
    found = _allowed(user, list(flows)).filter(Q(name__icontains=text) | Q(email__icontains=text))
    return list(found.order_by("name", "email")[:FOUND_MAX])


def people_for(user: User, flows: Iterable[FlowFacts], text: str) -> QuerySet[User]:
    """Return whom a person may ask for, by name: with a text those who have it in name or address; without one, or with
    less than a search takes, their direct reports, where a flow speaks of these."""
    every, text = list(flows), text.strip()
    if len(text) >= LETTERS_MIN:
        found = _allowed(user, every).filter(Q(name__icontains=text) | Q(email__icontains=text))
        return found.order_by("name", "email")
    speaks = any(RequestScope.DIRECT_REPORTS in _scopes(flow) for flow in every)
    return _reports(user) if speaks else User.objects.none()


def named_one(user: User, flows: Iterable[FlowFacts], text: str) -> User | None:
    """Return whom a program names, by id or address; None as `find_one`. One query."""
    return find_one(user, flows, OTHER, text) if "@" in text else find_one(user, flows, text, "")


def find_one(user: User, flows: Iterable[FlowFacts], chosen: str, address: str) -> User | None:
    """Return whom the form names: a direct report by id, somebody else by address; None for whoever may not be asked
    for, as for whoever does not exist. One query."""
    allowed = _allowed(user, list(flows))
    if chosen == OTHER:
        return allowed.filter(email=address.strip().lower()).first()
    try:
        return allowed.filter(pk=uuid.UUID(chosen)).first()
    except ValueError:
        return None


def _scopes(flow: FlowFacts) -> list[str]:
    return list((flow.document.get("request_for") or {}).get("scopes", ()))


def _reports(user: User) -> QuerySet[User]:
    return User.objects.filter(manager=user, is_active=True, is_outside=False).order_by("name", "email")


def _allowed(user: User, flows: list[FlowFacts]) -> QuerySet[User]:
    """Return everybody else whom one of the flows lets the person ask for."""
    wanted = Q(pk__in=[])
    if any(RequestScope.DIRECT_REPORTS in _scopes(flow) for flow in flows):
        wanted |= Q(pk__in=_reports(user).order_by().values("pk"))
    groups = [flow.document["request_for"]["grantees"] for flow in flows if RequestScope.OTHERS in _scopes(flow)]
    # Many flows say the same.
    for group in {json.dumps(group, sort_keys=True): group for group in groups}.values():
        wanted |= Q(pk__in=flow_queries.people_in(group).order_by().values("pk"))
    return User.objects.filter(wanted, is_active=True).exclude(pk=user.pk)
