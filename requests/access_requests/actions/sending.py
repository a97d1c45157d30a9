"""Sending the form of a new request: once, however often it is sent."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.asking import Wish, ask
from access_requests.models import AccessRequest, SentForm
from accounts.models import User
from audit.actor import Actor

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a form. `before`: it had been sent already; `other`: then, with something else in it."""

    requests: tuple[AccessRequest, ...]
    before: bool = False
    other: bool = False


def send(
    requestor: User,
    pairs: Iterable[tuple[int, int]],
    *,
    token: uuid.UUID,
    actor: Actor,
    grantee: User | None = None,
    wish: Wish | None = None,
    mfa_at: datetime | None = None,
    at: datetime | None = None,
    **wished: Any,
) -> Sent:
    """Ask as `ask` does, once per token: sent again, the form returns the requests that it became.

    Of two at the same moment the database lets one write the token; the other waits for it. Raises BadAsk; then the
    token is free again.
    """
    moment, wanted, told = at or timezone.now(), list(dict.fromkeys(pairs)), wish or Wish(**wished)
    digest = _digest(wanted, grantee or requestor, told)
    with transaction.atomic():
        form, new = SentForm.objects.get_or_create(
            requestor=requestor, token=token, defaults={"digest": digest, "sent_at": moment}
        )
        if not new:
            found = AccessRequest.objects.filter(pk__in=form.requests, requestor=requestor).order_by("pk")
            return Sent(tuple(found), before=True, other=form.digest != digest)
        made = ask(requestor, wanted, actor=actor, grantee=grantee, wish=told, mfa_at=mfa_at, at=moment)
        form.requests = [request.pk for request in made]
        form.save(update_fields=["requests"])
        SentForm.objects.filter(requestor=requestor, sent_at__lt=moment - KEPT).delete()
    return Sent(tuple(made))


def _digest(pairs: list[tuple[int, int]], grantee: User, wish: Wish) -> str:
    """Return the SHA-256 of what was asked: the same token with other content is another ask."""
    answers = sorted((key, value.strip()) for key, value in wish.answers.items() if value.strip())
    plain = [wish.justification.strip(), wish.ticket.strip(), wish.break_glass, answers]
    said = json.dumps([sorted(pairs), str(grantee.pk), wish.duration_seconds, plain])
    return hashlib.sha256(said.encode()).hexdigest()
