"""Why not: what a person may ask for on something, what is in the way, and what to do next.

Only what some access flow gives the person something of is spoken of by name. Whatever else they type is answered
alike, whether it exists or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from access_requests.offering.reaching import Asker
from accounts.models import User
from accounts.queries import PersonFacts, facts_of, people_with
from flows.decision import Facts, decide
from flows.decision.explaining import Hurdle, approval_in_words, for_requestor, hurdles, why
from flows.queries import owners_of, requestable
from integrations.queries import Entitlement
from integrations.search import Search, words_of

# So many resources are told of; a longer word finds fewer.
SHOWN = 5
NAMES_MAX = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One permission on a resource that some flow of the person gives: how, or what is in the way."""

    about: Entitlement
    flow: str = ""
    why: str = ""
    approval: str = ""
    refusal: str = ""
    hurdles: tuple[Hurdle, ...] = ()

    @property
    def value(self) -> str:
        """How the new request's form names it."""
        return f"{self.about.resource_id}:{self.about.permission_id}"


@dataclass(frozen=True, slots=True)
class Reasons:
    """What is told of one resource, and whom to ask for anything else on it."""

    about: Entitlement
    ways: tuple[Way, ...]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer. `admins` are whom to ask where nothing is said by name."""

    resources: tuple[Reasons, ...]
    more: bool
    admins: tuple[str, ...]


def why_not(who: Asker, text: str, *, at: datetime, grantee: User | None = None) -> WhyNot:
    """Answer why something cannot be had, by a part of its name. The number of queries does not depend on how much."""
    words = words_of(text)
    ids, more = Search(requestable(who.reach), words).find(0, SHOWN) if words else ([], False)
    given = who.given_on(ids)
    people = facts_of([who.user, grantee or who.user])
    pair = people[who.user.pk], people[(grantee or who.user).pk]
    found = [_reasons(who, pair, given[pk], at) for pk in ids if pk in given]
    admins = () if found else tuple(one.name for one in people_with("flows.change_accessflow")[:NAMES_MAX])
    return WhyNot(tuple(found), more, admins)


def _reasons(who: Asker, people: tuple[PersonFacts, PersonFacts], here: Sequence[Entitlement], at: datetime) -> Reasons:
    return Reasons(here[0], tuple(_way(who, people, one, at) for one in here), tuple(owners_of(here[0])[:NAMES_MAX]))


def _way(who: Asker, people: tuple[PersonFacts, PersonFacts], ask: Entitlement, at: datetime) -> Way:
    """Hold one entitlement against the person's flows, as if it were asked for now."""
    facts = Facts(*people, (ask,), who.reach.flows, justification="asked", at=at)
    if ask.refusal:
        return Way(ask, refusal=ask.refusal)
    parts = decide(facts).parts
    if parts:
        document = parts[0].flow.document
        return Way(ask, document["name"], why(parts[0]), approval_in_words(document))
    return Way(ask, hurdles=tuple(for_requestor(hurdles(facts, ask, who.reach.flows))))
