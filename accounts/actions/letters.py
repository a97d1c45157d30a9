"""Letters: written as rows in the caller's transaction, sent by the sweep outside of any, at least once."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

import audit.actions
from accounts import letters, post
from accounts.actions.rules import BadValue, NotAllowed, check, is_self, record, require
from accounts.actions.sign_in import LINK_IN_LETTERS, LINK_LASTS, make_sign_in_link
from accounts.choices import LETTERS_TO_CHOOSE, LETTERS_WAITING, LetterKind, LetterState
from accounts.letters import Attachment
from accounts.models import Letter, User
from audit.actions import Subject
from audit.actor import Actor, system

log = logging.getLogger(__name__)

# Longer than one letter may take: every answer of the server may take EMAIL_TIMEOUT.
LEASE = timedelta(minutes=10)
# After a failure: one minute, two, four, … at most an hour.
_FIRST_WAIT, _LONGEST_WAIT = 60, 3600
# Then it is given up, loudly.
GIVE_UP_AFTER = timedelta(days=3)
BODY_KEPT = timedelta(days=30)
ATTACHMENT_MAX = 10 * 2**20
BATCH = 200


def write_letter(
    *,
    to: User,
    kind: LetterKind,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    key: str,
    attachment: Attachment | None = None,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> Letter | None:
    """Write a letter into the outbox, in the caller's transaction; nothing is sent in here.

    `template` names templates/mail/<template>.txt and .html; `context` is plain data (accounts.letters), never anything
    secret. The same `key` again returns the letter that is there. None for who is disabled or chose not to get it.
    Raises RuntimeError outside a transaction, BadValue for an attachment that is too big, TypeError for what is no
    plain data.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"Letter {key!r} needs the transaction of what it tells: wrap both in atomic().")
    if attachment is not None and len(attachment.content) > ATTACHMENT_MAX:
        raise BadValue(f"{attachment.name} is larger than {ATTACHMENT_MAX // 2**20} MB; send a link instead.")
    there = Letter.objects.filter(key=key).first()
    if there is not None or not to.is_active or kind in to.letters_off:
        return there
    line, moment = letters.one_line(subject, letters.SUBJECT_MAX), at or timezone.now()
    text, html = letters.compose(template, context, subject=line, to=to)
    letter, _ = Letter.objects.get_or_create(
        key=key,
        defaults={
            "to": to,
            "address": to.email,
            "kind": kind,
            "subject": line,
            "text": text,
            "html": html,
            "attachment": attachment.content if attachment else None,
            "attachment_name": letters.one_line(attachment.name, 200) if attachment else "",
            "attachment_type": attachment.type if attachment else "",
            "message_id": new_message_id(moment),
            "created_at": moment,
            "next_try_at": moment,
            "give_up_at": moment + GIVE_UP_AFTER,
            "expires_at": expires_at,
        },
    )
    transaction.on_commit(_ring, robust=True)
    return letter


def new_message_id(at: datetime) -> str:
    """Return a Message-ID, without its brackets: it sorts by time and is ours alone."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"{at:%Y%m%d-%H%M%S}.{uuid.uuid4().hex}@{host}"


def _ring() -> None:
    # Imported here: tasks import actions.
    from accounts.tasks import sweep_letters  # noqa: PLC0415

    sweep_letters.delay()


def send_letters(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Send what is due, oldest first, and return how many left. Not in a transaction: it talks to a mail server.

    Each letter is claimed by compare-and-swap, so of two senders one sends it. When the server itself is in trouble the
    rest waits for the next sweep: one letter at a time finds out whether it is well again.
    """
    due = Letter.objects.filter(state__in=LETTERS_WAITING, next_try_at__lte=at or timezone.now())
    sent = 0
    with post.Way() as way:
        for pk in list(due.order_by("next_try_at", "pk").values_list("pk", flat=True)[:limit]):
            letter = _claim(pk, at or timezone.now())
            if letter is None:
                continue
            trouble = _send(letter, way)
            if trouble is None:
                sent += _settle(letter, LetterState.SENT, at or timezone.now())
            else:
                _failed(letter, trouble, at or timezone.now())
            if trouble is not None and trouble.everywhere:
                break
    return sent


def _claim(pk: int, at: datetime) -> Letter | None:
    """Take a letter for this sender; None when another has it, or when it is of no use any more."""
    letter = Letter.objects.select_related("to").filter(pk=pk, state__in=LETTERS_WAITING, next_try_at__lte=at).first()
    if letter is None:
        return None
    mine = Letter.objects.filter(pk=pk, state__in=LETTERS_WAITING, next_try_at=letter.next_try_at).update(
        state=LetterState.SENDING, next_try_at=at + LEASE, tries=F("tries") + 1, address=letter.to.email
    )
    if not mine:
        return None
    letter.state, letter.next_try_at, letter.tries = LetterState.SENDING, at + LEASE, letter.tries + 1
    letter.address = letter.to.email
    if not letter.to.is_active or letter.kind in letter.to.letters_off or _is_old_news(letter, at):
        _settle(letter, LetterState.DROPPED, at)
        return None
    return letter


def _is_old_news(letter: Letter, at: datetime) -> bool:
    return letter.expires_at is not None and letter.expires_at <= at


