"""The next thing to try: for each person and page, told from how things really stand."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from access_requests.choices import FINAL, WAITING, RequestState
from access_requests.models import AccessRequest
from access_requests.queries import task_count
from accounts.models import User
from demo import folder, people, policy
from demo.people import FACES, Face

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
    last = _latest(user)
    if last is None:
        return _first_ask(page)
    here = page == "request_page" and shown == last.pk
    if last.state == RequestState.ACTIVE:
        return _use(here, last)
    if last.state in WAITING:
        words = f"{last} waits for an approver. Become one, and answer it."
        return Hint(words, become=_BY_EMAIL[people.APPROVER])
    if last.state not in FINAL:
        words = "It moves by itself: the connector is at the server, and the page follows."
        return Hint(words, *_to(last, here))
    return _after(last, page, here)


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
        return Hint(f"{last} is active: go in and look around.", *_to(last, here))
    where = "" if shutil.which("psql") else " (the console says where psql is)"
    return Hint(
        f"Copy the command into a terminal{where}, show the password once, and type it there. Find what is stuck. "
        "Then press I’m done, and see what becomes of your open session.",
        typing="SELECT number, total, placed_at FROM orders WHERE state = 'stuck';"
        if last.flow_name == policy.ON_CALL
        else "SELECT * FROM postings ORDER BY number DESC LIMIT 5;",
    )


def _after(last: AccessRequest, page: str, here: bool) -> Hint:
    """After the end: the proof, then the other way, then the other people."""
    if last.flow_name != policy.ON_CALL:
        words = "That was the whole story. See how it looks to whoever has to account for it."
        return Hint(words, become=_BY_EMAIL[people.AUDITOR])
    if page == "new_request":
        return Hint("Choose ledger, read and write. This one takes a yes from Sam Birch, who leads your team.")
    shut = "The server was read back, and nothing is left: the proof is on this page. " if here else ""
    link = f"{reverse('new_request')}?q=ledger"
    return Hint(f"{shut}Now ask for the ledger, read and write: that takes an approver.", link, "Ask for the ledger")


def _to(request: AccessRequest, here: bool) -> tuple[str, str]:
    return ("", "") if here else (reverse("request_page", args=[request.pk]), f"Open {request}")


def _approver(user: User, page: str) -> Hint:
    waiting = task_count(user)
    if not waiting:
        words = "Nothing waits for you. As the engineer, ask for the ledger, read and write; it lands here."
        return Hint(words, become=_BY_EMAIL[people.ENGINEER])
    if page == "my_tasks":
        return Hint("Each one says who asks, for what, and why you. Approve one; reject another, with a reason.")
    count = "One request waits" if waiting == 1 else f"{waiting} requests wait"
    return Hint(f"{count} for your answer.", reverse("my_tasks"), "My tasks")


def _admin(page: str) -> Hint:
    match page:
        case "flows_accessflow_changelist" | "flows_accessflow_change":
            words = f"Open “{policy.ON_CALL}”: every flow reads back as one sentence, and each save is a version."
            return Hint(words)
        case "integrations_integration_changelist" | "integrations_integration_change":
            words = f"{policy.REAL} is real: open it to see what was found, and which programs ran there."
            return Hint(words)
        case "requests_accessrequest_changelist" | "requests_accessrequest_change":
            words = "Two weeks ago a system was down when access ended: find what was overdue, and how it was proven."
            return Hint(words)
    flows = _reverse("admin:flows_accessflow_changelist")
    words = "The month before today is made up, and marked so in the audit. See the policy that it followed."
    return Hint(words, flows, "Access flows")


def _auditor(page: str) -> Hint:
    if page.startswith("audit_"):
        return Hint(
            "Every entry of the invented month has the source Demo; what you did has not. Whether anything was changed "
            "behind its back, the chain tells:",
            typing=_verify(),
        )
    link = _reverse("admin:audit_auditentry_changelist")
    return Hint("You may read everything and change nothing. Begin with the trail.", link, "Audit")


def _verify() -> str:
    """Return the command that walks the chain of this demo."""
    elsewhere = "" if settings.DATA == folder.DEFAULT else f"LATCHKEY_DATA={shlex.quote(str(settings.DATA))} "
    return f"{elsewhere}.venv-demo/bin/python -m demo audit verify"


def _support(page: str) -> Hint:
    if page == "new_request":
        return Hint("Customer records are all you may ask for: what no flow gives you is not even named here.")
    words = "You are in support: what you may not ask for, and what others asked for, does not exist for you."
    return Hint(words, reverse("new_request"), "See what you may ask for")


def _reverse(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
