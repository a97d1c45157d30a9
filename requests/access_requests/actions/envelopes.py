"""Break-glass envelopes: access that two admins prepare while all is well, printed once, for when Latchkey is down.

An envelope is an ordinary request, whose grantee is a person made for it: giving, reading back, ending and proof are
those of any request. This module says only who may do what with the paper. What is printed is nowhere else any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from access_requests.actions import endings
from access_requests.actions.asking import make_units
from access_requests.actions.beginning import approve_now
from access_requests.actions.credentials import AlreadySeen, NothingToSee, hand_out
from access_requests.actions.rules import NotPossible, NotYours, lock_person
from access_requests.choices import EndReason, RequestState
from access_requests.events import moved
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessRequest, AccessSession, Envelope, Pulse
from access_requests.queries.envelopes import KEEP, entitlement, giving, may_tell
from accounts.actions import write_letter
from accounts.actions.people import put_user
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import Group, User
from accounts.queries import people_with
from audit.actions import record
from audit.actor import Actor
from integrations.models import Integration
from integrations.queries import Entitlement, has_logins

REASON_MAX = 2000
DAYS_MAX = 366
# What nobody said yes to is not worth much later.
LAPSES_AFTER = timedelta(days=7)
# By RFC 2606 nobody ever has an address there.
DOMAIN = "envelope.invalid"
LOST = "It is shown once. Is the paper lost, or did nothing come out? Withdraw it, and prepare its successor."
_S = RequestState


def prepare(
    pair: tuple[int, int],
    *,
    user: User,
    actor: Actor,
    reason: str,
    days: int | None = None,
    keepers: Group | None = None,
    succeeds: Envelope | None = None,
    at: datetime | None = None,
) -> Envelope:
    """Propose an envelope with one permission on one resource. Nothing is given until another admin says yes.

    Raises NotYours for who is no admin; NotPossible without a reason, for what no flow gives, or where grants have no
    login of their own, and when nobody else could say yes.
    """
    moment, length = at or timezone.now(), settings.ENVELOPE_DAYS if days is None else days
    others = _second_admins(user)
    why = _said(reason, "Say for which emergency it is: it stands on the paper.")
    if not 1 <= length <= DAYS_MAX:
        raise NotPossible(f"An envelope lasts between 1 and {DAYS_MAX} days.")
    ask, version = _deserved(pair)
    with transaction.atomic():
        number = _next_number(moment)
        row = AccessRequest.objects.create(
            requestor=user,
            grantee=_nobody(number, actor, moment),
            flow_version_id=version,
            justification=why,
            in_envelope=True,
            duration_seconds=length * 86400,
            requested_at=moment,
            lapses_at=moment + LAPSES_AFTER,
        )
        make_units(row, [ask])
        made = Envelope.objects.create(number=number, request=row, prepared_by=user, keepers=keepers, succeeds=succeeds)
        told = {"holds": f"{ask.permission_name} on {ask.resource_path}", "days": length, "reason": why}
        _record("prepared", made, actor, moment, keepers=keepers.name if keepers else "", **told)
        move(row, _S.PENDING, actor=actor, reason=f"{made} waits for a second admin.", at=moment)
        for other in others:
            _ask_second(made, other, moment)
    return made


def confirm(envelope: Envelope, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Say the second yes: the access is given. Raises NotYours; NotPossible for who prepared it."""
    moment = at or timezone.now()
    _check(user)
    with transaction.atomic():
        row, stored = _locked(envelope)
        if user.pk == stored.prepared_by_id:
            raise NotPossible("You prepared it yourself: it takes another admin.")
        if row.state != _S.PENDING:
            raise NotPossible(f"{stored} does not wait for a yes any more: {stored.word.lower()}.")
        if not stored.prepared_by.is_active or not stored.prepared_by.has_perm(KEEP):
            raise NotPossible(f"{stored.prepared_by.name} is no admin any more: prepare it anew.")
        for unit in row.access_groups.get().units.all():
            _deserved((unit.resource_id, unit.permission_id))
        stored.confirmed_by, stored.confirmed_at = user, moment
        stored.save(update_fields=["confirmed_by", "confirmed_at"])
        _record("confirmed", stored, actor, moment, prepared_by=stored.prepared_by.email)
        words = f"{stored.prepared_by.name} prepared {stored}, {user.name} said yes."
        approve_now(row, actor=actor, reason=words, at=moment)


def refuse(envelope: Envelope, *, user: User, actor: Actor, note: str = "", at: datetime | None = None) -> None:
    """Say no. Raises NotYours, NotPossible."""
    moment = at or timezone.now()
    _check(user)
    with transaction.atomic():
        row, stored = _locked(envelope)
        if user.pk == stored.prepared_by_id:
            raise NotPossible("You prepared it yourself: withdraw it instead.")
        told: dict[str, Any] = {"decided_at": moment, "ended_at": moment, "end_reason": EndReason.REJECTED}
        words = note.strip()[:REASON_MAX]
        if row.state != _S.PENDING:
            raise NotPossible(f"{stored} does not wait for a yes any more: {stored.word.lower()}.")
        move(row, _S.REJECTED, actor=actor, reason=words, at=moment, note=words, **told)
        _record("refused", stored, actor, moment, reason=words)


