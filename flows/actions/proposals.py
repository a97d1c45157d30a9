"""A change that takes two: kept as it was meant, until another admin says yes or no."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions import NotAllowed, require, write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import User
from accounts.queries import people_with
from audit.actions import Subject, record
from audit.actor import Actor, person
from audit.choices import ActorKind, Source
from flows.actions.bundles import define_bundle
from flows.actions.flows import define, set_active
from flows.actions.restoring import restore, restore_bundle, restore_scope
from flows.actions.rules import BadFlow, NeedsSecondAdmin, Opening, Overtaken, Second, StillNeeded
from flows.actions.scopes import define_scope
from flows.actions.spaces import define_space
from flows.choices import PolicyKind, ProposalState
from flows.models import AccessFlow, AccessScope, Bundle, Proposal, Space

MAY_DECIDE = "flows.decide_proposal"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change as it is meant: what the verb is called with, as plain data.

    `after` is the version that the writer has read: a flow's number, or the digest of a bundle or scope.
    """

    verb: str
    kind: PolicyKind
    name: str
    told: dict[str, Any]
    subject: uuid.UUID | None = None
    after: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Who does it, when, and with whose second yes."""

    actor: Actor
    at: datetime
    second: Second | None = None


class Settled(Exception):
    """A proposal that does not wait any more: somebody was quicker."""


def propose(wanted: Wanted, *, actor: Actor, at: datetime | None = None) -> Proposal:
    """Keep a change that takes two, and tell the other admins.

    It is tried, and nothing of it is kept. Raises what its action raises, but NeedsSecondAdmin; BadFlow for a change
    that takes one only, that waits already, or that nobody else could say yes to.
    """
    moment = at or timezone.now()
    wanted = replace(wanted, told=json.loads(json.dumps(wanted.told, default=str)))
    author = User.objects.filter(pk=actor.id).first() if actor.kind == ActorKind.USER else None
    if author is None:
        raise NotAllowed("Only a person proposes a change.")
    openings = _tried(wanted, actor, moment)
    others = [one for one in people_with(MAY_DECIDE) if one.pk != author.pk]
    if not others:
        raise BadFlow(["Nobody else is an admin who could say yes: make somebody one first."])
    waits = Proposal.objects.filter(kind=wanted.kind, subject=wanted.subject, state=ProposalState.WAITING)
    with transaction.atomic():
        if wanted.subject and waits.select_for_update().exists():
            raise BadFlow([f"A change of {wanted.name} waits for a second yes already: withdraw that one first."])
        row = Proposal.objects.create(
            kind=wanted.kind, subject=wanted.subject, name=wanted.name, after=wanted.after, proposed_by=author,
            proposed_at=moment, why=" ".join(one.why for one in openings), change=_kept(wanted, openings),
        )  # fmt: skip
        record("proposal.made", actor=actor, subject=_subject(row), details=_details(row), at=moment)
        for one in others:
            _write(row, one, f"{author.name} proposes a change of {row.name}", moment)
    return row


def _tried(wanted: Wanted, actor: Actor, at: datetime) -> list[Opening]:
    """Return what of a change takes two, trying it; nothing of it stays."""
    try:
        with transaction.atomic():
            _VERBS[wanted.verb](wanted, Call(actor, at))
            raise BadFlow(["This takes no second yes any more: save it."])
    except NeedsSecondAdmin as need:
        return need.openings
    except IntegrityError as error:
        raise BadFlow([f"Something else is called {wanted.name}: choose another name."]) from error


def _kept(wanted: Wanted, openings: list[Opening]) -> dict[str, Any]:
    opened = [{"before": one.before, "after": one.after, "why": one.why} for one in openings]
    return {"verb": wanted.verb, "told": wanted.told, "openings": opened}


def openings_of(row: Proposal) -> list[Opening]:
    """Return what a proposal would open."""
    return [Opening(one["before"], one["after"], one["why"]) for one in row.change["openings"]]


def accept(row: Proposal, *, actor: Actor, at: datetime | None = None) -> Proposal:
    """Say the second yes: the change is made, by who proposed it, exactly as it was shown.

    Where policy moved on meanwhile (another version is in force, something is refused by now, or what it would open is
    something else) nothing is changed, and the proposal is overtaken and says why. Raises NotAllowed, Settled.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        stored = _deciding(row, actor)
        second = Second(actor.id, actor.name, frozenset(one.digest for one in openings_of(stored)))
        author = replace(person(stored.proposed_by, Source.ADMIN), operation=actor.operation)
        try:
            with transaction.atomic():
                _VERBS[stored.change["verb"]](_wanted(stored), Call(author, moment, second))
                _settle(stored, ProposalState.ACCEPTED, actor, moment)
        except NeedsSecondAdmin:
            _settle(stored, ProposalState.OVERTAKEN, actor, moment, "What it would open is something else by now.")
        except (BadFlow, Overtaken, StillNeeded, NotAllowed, LookupError, ObjectDoesNotExist) as problem:
            _settle(stored, ProposalState.OVERTAKEN, actor, moment, str(problem))
        except IntegrityError:
            _settle(stored, ProposalState.OVERTAKEN, actor, moment, "Its name was taken meanwhile.")
    return stored


def refuse(row: Proposal, *, actor: Actor, reason: str = "", at: datetime | None = None) -> Proposal:
    """Say no. Raises NotAllowed, Settled."""
    with transaction.atomic():
        stored = _deciding(row, actor)
        _settle(stored, ProposalState.REFUSED, actor, at or timezone.now(), reason.strip())
    return stored


