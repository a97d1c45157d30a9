"""Who gains and who loses, counted by the database.

A flow reaches people as those who may ask, and as those who may be given something: themselves, reports, others.
Somebody gains by a change when by at least one of the flows that change they may ask for, or be given, something that
by that flow they may not now: because the flow did not reach them so, or because it gives more. Losing is the reverse.
So one person may gain and lose at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import User
from accounts.regrouping import Regrouped
from flows import reach
from flows.choices import RequestScope, Trigger
from flows.decision.covering import Document
from flows.whatif.change import Change
from flows.whatif.given import Given, given_by

NOBODY = Q(pk__in=[])
# Parts of one condition; more are put into subqueries, for a database goes only so deep into an expression.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Reached:
    """Conditions on the people a flow reaches: who may ask, and who may be given something."""

    asking: Q
    given: Q


def reached(document: Document | None, regrouped: Regrouped | None = None) -> Reached:
    """Return whom a flow reaches, as flows.decision.gates lets them through; nobody where there is none."""
    if document is None:
        return Reached(NOBODY, NOBODY)
    asking = reach.people(document["requestors"], regrouped=regrouped)
    who = Q(pk__in=asking.values("pk"))
    if document["trigger"] == Trigger.AUTOMATIC:
        return Reached(NOBODY, who)
    return Reached(who, _given(document, asking, regrouped))


def _given(document: Document, asking: QuerySet[User], regrouped: Regrouped | None) -> Q:
    whom = document.get("request_for") or {"scopes": [RequestScope.SELF.value]}
    scopes = whom["scopes"]
    found = Q(pk__in=asking.values("pk")) if RequestScope.SELF in scopes else NOBODY
    if RequestScope.DIRECT_REPORTS in scopes:
        managed = Q(manager__in=asking.values("pk"), is_active=True, is_outside=False) & ~Q(manager=F("pk"))
        found |= Q(pk__in=User.objects.filter(managed).values("pk"))
    if RequestScope.OTHERS in scopes:
        others = reach.people(whom["grantees"], regrouped=regrouped)
        found |= Q(pk__in=others.filter(_by_another(asking)).values("pk"))
    return found


def _by_another(asking: QuerySet[User]) -> Q:
    """Return the condition that somebody who may ask is another than the person: of two, one always is."""
    first = list(asking.order_by("pk").values_list("pk", flat=True)[:2])
    return Q(pk__isnull=False) if len(first) == 2 else reduce(or_, [~Q(pk=one) for one in first], NOBODY)


def gaining(change: Change) -> tuple[QuerySet[User], QuerySet[User]]:
    """Return who gains and who loses."""
    sides: tuple[list[Q], list[Q]] = [], []
    for key, flows in _alike(change).items():
        before, after = change.now(key), change.then(key)
        old = reached(before)
        same = change.regrouped is None and _whom(before) == _whom(after)
        new = old if same else reached(after, change.regrouped)
        for side, (less, more), given in (
            (sides[0], (old, new), [given_by(one[0], one[1]) for one in flows]),
            (sides[1], (new, old), [given_by(one[1], one[0]) for one in flows]),
        ):
            side.extend(_more(less, more, given))
    gain, lose = (User.objects.filter(any_of(side)).order_by("email") for side in sides)
    return gain, lose


def _alike(change: Change) -> dict[str, list[tuple[Document | None, Document | None]]]:
    """Return the flows that change, those that reach the same people together, under the id of one of them."""
    keys: dict[str, str] = {}
    found: dict[str, list[tuple[Document | None, Document | None]]] = defaultdict(list)
    for flow in change.flows:
        pair = change.now(flow), change.then(flow)
        found[keys.setdefault(repr([_whom(one) for one in pair]), flow)].append(pair)
    return found


def _whom(document: Document | None) -> Any:
    return document and (document["trigger"], document["requestors"], document.get("request_for"))


def _more(less: Reached, more: Reached, given: list[Given]) -> list[Q]:
    """Return the conditions on who is reached by more than before."""
    if any(one.grows() for one in given):
        return [more.asking, more.given]
    if not any(one.any() for one in given):
        return []
    return [
        wider & ~Q(pk__in=User.objects.filter(before).values("pk"))
        for before, wider in ((less.asking, more.asking), (less.given, more.given))
        if before is not wider
    ]


def any_of(parts: list[Q]) -> Q:
    """Join conditions by "or", however many."""
    if len(parts) <= _AT_ONCE:
        return reduce(or_, parts, NOBODY)
    chunks = [parts[start : start + _AT_ONCE] for start in range(0, len(parts), _AT_ONCE)]
    return any_of([Q(pk__in=User.objects.filter(any_of(chunk)).values("pk")) for chunk in chunks])
