"""Changes of groups in the admin site: what follows is shown before they are made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import Group, GroupMembership, User
from accounts.regrouping import Foretold, Regrouped, foretold

# The button that saves anyway has the digest of what was shown; the other one only asks.
SURE, ASK = "_sure", "_whatif"
# Never sent back into a page.
_NOT_SENT_BACK = "new_password"


class Unsure(Exception):
    """A change by which somebody loses something, or whose effect was asked for: nothing of it is saved."""

    def __init__(self, shown: list[Foretold], digest: str) -> None:
        """Keep what would follow."""
        super().__init__("Look at what changes first.")
        self.shown, self.digest = shown, digest


def look_first(request: HttpRequest, changes: Iterable[Regrouped]) -> None:
    """Raise Unsure when somebody loses something by the changes, unless that was shown and said yes to."""
    real = [one for one in changes if one.changes]
    digest = hashlib.sha256(" ".join(sorted(one.digest for one in real)).encode()).hexdigest()
    if request.POST.get(SURE) == digest:
        return
    shown = [told for one in real for told in foretold(one, request.user)]
    if ASK in request.POST or any(one.costs for one in shown):
        raise Unsure(shown, digest)


def ask(request: HttpRequest, unsure: Unsure, context: dict[str, Any]) -> HttpResponse:
    """Show what would follow, with all that was sent, so that one button saves it."""
    sent = [
        (name, value)
        for name in request.POST
        if name not in {SURE, ASK, _NOT_SENT_BACK, "csrfmiddlewaretoken"}
        for value in request.POST.getlist(name)
    ]
    told = {
        **context,
        "title": "What changes",
        "shown": unsure.shown,
        "digest": unsure.digest,
        "sent": sent,
        "password_lost": bool(request.POST.get(_NOT_SENT_BACK)),
        "costs": any(one.costs for one in unsure.shown),
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/accounts/what_changes.html", told, status=409 if told["costs"] else 200)


def of_group(group: Group, name: str, formsets: Iterable[Any]) -> list[Regrouped]:
    """Return the change of a group that its page was sent with; `group` has the new name already."""
    stored = Group.objects.get(pk=group.pk)
    joining: set[str] = set()
    leaving: set[str] = set()
    for member, is_new in _moved(formsets):
        (joining if is_new else leaving).add(str(member.user_id))
    both = joining & leaving
    return [Regrouped(str(stored.pk), stored.name, name, frozenset(joining - both), frozenset(leaving - both))]


def of_person(user: User, formsets: Iterable[Any]) -> list[Regrouped]:
    """Return the changes of groups that a person's page was sent with."""
    own, found = frozenset([str(user.pk)]), []
    for member, is_new in _moved(formsets):
        group = member.group
        told = {"joining": own} if is_new else {"leaving": own}
        found.append(Regrouped(str(group.pk), group.name, group.name, **told))
    return found


def _moved(formsets: Iterable[Any]) -> Iterator[tuple[GroupMembership, bool]]:
    """Yield memberships that end (False) and that begin (True); one that is changed ends and begins."""
    for formset in formsets:
        if formset.model is not GroupMembership:
            continue
        gone = [one.instance.pk for one in formset.initial_forms if one in formset.deleted_forms or one.has_changed()]
        for member in GroupMembership.objects.filter(pk__in=gone).select_related("group", "user"):
            yield member, False
        for one in formset.forms:
            if one.has_changed() and one not in formset.deleted_forms:
                row = one.cleaned_data
                yield GroupMembership(group=row["group"], user=row["user"]), True
