"""The platform's pulse, and what follows from a gap in it: every envelope that lay sealed may have been used.

A gap is written down in the transaction that takes the pulse up again, and is open until each envelope it touches was
seen to, one transaction each. So a process that is killed at any line loses nothing, and does nothing twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from access_requests.actions import endings
from access_requests.actions.envelopes import tell_admins
from access_requests.actions.grants import look_at
from access_requests.actions.rules import each, lock_person
from access_requests.choices import EndReason, RequestState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import Envelope, PlatformGap, Pulse
from access_requests.queries.envelopes import sealed
from audit.actions import Subject, record
from audit.actor import system
from integrations.choices import IntegrationStatus
from integrations.queries import tells_sessions

# How often a target is asked whether somebody is at work with a sealed envelope.
LOOK_EVERY = timedelta(minutes=5)
# How long before its end admins are asked to prepare an envelope's successor.
WARN_BEFORE = timedelta(days=14)
_HOLDS = Q(request__state__in=[RequestState.ACTIVE, RequestState.REVOKING])


def sweep_envelopes(*, at: datetime | None = None) -> int:
    """Feel the pulse, see to what a gap leaves in doubt, look for sessions, write letters. Return how much was done."""
    moment = at or timezone.now()
    done = int(beat(moment))
    done += each(PlatformGap.objects.filter(done_at__isnull=True), partial(see_to, at=moment), sweep="envelopes")
    looked = Q(looked_at__isnull=True) | Q(looked_at__lte=moment - LOOK_EVERY)
    done += each(sealed().filter(looked), partial(_look, at=moment), sweep="envelopes")
    soon = sealed().filter(warned_at__isnull=True, request__ends_at__lte=moment + WARN_BEFORE)
    # What lasts two weeks or less is new when it would be warned of.
    soon = soon.filter(request__duration_seconds__gt=WARN_BEFORE.total_seconds())
    done += each(soon, partial(_warn, at=moment), sweep="envelopes")
    over = Envelope.objects.filter(request__end_reason=EndReason.TIME, asked_again_at__isnull=True)
    return done + each(over.select_related("request"), partial(_ask_again, at=moment), sweep="envelopes")


def beat(at: datetime) -> bool:
    """Note that the platform is alive. True when it was not for longer than it may: then that is written down."""
    with transaction.atomic():
        Pulse.objects.get_or_create(pk=1, defaults={"at": at})
        pulse = Pulse.objects.select_for_update().get(pk=1)
        before, pulse.at = pulse.at, at
        pulse.save(update_fields=["at"])
        if at - before <= timedelta(minutes=settings.ENVELOPE_GAP_MINUTES):
            return False
        gap = PlatformGap.objects.create(began_at=before, ended_at=at, found_at=at)
        details = {"from": before.isoformat(), "until": at.isoformat()}
        subject = Subject("platform", str(gap.pk), str(gap))
        record("platform.gap_found", actor=system(), subject=subject, details=details, at=at)
    return True


def touched(gap: PlatformGap) -> QuerySet[Envelope]:
    """Return the envelopes that could have been used in a gap and were not seen to: printed before, not over before."""
    printed = Envelope.objects.filter(printed_at__lt=gap.ended_at)
    there = _HOLDS | Q(request__ended_at__gt=gap.began_at)
    new = Q(doubted_until__isnull=True) | Q(doubted_until__lt=gap.ended_at)
    return printed.filter(there).filter(new).select_related("request").order_by("number")


def see_to(gap: PlatformGap, *, at: datetime) -> bool:
    """Doubt every envelope that a gap touches; the gap is done when none is left."""
    done = each(touched(gap), partial(_doubt, gap=gap, at=at), sweep="envelopes")
    if not touched(gap).exists():
        return bool(PlatformGap.objects.filter(pk=gap.pk, done_at__isnull=True).update(done_at=at)) or bool(done)
    return bool(done)


def _doubt(envelope: Envelope, gap: PlatformGap, at: datetime) -> bool:
    """Write down that an envelope may have been used, end its access, and ask an admin what happened."""
    with transaction.atomic():
        lock_person(envelope.request.grantee_id)
        stored = Envelope.objects.select_for_update(of=("self",)).select_related("request").get(pk=envelope.pk)
        if stored.doubted_until is not None and stored.doubted_until >= gap.ended_at:
            return False
        stored.doubted_from = stored.doubted_from or max(gap.began_at, stored.printed_at or gap.began_at)
        stored.doubted_until = gap.ended_at
        # Another gap while its end is not proven: what was written of the first does not tell of this one.
        stored.reviewed_by, stored.reviewed_at = None, None
        stored.save(update_fields=["doubted_from", "doubted_until", "reviewed_by", "reviewed_at"])
        words = (
            f"It may have been used between {stored.doubted_from:%Y-%m-%d %H:%M} and {gap.ended_at:%Y-%m-%d %H:%M} UTC."
        )
        details = {
            "envelope": stored.number,
            "from": stored.doubted_from.isoformat(),
            "until": gap.ended_at.isoformat(),
        }
        record("envelope.doubted", actor=system(), subject=subject_of(stored.request), details=details, at=at)
        endings.end(stored.request, EndReason.ENVELOPE_DOUBTED, actor=system(), note=words, at=at)
        told = (
            f"Latchkey was down. {words} Its access is ended. Look whether it was opened, and write down what happened."
        )
        tell_admins(stored, f"{stored} may have been used", told, f"doubted:{gap.pk}", at)
        moved(stored.request_id)
    return True


def _look(envelope: Envelope, at: datetime) -> bool:
    """Ask the target what is open on its account, where the target can tell."""
    group = envelope.request.access_groups.select_related("integration").get()
    here = group.integration
    with transaction.atomic():
        Envelope.objects.filter(pk=envelope.pk).update(looked_at=at)
        if not tells_sessions(here) or here.status == IntegrationStatus.DISABLED:
            return False
        return look_at(lock_person(envelope.request.grantee_id), here, at=at)


def _warn(envelope: Envelope, at: datetime) -> bool:
    with transaction.atomic():
        if not Envelope.objects.filter(pk=envelope.pk, warned_at__isnull=True).update(warned_at=at):
            return False
        ends_at = envelope.request.ends_at or at
        words = f"It ends by itself on {ends_at:%Y-%m-%d}. Prepare its successor now, which takes its place."
        tell_admins(envelope, f"{envelope} ends soon: prepare its successor", words, "warned", at)
    return True


def _ask_again(envelope: Envelope, at: datetime) -> bool:
    with transaction.atomic():
        rows = Envelope.objects.filter(pk=envelope.pk, asked_again_at__isnull=True)
        if not rows.update(asked_again_at=at):
            return False
        if envelope.printed_at is not None and not envelope.successors.exists():
            words = (
                "Its time is over and its access ends. The paper in the safe opens nothing any more: prepare a new one."
            )
            tell_admins(envelope, f"{envelope} has ended: a new one is needed", words, "ended", at)
    return True
