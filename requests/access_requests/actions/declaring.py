"""Declaring access ended by hand: one admin says so and why, a second one says yes, and it shows for ever.

Only a revoke that is overdue is declared. It goes on being tried until the second yes, and a proof that comes first
makes the proposal fall away. After the yes nothing more is ordered for it: what is still at the target is for a
reconcile to find. Nothing about a declared end is written as proof.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.declarations import record_declaration, settle_declaration
from access_requests.actions.grants import absorb_or_set_aside, reorder
from access_requests.actions.rules import NotPossible, NotYours, each, lock_person
from access_requests.choices import CredentialsStatus, DeclarationState, EndedHow, RequestState, UnitState
from access_requests.lifecycle import move
from access_requests.models import AccessGroup, AccessRequest, AccessSession, AccessUnit, Declaration
from accounts.models import User
from accounts.queries import admins
from audit.actor import Actor, system
from integrations import actions as integrations
from integrations.queries import unabsorbed

NOTE_MAX = 2000
# A yes that nobody gives for so long is none: what the first admin saw may be different by then.
WAITS = timedelta(days=7)
_S = DeclarationState


def may_declare(user: User) -> bool:
    """Whether the person may propose and decide: an admin, and active."""
    return user.is_active and admins().filter(pk=user.pk).exists()


def propose_end(
    request: AccessRequest, *, user: User, actor: Actor, reason: str, at: datetime | None = None
) -> Declaration:
    """Propose to declare an overdue end. Raises NotYours for who is no admin, NotPossible when it is not so late."""
    moment = at or timezone.now()
    _only_admins(user)
    words = _words(reason, "Say how you know that the access is gone: it stays in the record for ever.")
    with transaction.atomic():
        row = _locked(request)
        if row.state != RequestState.REVOKING or row.overdue_since is None:
            raise NotPossible("Only an end that is overdue can be declared.")
        if row.declarations.filter(state=_S.WAITING).exists():
            raise NotPossible("It has been proposed already, and waits for another admin’s yes.")
        made = Declaration.objects.create(
            request=row, reason=words, proposed_by=user, proposed_at=moment, lapses_at=moment + WAITS
        )
        record_declaration(made, "declaration.proposed", actor, moment)
    return made


def second_end(
    declaration: Declaration, *, user: User, actor: Actor, note: str = "", at: datetime | None = None
) -> None:
    """Say the second yes: the request is over, as declared.

    Raises NotYours for who is no admin, NotPossible for who proposed it, and when it does not wait any more.
    """
    moment = at or timezone.now()
    _only_admins(user)
    with transaction.atomic():
        row = _locked(declaration.request)
        made = _waiting(declaration, moment)
        if user.pk == made.proposed_by_id:
            raise NotPossible("It takes another admin’s yes than yours.")
        if not may_declare(made.proposed_by):
            raise NotPossible(f"{made.proposed_by.name} is no admin any more: propose it yourself, for another’s yes.")
        row = _after_reports(row)
        if row.state != RequestState.REVOKING:
            raise NotPossible("Its end has been proven meanwhile.")
        groups = list(_unproven(row))
        made.unproven = [group.integration.name for group in groups]
        settle_declaration(made, _S.DECLARED, user, note.strip()[:NOTE_MAX], moment)
        _close(row, groups, made, actor, moment)
        record_declaration(made, "declaration.declared", actor, moment)


def refuse_end(declaration: Declaration, *, user: User, actor: Actor, note: str, at: datetime | None = None) -> None:
    """Refuse a proposal, with a reason. Who made it takes it back instead."""
    moment = at or timezone.now()
    _only_admins(user)
    words = _words(note, "Say why not: whoever proposed it reads it.")
    with transaction.atomic():
        _locked(declaration.request)
        made = _waiting(declaration, moment)
        if user.pk == made.proposed_by_id:
            raise NotPossible("Take it back instead: it is yours.")
        settle_declaration(made, _S.REFUSED, user, words, moment)
        record_declaration(made, "declaration.refused", actor, moment)


def take_back_end(declaration: Declaration, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Take a proposal back: only who made it, also when they are no admin any more."""
    moment = at or timezone.now()
    if user.pk != declaration.proposed_by_id or not user.is_active:
        raise NotYours("This proposal is not yours.")
    with transaction.atomic():
        _locked(declaration.request)
        made = _waiting(declaration, moment)
        settle_declaration(made, _S.TAKEN_BACK, user, "", moment)
        record_declaration(made, "declaration.taken_back", actor, moment)


