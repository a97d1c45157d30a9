"""Verbs on people from outside: invited by somebody who answers for them, and for a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actions.letters import write_letter
from accounts.actions.people import put_user, shut_out
from accounts.actions.rules import BadValue, NotAllowed, record, require
from accounts.actions.sign_in import LINK_IN_LETTERS, LINK_LASTS
from accounts.choices import LetterKind, Role
from accounts.inviting import may_invite
from accounts.letters import address_of, lines
from accounts.models import User
from audit.actor import Actor, system
from audit.choices import ActorKind

LONGEST = timedelta(days=365)
NOTE_MAX = 500
# What the sweep does at once; the rest is the next one's.
BATCH = 500


def invite(
    email: str, name: str, leaves_at: datetime, *, actor: Actor, note: str = "", at: datetime | None = None
) -> User:
    """Let somebody in who is in no directory, until `leaves_at`, and write to them with a link to sign in.

    Whoever invites answers for them. Raises NotAllowed, BadValue, AlreadyThere.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        inviter = _inviter(actor)
        _check_end(leaves_at, moment)
        if len(note) > NOTE_MAX:
            raise BadValue(f"A note has at most {NOTE_MAX} characters.")
        user = User(email=email.strip().lower(), name=name.strip())
        user.is_outside, user.invited_by, user.leaves_at = True, inviter, leaves_at
        details = {"until": leaves_at.isoformat(), "note": note.strip()}
        put_user(user, "user.invited", details, actor=actor, roles=[Role.GRANTEE], at=moment)
        _write(user, inviter, note, moment)
    return user


def send_invitation(user: User, *, actor: Actor, at: datetime | None = None) -> None:
    """Write again to somebody who was invited, with a new link. Raises NotAllowed, BadValue for who has left."""
    moment = at or timezone.now()
    with transaction.atomic():
        stored = _answered_for(user, actor)
        if not stored.is_active:
            raise BadValue(f"{stored.name} has left.")
        record("user.link_sent", stored, actor, at=moment)
        _write(stored, _answering(stored), "", moment)


def extend_stay(user: User, leaves_at: datetime, *, actor: Actor, at: datetime | None = None) -> None:
    """Let somebody from outside stay until `leaves_at`. Who has left is let in again by an admin only.

    Raises NotAllowed, BadValue.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        stored = _answered_for(user, actor)
        _check_end(leaves_at, moment)
        if not stored.is_active and not _is_admin(actor):
            raise BadValue(f"{stored.name} has left. Ask an admin to let them in again.")
        before, stored.leaves_at = stored.leaves_at, leaves_at
        stored.save(update_fields=["leaves_at"])
        details = {"from": before.isoformat() if before else "", "to": leaves_at.isoformat()}
        record("user.stay_extended", stored, actor, details, moment)


def end_stay(user: User, *, actor: Actor, at: datetime | None = None) -> None:
    """Shut somebody from outside out now; their access ends. Nothing happens to who has left. Raises NotAllowed."""
    moment = at or timezone.now()
    with transaction.atomic():
        stored = _answered_for(user, actor)
        if stored.is_active:
            User.objects.filter(pk=stored.pk).update(leaves_at=moment)
            shut_out(stored, "user.stay_ended", actor=actor, at=moment)


def take_over(user: User, *, actor: Actor, at: datetime | None = None) -> None:
    """Answer for somebody from outside from now on: an admin. Raises NotAllowed, BadValue for who is from inside."""
    with transaction.atomic():
        require(actor, "accounts.change_user")
        admin = User.objects.filter(pk=actor.id).first() if actor.kind == ActorKind.USER else None
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if admin is None or not stored.is_outside or admin.is_outside:
            raise BadValue(f"Only a person answers for somebody from outside; {stored.name} is taken over by an admin.")
        before = _answering(stored)
        if before.pk == admin.pk:
            return
        stored.invited_by = admin
        stored.save(update_fields=["invited_by"])
        record("user.taken_over", stored, actor, {"from": before.email, "to": admin.email}, at)


def sweep_leaving(*, at: datetime | None = None) -> int:
    """Disable who was to leave by now, which ends their access; return how many."""
    moment, done = at or timezone.now(), 0
    due = User.objects.filter(leaves_at__lte=moment, is_active=True).order_by("leaves_at")
    for pk in list(due.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # Extended meanwhile: not due any more.
            user = User.objects.select_for_update(of=("self",)).filter(pk=pk, leaves_at__lte=moment).first()
            if user is not None:
                done += shut_out(user, "user.stay_ended", actor=system(), at=moment)
    return done


def _inviter(actor: Actor) -> User:
    """Return who invites. Raises NotAllowed for whom it is not given, and for the platform: it answers for nobody."""
    user = User.objects.filter(pk=actor.id, is_active=True).first() if actor.kind == ActorKind.USER else None
    if user is None or not may_invite(user):
        raise NotAllowed("Only an admin or the owner of an integration invites people from outside.")
    return user


def _answered_for(user: User, actor: Actor) -> User:
    """Lock and return the person. Raises NotAllowed unless the actor answers for them, or is an admin."""
    stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    own = actor.kind == ActorKind.USER and actor.id == str(stored.invited_by_id)
    active = own and User.objects.filter(pk=actor.id, is_active=True).exists()
    if not stored.is_outside or not (active or _is_admin(actor)):
        raise NotAllowed("You do not answer for this person.")
    return stored


def _is_admin(actor: Actor) -> bool:
    try:
        require(actor, "accounts.change_user")
    except NotAllowed:
        return False
    return True


def _answering(user: User) -> User:
    """Return who answers for somebody from outside; the database refuses such a person without."""
    if user.invited_by is None:
        raise BadValue(f"Nobody answers for {user.name}.")
    return user.invited_by


def _check_end(leaves_at: datetime, at: datetime) -> None:
    if leaves_at <= at:
        raise BadValue("Choose a day to come.")
    if leaves_at > at + LONGEST:
        raise BadValue(f"At most {LONGEST.days} days; you can extend it later.")


def _write(user: User, inviter: User, note: str, at: datetime) -> None:
    """Write the letter; the link in it is made when it leaves, so that no link that works lies anywhere."""
    context = {
        "inviter": f"{inviter.name}, {inviter.email}",
        "note": lines(note),
        "until": user.leaves_at,
        "link_url": address_of("sign_in_link", LINK_IN_LETTERS),
        "hours": LINK_LASTS // 60,
    }
    write_letter(
        to=user,
        kind=LetterKind.INVITATION,
        subject=f"{inviter.name} invites you to Latchkey",
        template="invitation",
        context=context,
        key=f"invitation:{user.pk}:{at:%Y%m%d%H%M%S%f}",
        expires_at=user.leaves_at,
        at=at,
    )