def withdraw(envelope: Envelope, *, user: User, actor: Actor, reason: str, at: datetime | None = None) -> None:
    """End an envelope that was not used: its access ends like any. Raises NotYours, NotPossible when it is over."""
    moment = at or timezone.now()
    _check(user)
    why = _said(reason, "Say why: it stays in the record.")
    with transaction.atomic():
        row, stored = _locked(envelope)
        told: dict[str, Any] = {"ended_at": moment, "end_reason": EndReason.WITHDRAWN, "note": why}
        if row.state in {_S.PENDING, _S.APPROVED}:
            move(row, _S.CANCELLED, actor=actor, reason=why, at=moment, **told)
        elif not endings.end(row, EndReason.WITHDRAWN, actor=actor, note=why, at=moment):
            raise NotPossible(f"{stored} is over: there is nothing to withdraw.")
        _record("withdrawn", stored, actor, moment, reason=why)


def print_out(
    envelope: Envelope, *, user: User, actor: Actor, as_file: bool = False, at: datetime | None = None
) -> dict[str, str]:
    """Return the credentials, once for ever, and forget them: of two at once one gets them.

    What it succeeds ends with it: the new paper takes the old one's place. Raises NotYours, AlreadySeen, NothingToSee.
    """
    moment = at or timezone.now()
    _check(user)
    with transaction.atomic():
        row, stored = _locked(envelope)
        if stored.printed_at is not None and stored.printed_by is not None:
            raise AlreadySeen(
                f"{stored} was printed by {stored.printed_by.name} on {stored.printed_at:%Y-%m-%d at %H:%M} UTC. {LOST}"
            )
        if row.state != _S.ACTIVE:
            raise NothingToSee(f"{stored} cannot be printed: {stored.word.lower()}.")
        # There is a pulse from the first sealed envelope on, so that a gap right after it is found.
        Pulse.objects.get_or_create(pk=1, defaults={"at": moment})
        surface = "file" if as_file else "paper"
        secret = hand_out(AccessSession.objects.get(group__request=row), f"envelope, {surface}", moment)
        stored.printed_by, stored.printed_at, stored.as_file = user, moment, as_file
        stored.save(update_fields=["printed_by", "printed_at", "as_file"])
        _record("printed", stored, actor, moment, surface=surface)
        if stored.succeeds is not None:
            words = f"{stored} took its place."
            endings.end(stored.succeeds.request, EndReason.ENVELOPE_ROTATED, actor=actor, note=words, at=moment)
    return secret


def tell_opened(
    envelope: Envelope,
    *,
    user: User,
    actor: Actor,
    opened_by: str,
    opened_at: datetime,
    why: str,
    at: datetime | None = None,
) -> None:
    """Say who opened it, when and why: its access ends at once. Of one that is over already it is written down.

    An admin, or one of its keepers. Raises NotYours; NotPossible when something is missing or it was said before.
    """
    moment = at or timezone.now()
    if not may_tell(user, envelope):
        raise NotYours("This envelope is not yours.")
    who, words = opened_by.strip()[:200], _said(why, "Say why it was opened: it stays in the record.")
    if not who:
        raise NotPossible("Say who opened it.")
    with transaction.atomic():
        row, stored = _locked(envelope)
        if stored.printed_at is None:
            raise NotPossible(f"{stored} was never printed: nobody can have opened it.")
        if stored.told_at is not None and stored.told_by is not None:
            raise NotPossible(f"{stored.told_by.name} has told of it already.")
        # People tell the minute.
        if not stored.printed_at.replace(second=0, microsecond=0) <= opened_at <= moment:
            raise NotPossible("It was opened after it was printed, and not in the future: check the time.")
        stored.opened_by, stored.opened_at, stored.opened_why = who, opened_at, words
        stored.told_by, stored.told_at = user, moment
        stored.save(update_fields=["opened_by", "opened_at", "opened_why", "told_by", "told_at"])
        _record("opened", stored, actor, moment, opened_by=who, opened_at=opened_at.isoformat(), reason=words)
        note = f"Opened by {who} at {opened_at:%Y-%m-%d %H:%M} UTC: {words}"
        endings.end(row, EndReason.ENVELOPE_OPENED, actor=actor, note=note, at=moment)
        moved(row.pk)