def _send(letter: Letter, way: post.Way) -> post.Trouble | None:
    """Hand the letter over; return what went wrong, if something did."""
    attachment = None
    if letter.attachment is not None:
        attachment = Attachment(letter.attachment_name, letter.attachment_type, bytes(letter.attachment))
    try:
        text, html = _with_link(letter)
        way.send(
            post.message(
                to=letter.address,
                subject=letter.subject,
                text=text,
                html=html,
                message_id=letter.message_id,
                attachment=attachment,
            )
        )
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this letter's, and the next one must leave
        return post.trouble_of(error)
    return None


def _with_link(letter: Letter) -> tuple[str, str]:
    """Return text and HTML; an invitation with a link to sign in that is made now and kept nowhere."""
    if letter.kind != LetterKind.INVITATION:
        return letter.text, letter.html
    token = make_sign_in_link(letter.to, minutes=LINK_LASTS)
    return letter.text.replace(LINK_IN_LETTERS, token), letter.html.replace(LINK_IN_LETTERS, token)


def _settle(letter: Letter, state: LetterState, at: datetime, error: str = "") -> bool:
    """Write down what became of a letter. What was sent is sent, whoever has taken it over meanwhile."""
    rows = Letter.objects.filter(pk=letter.pk, state__in=LETTERS_WAITING)
    return bool(rows.update(state=state, settled_at=at, last_error=error))


def _failed(letter: Letter, trouble: post.Trouble, at: datetime) -> None:
    """Try again later, or give the letter up: at once when trying again would not help, else after three days."""
    if trouble.final or at >= letter.give_up_at:
        _give_up(letter, trouble.words, at)
        return
    wait = min(_FIRST_WAIT * 2 ** min(letter.tries - 1, 20), _LONGEST_WAIT)
    # Only while it is ours: after the lease another may be sending it.
    mine = Letter.objects.filter(pk=letter.pk, state=LetterState.SENDING, next_try_at=letter.next_try_at)
    mine.update(state=LetterState.QUEUED, next_try_at=at + timedelta(seconds=wait), last_error=trouble.words[:500])
    log.warning("Letter %s waits %s s for another try: %s", letter.pk, wait, trouble.words)


def _give_up(letter: Letter, words: str, at: datetime) -> None:
    with transaction.atomic():
        if _settle(letter, LetterState.FAILED, at, words[:500]):
            details = {"kind": letter.kind, "tries": letter.tries, "error": words}
            audit.actions.record("letter.given_up", actor=system(), subject=_subject(letter), details=details, at=at)
            log.error("Letter %s to %s was given up: %s", letter.pk, letter.address, words)


def drop_letter(letter: Letter, *, at: datetime | None = None) -> bool:
    """Take a letter back that is no news any more; False when it has left, or is just leaving."""
    queued = Letter.objects.filter(pk=letter.pk, state=LetterState.QUEUED)
    return bool(queued.update(state=LetterState.DROPPED, settled_at=at or timezone.now()))


def retry_letter(letter: Letter, *, actor: Actor, at: datetime | None = None) -> bool:
    """Have a letter that was given up, or that waits, sent now. False for one that is settled otherwise or emptied.

    Raises NotAllowed.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.retry_letter")
        rows = Letter.objects.filter(pk=letter.pk, state__in=[LetterState.QUEUED, LetterState.FAILED]).exclude(text="")
        again = {"next_try_at": moment, "give_up_at": moment + GIVE_UP_AFTER, "tries": 0}
        if not rows.update(state=LetterState.QUEUED, settled_at=None, **again):
            return False
        audit.actions.record("letter.retried", actor=actor, subject=_subject(letter), at=moment)
        transaction.on_commit(_ring, robust=True)
    return True


def tidy_letters(*, at: datetime | None = None, limit: int = 1000) -> int:
    """Empty letters that were settled thirty days ago: what they told is in the records, for who may see those."""
    before = (at or timezone.now()) - BODY_KEPT
    old = Letter.objects.filter(settled_at__lte=before).exclude(text="").order_by("settled_at")
    pks = list(old.values_list("pk", flat=True)[:limit])
    return Letter.objects.filter(pk__in=pks).update(text="", html="", attachment=None)


def choose_letters(user: User, off: set[LetterKind], *, actor: Actor) -> None:
    """Choose which kinds of letters not to get. Raises NotAllowed, BadValue for what is not the person’s to choose."""
    if wrong := off - set(LETTERS_TO_CHOOSE):
        raise BadValue(f"Nobody chooses about: {', '.join(LetterKind(kind).label for kind in wrong)}.")
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("Which letters one gets is the person’s own choice.")
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        before, stored.letters_off = stored.letters_off, sorted(off)
        check(stored, "letters_off")
        if before != stored.letters_off:
            stored.save(update_fields=["letters_off"])
            record("user.profile_edited", stored, actor, {"changed": {"letters_off": [before, stored.letters_off]}})
    user.letters_off = stored.letters_off


def _subject(letter: Letter) -> Subject:
    """Return the snapshot of a letter that an audit entry keeps: its subject names no more than a request does."""
    return Subject("letter", str(letter.pk), f"{letter.subject} (to {letter.address})")
