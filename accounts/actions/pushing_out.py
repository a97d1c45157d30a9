"""A directory that disables very many people at once is heeded, and the admins hear of it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from accounts.actions.letters import write_letter
from accounts.actions.rules import record
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import Letter, User
from accounts.queries import admins
from audit.actor import Actor

WITHIN = timedelta(minutes=1)
_log = logging.getLogger(__name__)


def note_pushed_out(user: User, *, actor: Actor, at: datetime) -> None:
    """Raise the alarm when more people than the settings say were disabled within a minute; once a minute.

    In the caller's transaction. Nothing is held back: a push that disables is right more often than it is wrong.
    """
    count = User.objects.filter(pushed_out=True, disabled_at__gt=at - WITHIN).count()
    if count <= settings.SCIM_DISABLES_PER_MINUTE:
        return
    told = list(admins())
    latest = Letter.objects.filter(to__in=told, kind=LetterKind.PUSHED_OUT, created_at__gt=at - WITHIN)
    if told and latest.exists():
        return
    details = {"within_a_minute": count, "limit": settings.SCIM_DISABLES_PER_MINUTE}
    record("user.many_pushed_out", user, actor, details, at)
    _log.warning("%s people were disabled by %s within a minute", count, actor.name)
    context = {
        "count": count,
        "by": actor.name,
        "url": f"{address_of('admin:accounts_user_changelist')}?is_active__exact=0",
    }
    for admin in told:
        write_letter(
            to=admin,
            kind=LetterKind.PUSHED_OUT,
            subject=f"The directory disabled {count} people within a minute",
            template="pushed_out",
            context=context,
            key=f"pushed_out:{at:%Y%m%d%H%M%S%f}:{admin.pk}",
            at=at,
        )