def sweep_declarations(*, at: datetime | None = None) -> int:
    """Let proposals lapse that nobody answered in a week, and those whose request is over. Return how many."""
    moment = at or timezone.now()
    late = Declaration.objects.filter(state=_S.WAITING, lapses_at__lte=moment).select_related("request")
    return each(late.order_by("lapses_at")[:1000], lambda made: _lapse(made, moment), sweep="declarations")


def _lapse(declaration: Declaration, at: datetime) -> bool:
    with transaction.atomic():
        _locked(declaration.request)
        made = Declaration.objects.select_related("request").get(pk=declaration.pk)
        if not made.waits:
            return False
        settle_declaration(made, _S.LAPSED, None, "", at)
        record_declaration(made, "declaration.lapsed", system(), at)
    return True


def _only_admins(user: User) -> None:
    if not may_declare(user):
        raise NotYours("Only admins declare that access has ended.")


def _words(text: str, problem: str) -> str:
    words = text.strip()
    if not words:
        raise NotPossible(problem)
    if len(words) > NOTE_MAX:
        raise NotPossible(f"That is too long: at most {NOTE_MAX} characters.")
    return words


def _locked(request: AccessRequest) -> AccessRequest:
    """Return the request under the locks that whatever ends it takes: the person first, then the row."""
    lock_person(request.grantee_id)
    return AccessRequest.objects.select_for_update().get(pk=request.pk)


def _waiting(declaration: Declaration, at: datetime) -> Declaration:
    """Return the proposal as it stands under the lock. Raises NotPossible when it waits no more."""
    made = Declaration.objects.select_related("request", "proposed_by").get(pk=declaration.pk)
    if not made.waits or made.lapses_at <= at:
        word = made.get_state_display() if not made.waits else "lapsed"
        raise NotPossible(f"This proposal does not wait any more: {word.lower()}.")
    return made


def _after_reports(row: AccessRequest) -> AccessRequest:
    """Take in what connectors have reported already, and return the request as it stands then: a proof comes first."""
    person = lock_person(row.grantee_id)
    for group in _unproven(row):
        for order in unabsorbed(group.integration_id, person.pk).select_related("integration", "leased_by"):
            absorb_or_set_aside(order, person, at=timezone.now())
    return AccessRequest.objects.get(pk=row.pk)


def _unproven(row: AccessRequest) -> Any:
    groups = row.access_groups.filter(dispatched_at__isnull=False, ended_at__isnull=True)
    return groups.select_related("integration").order_by("pk")


def _close(row: AccessRequest, groups: list[AccessGroup], made: Declaration, actor: Actor, at: datetime) -> None:
    """End what was not proven, by declaration: no proof, no clean-up, and nothing more is ordered for it."""
    AccessGroup.objects.filter(pk__in=[group.pk for group in groups]).update(ended_at=at)
    AccessUnit.objects.filter(group__in=groups).exclude(state=UnitState.FAILED).update(state=UnitState.ENDED)
    AccessSession.objects.filter(group__in=groups).update(
        ended_at=at, sealed_credentials="", credentials_status=CredentialsStatus.NOT_APPLICABLE
    )
    reason = f"Declared by {made.proposed_by.name}: {made.reason}"
    move(
        row,
        RequestState.REVOKED,
        actor=actor,
        reason=reason,
        at=at,
        details={"proposed_by": str(made.proposed_by_id), "unproven": made.unproven},
        ended_at=at,
        ended_how=EndedHow.DECLARED,
    )
    # The open order names the grant as one to end. It goes; who holds or ends something else there gets a new one.
    person = lock_person(row.grantee_id)
    for group in groups:
        others = AccessGroup.objects.filter(
            request__grantee=person, integration=group.integration, dispatched_at__isnull=False, ended_at__isnull=True
        )
        if others.exists():
            reorder(person, group.integration, at=at)
        else:
            integrations.supersede(group.integration, person, at=at)