def review(envelope: Envelope, *, user: User, actor: Actor, words: str, at: datetime | None = None) -> None:
    """Write down what happened to an envelope that may have been used. Raises NotYours, NotPossible."""
    moment = at or timezone.now()
    _check(user)
    told = _said(words, "Say what happened, and how you know.")
    with transaction.atomic():
        row, stored = _locked(envelope)
        if not stored.is_owed:
            raise NotPossible(f"Of {stored} no account is owed.")
        if row.state == _S.ACTIVE:
            raise NotPossible(
                f"{stored} is still sealed: say that it was opened, or withdraw it, and then what happened."
            )
        stored.reviewed_by, stored.reviewed_at, stored.review = user, moment, told
        stored.save(update_fields=["reviewed_by", "reviewed_at", "review"])
        _record("reviewed", stored, actor, moment, words=told)
        moved(row.pk)


def tell_admins(envelope: Envelope, subject: str, words: str, key: str, at: datetime) -> None:
    """Write to every admin of an envelope, once per key. The caller's transaction."""
    for admin in people_with(KEEP):
        _letter(envelope, admin, subject, words, key=key, at=at)


def _ask_second(made: Envelope, to: User, at: datetime) -> None:
    words = f"{made.prepared_by.name} prepared it. Nothing is given until another admin says yes, within seven days."
    _letter(made, to, f"{made} waits for a second admin", words, key="prepared", at=at)


def _letter(envelope: Envelope, to: User, subject: str, words: str, *, key: str, at: datetime) -> None:
    group = envelope.request.access_groups.select_related("integration").get()
    context = {
        "name": str(envelope),
        "words": words,
        "what": [f"{unit} ({group.integration.name})" for unit in group.units.all()],
        "purpose": envelope.request.justification,
        "url": address_of("envelope", envelope.number),
    }
    full = f"envelope:{envelope.pk}:{key}:{to.pk}"
    write_letter(
        to=to, kind=LetterKind.ENVELOPE, subject=subject, template="envelope", context=context, key=full, at=at
    )


def _check(user: User) -> None:
    if not user.is_active or not user.has_perm(KEEP):
        raise NotYours("Only admins keep break-glass envelopes.")


def _second_admins(user: User) -> list[User]:
    """Return who besides an admin could say the second yes. Raises NotYours for who is none, NotPossible for nobody."""
    _check(user)
    others = [one for one in people_with(KEEP) if one.pk != user.pk]
    if not others:
        raise NotPossible("Nobody else is an admin who could say yes to it: make somebody one first.")
    return others


def _said(text: str, otherwise: str) -> str:
    words = text.strip()
    if not words:
        raise NotPossible(otherwise)
    if len(words) > REASON_MAX:
        raise NotPossible(f"At most {REASON_MAX} characters, please.")
    return words


def _deserved(pair: tuple[int, int]) -> tuple[Entitlement, int]:
    """Return what is to be given, and the version of the flow that gives it. Raises NotPossible when none does."""
    ask = entitlement(pair)
    if ask is None:
        raise NotPossible("There is no such resource, or no such permission on it. Choose again from the list.")
    if ask.refusal:
        raise NotPossible(ask.refusal)
    if not has_logins(Integration.objects.get(pk=ask.integration_id)):
        raise NotPossible(f"In {ask.integration_name} grants have no login of their own: there is nothing to print.")
    flow = giving(ask)
    if flow is None:
        raise NotPossible(
            f"No access flow gives {ask.permission_name} on {ask.resource_path}, so no envelope may hold it either."
        )
    return ask, flow.version_id


def _next_number(at: datetime) -> int:
    """Return the next number; whoever else prepares one waits for this transaction."""
    Pulse.objects.get_or_create(pk=1, defaults={"at": at})
    Pulse.objects.select_for_update().get(pk=1)
    return int(Envelope.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _nobody(number: int, actor: Actor, at: datetime) -> User:
    """Make the person whose access it is: disabled from the beginning, with an address that nobody can have."""
    nobody = User(email=f"envelope-{number}@{DOMAIN}", name=f"Break-glass envelope {number}", is_active=False)
    put_user(nobody, "user.created", {"envelope": number}, actor=actor, roles=(), at=at)
    return nobody


def _locked(envelope: Envelope) -> tuple[AccessRequest, Envelope]:
    """Lock the grantee, as every end does, then request and envelope, and return the latter two as stored."""
    lock_person(envelope.request.grantee_id)
    row = (
        AccessRequest.objects.select_for_update(of=("self",)).select_related("flow_version").get(pk=envelope.request_id)
    )
    rows = Envelope.objects.select_for_update(of=("self",))
    stored = rows.select_related("prepared_by", "printed_by", "told_by", "succeeds__request").get(pk=envelope.pk)
    stored.request = row
    return row, stored


def _record(what: str, stored: Envelope, actor: Actor, at: datetime, **details: Any) -> None:
    told = {"envelope": stored.number, **{name: value for name, value in details.items() if value != ""}}
    record(f"envelope.{what}", actor=actor, subject=subject_of(stored.request), details=told, at=at)
