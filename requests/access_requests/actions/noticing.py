"""What a read-back says of somebody at work with a sealed envelope. Nothing is ended by it: admins are told, loudly."""

from __future__ import annotations

from datetime import datetime

from access_requests.choices import RequestState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import Envelope
from access_requests.queries.envelopes import KEEP
from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import User
from accounts.queries import people_with
from audit.actions import record
from audit.actor import system
from integrations.models import Order


def notice_sessions(order: Order, person: User, *, at: datetime) -> bool:
    """Note sessions that are open on the account of a sealed envelope; admins hear of the first. The caller's lock.

    An order is about one person, and each envelope has its own, so whatever is open there is open on its account.
    """
    open_now = int((order.result.get("read_back") or {}).get("live_sessions") or 0)
    if not open_now:
        return False
    rows = Envelope.objects.filter(request__grantee=person, request__state=RequestState.ACTIVE)
    found = rows.select_related("request").first()
    if found is None:
        return False
    first = found.seen_at is None
    found.seen_at, found.last_seen_at = found.seen_at or at, at
    found.sessions_seen = max(found.sessions_seen, open_now)
    found.save(update_fields=["seen_at", "last_seen_at", "sessions_seen"])
    if first:
        details = {"envelope": found.number, "sessions": open_now, "integration": order.integration.name}
        record("envelope.session_seen", actor=system(), subject=subject_of(found.request), details=details, at=at)
        for admin in people_with(KEEP):
            _tell(found, order, admin, at)
    moved(found.request_id)
    return True


def _tell(found: Envelope, order: Order, to: User, at: datetime) -> None:
    words = (
        f"{order.integration.name} tells of open sessions on its account, and nobody has said that it was opened. If"
        " you know of it, say so on its page, which ends its access. If you do not, end it now."
    )
    context = {"name": str(found), "words": words, "what": [], "purpose": found.request.justification}
    context["url"] = address_of("envelope", found.number)
    subject = f"Somebody is at work with {found}"
    key = f"envelope:{found.pk}:seen:{to.pk}"
    write_letter(to=to, kind=LetterKind.ENVELOPE, subject=subject, template="envelope", context=context, key=key, at=at)
