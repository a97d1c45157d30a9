"""The next thing to try: for each person and page, told from how things really stand."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from access_requests.choices import FINAL, WAITING, RequestState
from access_requests.models import AccessRequest
from access_requests.queries import task_count
from accounts.models import User
from demo import folder, people, policy
from demo.people import FACES, Face
from flows.models import AccessFlow
from integrations.models import Integration

# The page with a password on it: whoever leaves it never sees that password again.
SHOWN_ONCE = "show_password"
# How the provider's warning about an old server begins.
OLD = "Up to PostgreSQL 15"
_BY_EMAIL = {face.email: face for face in FACES}


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to try: words, maybe something to type, where it leads, and whom to be for it."""

    words: str
    link: str = ""
    label: str = ""
    typing: str = ""
    become: Face | None = None


def hint_for(http: HttpRequest) -> Hint | None:
    """Return what to try next, here; None for somebody without a part in the story."""
    user, match = http.user, http.resolver_match
    if not isinstance(user, User) or user.email not in _BY_EMAIL or match is None:
        return None
    page, shown = str(match.url_name or ""), match.kwargs.get("pk")
    match user.email:
        case people.ENGINEER:
            return _engineer(user, page, shown)
        case people.APPROVER:
            return _approver(user, page)
        case people.ADMIN:
            return _admin(page)
        case people.AUDITOR:
            return _auditor(page)
    return _support(page)


def _latest(user: User) -> AccessRequest | None:
    """Return the person's latest request on the real server."""
    mine = AccessRequest.objects.filter(grantee=user, access_groups__integration__name=policy.REAL)
    return mine.select_related("flow_version").order_by("-pk").first()


def _engineer(user: User, page: str, shown: Any) -> Hint:
    if page == SHOWN_ONCE:
        return _use(True, AccessRequest.objects.select_related("flow_version").get(pk=shown))
    last = _latest(user)
    if last is None:
        return _first_ask(page)
    here = page == "request_page" and shown == last.pk
    if last.state in WAITING:
        words = f"{last} waits for an approver. Become one, and answer it."
        return Hint(words, become=_BY_EMAIL[people.APPROVER])
    # The rest of the page follows by itself while this stands: what comes next is said a step ahead.
    if last.state in FINAL or last.state == RequestState.REVOKING:
        return _after(last, page, here)
    return _use(here, last)


def _first_ask(page: str) -> Hint:
    if page == "new_request":
        return Hint(
            "Choose orders, read only, say why, and send it. Before you send, the page says whose approval it takes: "
            "nobody’s, for you are on call."
        )
    link = reverse("new_request")
    return Hint("Ask for the database orders, read only: it opens at once.", f"{link}?q=orders", "Ask for orders")


def _use(here: bool, last: AccessRequest) -> Hint:
    if not here:
        return Hint(
            f"{last} is open to you: go in and look around.", reverse("request_page", args=[last.pk]), str(last)
        )
    where = "" if shutil.which("psql") else " (the console says where psql is)"
    return Hint(
        f"Copy the command into a terminal{where}, show the password once, and paste it: psql shows nothing while you "
        "do. Try the line below. Then press I’m done, which asks once more, and try it again: psql then answers "
        "“password authentication failed”.",
        typing="SELECT number, total, placed_at FROM orders WHERE state = 'stuck';"
        if last.flow_name == policy.ON_CALL
        else "SELECT * FROM postings ORDER BY number DESC LIMIT 5;",
    )


def _after(last: AccessRequest, page: str, here: bool) -> Hint:
    """At the end: the proof, then the other way, then the other people."""
    if last.flow_name != policy.ON_CALL:
        words = "That was the whole story. See how it looks to whoever has to account for it."
        return Hint(words, become=_BY_EMAIL[people.AUDITOR])
    if page == "new_request":
        return Hint(
            "Tick ledger, then choose Read and write in Your request: that takes a yes from Sam Birch, who leads your "
            "team. Read only opens at once."
        )
    shut = "The session is cut and the login shut; the proof of it is on this page. " if here else ""
    link = f"{reverse('new_request')}?q=ledger"
    return Hint(f"{shut}Now ask for the ledger, read and write: that takes an approver.", link, "Ask for the ledger")


def _approver(user: User, page: str) -> Hint:
    waiting = task_count(user)
    if not waiting:
        words = "Nothing waits for you. As the engineer, ask for the ledger, read and write; it lands here."
        return Hint(words, become=_BY_EMAIL[people.ENGINEER])
    if page == "my_tasks":
        return Hint(
            "Each one says who asks, for what, and why you. Approve one; give another less than asked "
            "by Approve less; reject one and say why."
        )
    count = "One request waits" if waiting == 1 else f"{waiting} requests wait"
    return Hint(f"{count} for your answer.", reverse("my_tasks"), "My tasks")


def _admin(page: str) -> Hint:
    """The policy, then the system, then a day on which something went wrong."""
    if page.startswith("flows_accessflow"):
        link = _to_row("admin:integrations_integration_change", Integration.objects.filter(name=policy.REAL))
        words = "Every flow reads back as one sentence, and each save is a version. Next, the system it is about."
        return Hint(words, link, policy.REAL)
    if page.startswith("integrations_"):
        link = _to_row("request_page", AccessRequest.objects.filter(overdue_since__isnull=False).order_by("pk"))
        words = (
            f"{policy.REAL} is real.{_warned()} One of the others was down when access was due to end: see what became "
            "of it."
        )
        return Hint(words, link, "The late end")
    if page == "request_page":
        return Hint("Due, ended, lag, and what was read back: every end has this.", *_to_audit())
    link = _to_row("admin:flows_accessflow_change", AccessFlow.objects.filter(name=policy.ON_CALL))
    warned = _warned() if page == "index" else ""
    words = f"The month before today is made up, and marked so in the audit.{warned} Begin with the policy it followed."
    return Hint(words, link, policy.ON_CALL)


def _warned() -> str:
    """Return what there is to say of the real server's warning: an old server earns it."""
    old = Integration.objects.filter(name=policy.REAL, status_reason__contains=OLD).exists()
    words = f" The warning of {policy.REAL} is honest: up to PostgreSQL 15, CREATEROLE is as good as superuser."
    return words if old else ""


def _auditor(page: str) -> Hint:
    if page.startswith("audit_"):
        return Hint(
            "Every entry of the invented month has the source Demo; what you did has not. Whether anything was changed "
            "behind its back, the chain tells:",
            typing=_verify(),
        )
    return Hint("You may read everything and change nothing. Begin with the trail.", *_to_audit())


def _verify() -> str:
    """Return the command that walks the chain of this demo."""
    elsewhere = "" if settings.DATA == folder.DEFAULT else f"LATCHKEY_DATA={shlex.quote(str(settings.DATA))} "
    return f"{elsewhere}.venv-demo/bin/python -m demo audit verify"


def _support(page: str) -> Hint:
    if page == "new_request":
        return Hint("Customer records are all you may ask for: what no flow gives you is not even named here.")
    words = "You are in support: what you may not ask for, and what others asked for, does not exist for you."
    return Hint(words, reverse("new_request"), "See what you may ask for")


def _to_audit() -> tuple[str, str]:
    return reverse("admin:audit_auditentry_changelist"), "Audit"


def _to_row(page: str, rows: QuerySet[Any]) -> str:
    """Return the address of the first row's page; nothing when there is none."""
    first = rows.values_list("pk", flat=True).first()
    return reverse(page, args=[first]) if first is not None else ""
