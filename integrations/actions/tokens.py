"""Tokens of remote connectors: made (shown once), revoked at once, and looked up when an instance calls."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from integrations.actions.connectors import NAME_MAX, BadName
from integrations.choices import ConnectorKind
from integrations.events import cut_links
from integrations.models import Connector, ConnectorToken

PREFIX_BYTES, SECRET_BYTES = 5, 32
_FORM = re.compile(r"lkc_([0-9a-f]{10})_[A-Za-z0-9_-]{43}", re.ASCII)
# The row is not written at every heartbeat of every instance.
USED_EVERY = timedelta(seconds=60)


class NotRemote(ValueError):
    """A connector in this server needs no token, for nothing calls."""


def create_connector(name: str, *, actor: Actor, at: datetime | None = None) -> Connector:
    """Make a remote connector. Raises BadName."""
    require(actor, "integrations.add_connector")
    wanted = name.strip()
    if not wanted or len(wanted) > NAME_MAX:
        raise BadName(f"A name has 1 to {NAME_MAX} characters.")
    moment = at or timezone.now()
    try:
        with transaction.atomic():
            row = Connector.objects.create(name=wanted, kind=ConnectorKind.REMOTE, created_at=moment)
            record("connector.created", actor=actor, subject=_subject(row), at=moment)
    except IntegrityError as error:
        raise BadName("Another connector has this name. Choose a different one.") from error
    return row


def make_token(
    connector: Connector, *, actor: Actor, expires_at: datetime | None = None, at: datetime | None = None
) -> str:
    """Make a further token for a remote connector and return it: this is the only time it can be seen.

    Raises NotRemote. Earlier tokens go on working until they are revoked, so one can be replaced without a gap.
    """
    require(actor, "integrations.change_connector")
    if connector.kind != ConnectorKind.REMOTE:
        raise NotRemote("The connector in this server needs no token.")
    prefix, moment = secrets.token_hex(PREFIX_BYTES), at or timezone.now()
    token = f"lkc_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    with transaction.atomic():
        ConnectorToken.objects.create(
            connector=connector,
            prefix=prefix,
            digest=_digest(token),
            created_at=moment,
            created_by=(actor.email or actor.name)[:200],
            expires_at=expires_at,
        )
        details = {"prefix": prefix, "expires_at": expires_at.isoformat() if expires_at else None}
        record("connector.token_made", actor=actor, subject=_subject(connector), details=details, at=moment)
    return token


def revoke_token(token: ConnectorToken, *, actor: Actor, at: datetime | None = None) -> bool:
    """Revoke a token: from now on nobody gets in with it, and who is in with it is cut off. False: it was before."""
    require(actor, "integrations.change_connector")
    moment = at or timezone.now()
    with transaction.atomic():
        if not ConnectorToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=moment):
            return False
        subject, details = _subject(token.connector), {"prefix": token.prefix}
        record("connector.token_revoked", actor=actor, subject=subject, details=details, at=moment)
        cut_links(token.connector_id)
    return True


def admit(text: str, *, at: datetime | None = None) -> ConnectorToken | None:
    """Return the token that `text` is, with its connector, when it lets somebody in now; None otherwise."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    row = ConnectorToken.objects.select_related("connector").filter(prefix=form[1]).first()
    moment = at or timezone.now()
    if row is None or not hmac.compare_digest(row.digest, _digest(text)) or not holds(row, at=moment):
        return None
    _used(row.pk, moment)
    return row


def holds(token: ConnectorToken, *, at: datetime) -> bool:
    """Whether the row, as it was read, lets somebody in."""
    in_time = token.expires_at is None or token.expires_at > at
    return token.revoked_at is None and in_time and token.connector.kind == ConnectorKind.REMOTE


def still_holds(token_id: int, *, at: datetime | None = None) -> bool:
    """Whether a token that let somebody in does so still: asked again at every heartbeat."""
    row = ConnectorToken.objects.select_related("connector").filter(pk=token_id).first()
    if row is None or not holds(row, at=at or timezone.now()):
        return False
    _used(row.pk, at or timezone.now())
    return True


def _used(token_id: int, at: datetime) -> None:
    """Note that a token is in use, at most once a minute."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - USED_EVERY)
    ConnectorToken.objects.filter(stale, pk=token_id).update(last_used_at=at)


def _digest(token: str) -> str:
    """Return what is kept of a token. It is long and random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _subject(connector: Connector) -> Subject:
    return Subject("connector", str(connector.pk), connector.name)
