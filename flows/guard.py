"""What takes two: opening production to everyone without approval.

A change takes a second admin's yes when a flow would be on, ask nobody (no approval, or automatic), give something that
carries the tag of production (settings.PRODUCTION_TAGS), and let more than half of all active people ask or have it,
and the version in force did not do so already. Who may say yes to their own request asks nobody either. Break-glass is
not meant: it is told to everybody and reviewed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import User
from flows import reach
from flows.choices import ApprovalMode, Trigger
from flows.decision.covering import Document
from flows.whatif.given import gives_any_of
from integrations.models import Tag


@dataclass(frozen=True, slots=True)
class Opening:
    """What the decision looks at: whom a flow lets in of how many, whether anybody says yes, and to what."""

    active: bool
    asks_nobody: bool
    people: int
    everybody: int
    production: bool


def is_open(opening: Opening) -> bool:
    """Whether this opens production to everyone without approval. Pure."""
    many = opening.people * 2 > opening.everybody
    return opening.active and opening.asks_nobody and many and opening.production


def takes_two(document: Document, before: Document | None) -> str:
    """Return why putting the document in force takes a second admin's yes, in words; nothing when it does not."""
    if not settings.FOUR_EYES or not settings.PRODUCTION_TAGS or not _asks_nobody(document):
        return ""
    opening = _opening(document)
    if not is_open(opening) or (before is not None and is_open(_opening(before))):
        return ""
    tags = " or ".join("=".join(pair) for pair in settings.PRODUCTION_TAGS)
    return (
        f"{document['name']} would open what is tagged {tags} without approval to {opening.people:,} of "
        f"{opening.everybody:,} people. That takes a second admin’s yes."
    )


def _asks_nobody(document: Document) -> bool:
    """Whether a flow that is on opens without anybody's yes."""
    return bool(document["active"] and (_asks_none(document) or document["settings"]["self_approval"]))


def _asks_none(document: Document) -> bool:
    return bool(document["approval"]["mode"] == ApprovalMode.NONE or document["trigger"] == Trigger.AUTOMATIC)


def _let_in(document: Document) -> QuerySet[User]:
    """Return whom a flow lets in without anybody else's yes: all it names, or who of them could approve as well."""
    asking = reach.people(document["requestors"])
    if _asks_none(document):
        return asking
    groups = [reach.people(group, approving=True) for group in document["approval"]["groups"]]
    approving = reduce(or_, (Q(pk__in=people.order_by().values("pk")) for people in groups), Q(pk__in=[]))
    return asking.filter(approving)


def _opening(document: Document) -> Opening:
    """Read what the decision looks at; what cannot matter any more is not read."""
    if not _asks_nobody(document):
        return Opening(bool(document["active"]), False, 0, 0, False)
    people = _let_in(document).count()
    everybody = User.objects.filter(is_active=True, is_service=False).count()
    production = people * 2 > everybody and _gives_production(document)
    return Opening(True, True, people, everybody, production)


def _gives_production(document: Document) -> bool:
    """Whether the flow gives anything that can be granted now on a resource with the tag."""
    tagged = reduce(or_, (Q(key=key, value=value) for key, value in settings.PRODUCTION_TAGS))
    return gives_any_of(document, Tag.objects.filter(tagged).values("resource"))