def withdraw(row: Proposal, *, actor: Actor, at: datetime | None = None) -> Proposal:
    """Take one's own proposal back. Raises NotAllowed, Settled."""
    with transaction.atomic():
        stored = _waiting(row)
        if actor.kind != ActorKind.USER or actor.id != str(stored.proposed_by_id):
            raise NotAllowed("Only who proposed a change withdraws it.")
        _settle(stored, ProposalState.WITHDRAWN, actor, at or timezone.now())
    return stored


def may_decide(row: Proposal, user: User) -> bool:
    """Whether the person could say yes or no: an admin, and another than who proposed it."""
    return user.has_perm(MAY_DECIDE) and user.pk != row.proposed_by_id


def _deciding(row: Proposal, actor: Actor) -> Proposal:
    """Return the proposal, locked, to somebody who may decide it."""
    require(actor, MAY_DECIDE)
    stored = _waiting(row)
    if actor.kind != ActorKind.USER or actor.id == str(stored.proposed_by_id):
        raise NotAllowed("It takes another admin than who proposed it.")
    return stored


def _waiting(row: Proposal) -> Proposal:
    stored = Proposal.objects.select_for_update(of=("self",)).select_related("proposed_by").get(pk=row.pk)
    if stored.state != ProposalState.WAITING:
        raise Settled(f"This proposal is {ProposalState(stored.state).label.lower()} already.")
    return stored


def _settle(row: Proposal, state: ProposalState, actor: Actor, at: datetime, reason: str = "") -> None:
    """Write what became of a proposal, with its audit entry and the letter to who proposed it."""
    row.state, row.decided_at, row.reason = state, at, reason
    row.decided_by = User.objects.filter(pk=actor.id).first()
    row.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    record(f"proposal.{state.value}", actor=actor, subject=_subject(row), details=_details(row), at=at)
    if state != ProposalState.WITHDRAWN:
        _write(row, row.proposed_by, f"Your change of {row.name} is {state.label.lower()}", at)


def _write(row: Proposal, to: User, subject: str, at: datetime) -> None:
    told = {
        "name": row.name,
        "author": row.proposed_by.name,
        "state": row.state,
        "word": str(ProposalState(row.state).label).lower(),
        "why": row.why,
        "by": row.decided_by.name if row.decided_by else "",
        "reason": row.reason,
        "url": address_of("admin:flows_proposal_change", row.pk),
    }
    key = f"proposal:{row.pk}:{row.state}:{to.pk}"
    write_letter(to=to, kind=LetterKind.PROPOSAL, subject=subject, template="proposal", context=told, key=key, at=at)


def _subject(row: Proposal) -> Subject:
    return Subject("proposal", str(row.pk), row.name)


def _details(row: Proposal) -> dict[str, Any]:
    told = {"kind": row.kind, "subject": str(row.subject or ""), "why": row.why, "reason": row.reason}
    return {**{name: value for name, value in told.items() if value}, "proposed_by": row.proposed_by.email}


def _wanted(row: Proposal) -> Wanted:
    return Wanted(row.change["verb"], PolicyKind(row.kind), row.name, row.change["told"], row.subject, row.after)


def _row(model: Any, wanted: Wanted) -> Any:
    """Return what would be changed; nothing for what would be new."""
    return model.objects.get(pk=wanted.subject) if wanted.subject else None


def _number(wanted: Wanted) -> int | None:
    return int(wanted.after) if wanted.after else None


def _with(call: Call) -> dict[str, Any]:
    return {"actor": call.actor, "at": call.at, "second": call.second}


def _define(wanted: Wanted, call: Call) -> object:
    columns, document = wanted.told["columns"], wanted.told["document"]
    return define(columns, document, flow=_row(AccessFlow, wanted), after=_number(wanted), **_with(call))


def _switch_on(wanted: Wanted, call: Call) -> object:
    flow = _row(AccessFlow, wanted)
    if flow.current is None or flow.current.number != _number(wanted):
        raise Overtaken("Somebody saved this access flow meanwhile.")
    return set_active(flow, True, **_with(call))


def _restore(wanted: Wanted, call: Call) -> object:
    return restore(_row(AccessFlow, wanted), int(wanted.told["number"]), after=_number(wanted), **_with(call))


def _define_bundle(wanted: Wanted, call: Call) -> object:
    told, bundle = wanted.told, _row(Bundle, wanted)
    more = {"description": told["description"], "bundle": bundle, "after": wanted.after or None}
    more["space"] = told.get("space")
    return define_bundle(told["name"], told["targets"], **more, **_with(call))


def _define_scope(wanted: Wanted, call: Call) -> object:
    told, scope = wanted.told, _row(AccessScope, wanted)
    more = {"description": told["description"], "scope": scope, "after": wanted.after or None}
    more["space"] = told.get("space")
    return define_scope(told["name"], told["query"], **more, **_with(call))


def _restore_bundle(wanted: Wanted, call: Call) -> object:
    number, after = int(wanted.told["number"]), wanted.after or None
    return restore_bundle(_row(Bundle, wanted), number, after=after, **_with(call))


def _restore_scope(wanted: Wanted, call: Call) -> object:
    number, after = int(wanted.told["number"]), wanted.after or None
    return restore_scope(_row(AccessScope, wanted), number, after=after, **_with(call))


def _define_space(wanted: Wanted, call: Call) -> object:
    told, space = wanted.told, _row(Space, wanted)
    scopes = list(AccessScope.objects.filter(pk__in=told["scopes"]))
    return define_space(told["name"], scopes, space=space, after=wanted.after or None, **_with(call))


_VERBS: dict[str, Callable[[Wanted, Call], object]] = {
    "define": _define,
    "switch_on": _switch_on,
    "restore": _restore,
    "define_bundle": _define_bundle,
    "restore_bundle": _restore_bundle,
    "define_scope": _define_scope,
    "restore_scope": _restore_scope,
    "define_space": _define_space,
}
