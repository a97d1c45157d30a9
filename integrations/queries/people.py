"""What directories tell: how a sync stands, who would go by it, and where each fact about a person came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.choices import GroupSource
from accounts.models import Group, User
from audit.choices import ActorKind, Source
from audit.queries import Filters, matching, of_subject
from integrations.choices import SyncState
from integrations.models import Directory, Integration, Origin, SyncRun
from integrations.queries.uses import Panel

_ABOUT_PEOPLE = (
    *("user.created", "user.provisioned", "user.edited", "user.profile_edited", "user.disabled", "user.enabled"),
    *("user.attributes_set", "user.groups_told"),
)
_WARNINGS_SHOWN = 10


def directory_of(integration: Integration) -> Directory | None:
    """Return the settings of a directory; None for a system that access is given to. One query."""
    return Directory.objects.filter(integration=integration).first()


def waiting_run(integration: Integration) -> SyncRun | None:
    """Return the run of a directory that waits for somebody's yes."""
    return SyncRun.objects.filter(integration=integration, state=SyncState.WAITING).order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Failing:
    """How many syncs of a directory failed one after the other, since when, and what the last one said."""

    count: int
    since: datetime
    error: str


def failing(integration: Integration) -> Failing | None:
    """Return how a directory's latest syncs failed; None when the last one that ended did not. Two queries at most."""
    ended = SyncRun.objects.filter(integration=integration).exclude(state=SyncState.RUNNING)
    well = ended.exclude(state=SyncState.FAILED).order_by("-pk").values_list("pk", flat=True).first()
    bad = ended.filter(state=SyncState.FAILED, pk__gt=well or 0).order_by("pk")
    rows = list(bad.values_list("started_at", "error"))
    return Failing(len(rows), rows[0][0], rows[-1][1]) if rows else None


def people_panel(integration: Integration, user: Any) -> Panel | None:
    """Return what the page of a directory shows of its people."""
    row = directory_of(integration)
    if row is None:
        return None
    there = Origin.objects.filter(integration=integration, present=True)
    last = SyncRun.objects.filter(integration=integration).exclude(warnings=[]).order_by("-pk").first()
    told = {
        "integration": integration,
        "directory": row,
        "attributes": list(row.attributes.all()),
        "people": there.filter(user__isnull=False).count(),
        "groups": there.filter(group__isnull=False).count(),
        "waiting": waiting_run(integration),
        "failing": failing(integration),
        "warned": last,
        "warnings": last.warnings[:_WARNINGS_SHOWN] if last else [],
        "may": user.has_perm("integrations.change_integration") and user.has_perm("accounts.change_user"),
    }
    return Panel("admin/integrations/_people.html", told)


@dataclass(frozen=True, slots=True)
class Known:
    """One fact about a person: who said it last, how it came here, and when. No `at` where nobody wrote it down."""

    fact: str
    value: str
    source: str
    by: str
    at: datetime | None = None
    integration: Integration | None = None


def accounts_of(user: User) -> QuerySet[Origin]:
    """Return the person's accounts in directories."""
    return Origin.objects.filter(user=user).select_related("integration").order_by("integration__name")


def known_of(user: User) -> list[Known]:
    """Return every fact about a person with where it came from. A fixed number of queries."""
    told = _Entries(of_subject("user", str(user.pk)).filter(action__in=_ABOUT_PEOPLE))
    manager = f"{user.manager.name}, {user.manager.email}" if user.manager else "nobody"
    plain = [
        told.known("E-mail address", user.email, ("email",)),
        told.known("Name", user.name, ("name",)),
        told.known("Manager", manager, ("manager",)),
        told.known("May sign in", "yes" if user.is_active else "no", ("active",)),
    ]
    return [*plain, *_attributes(user, told), *_groups(user, told)]


class _Entries:
    """Who said what last, as the trail has it; directories are named by what they are called now."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self.last: dict[tuple[str, ...], Any] = {}
        for entry in entries:
            for key in _told_by(entry):
                self.last[key] = entry
        rows = Integration.objects.filter(directory__isnull=False)
        self.directories = {row.name: row for row in rows}

    def known(self, fact: str, value: str, key: tuple[str, ...]) -> Known:
        """Return a fact with its latest entry."""
        entry = self.last.get(key)
        if entry is None:
            return Known(fact, value, "not written down", "")
        directory = self.directories.get(entry.actor_name) if entry.actor_kind == ActorKind.SYSTEM else None
        return Known(fact, value, _how(entry, directory), entry.actor_name, entry.at, directory)


def _told_by(entry: Any) -> Iterable[tuple[str, ...]]:
    """Yield the facts that an entry says something of."""
    details = entry.details if isinstance(entry.details, dict) else {}
    if entry.action in {"user.created", "user.provisioned"}:
        yield from (("email",), ("name",), ("manager",), ("active",))
    elif entry.action in {"user.disabled", "user.enabled"}:
        yield ("active",)
    elif entry.action == "user.attributes_set":
        yield from (("attribute", *pair) for pair in details.get("added", []))
    elif entry.action == "user.groups_told":
        yield from (("group", name) for name in details.get("added", []))
    else:
        yield from ((name,) for name in details.get("changed", {}))


def _how(entry: Any, directory: Integration | None) -> str:
    """Return how a fact came here, in words."""
    if directory is not None:
        return "directory"
    if entry.actor_kind == ActorKind.USER:
        return "by hand"
    if entry.source == Source.API or entry.actor_kind != ActorKind.SYSTEM:
        return "push"
    return "claims at sign-in" if entry.actor_name.startswith("Single sign-on") else "the platform"


def _attributes(user: User, told: _Entries) -> list[Known]:
    """Return attributes; of those a directory said, the directory."""
    said: dict[int, Origin] = {}
    for one in Origin.objects.filter(attribute__user=user).select_related("integration"):
        said.setdefault(one.attribute_id or 0, one)
    found = []
    for row in user.attributes.order_by("type", "value"):
        origin = said.get(row.pk)
        if origin is not None:
            place, how = origin.integration, "shift" if origin.told.get("shift") else "directory"
            found.append(Known(row.type, row.value, how, place.name, origin.told_at, place))
        else:
            found.append(told.known(row.type, row.value, ("attribute", row.type, row.value)))
    return found


def _groups(user: User, told: _Entries) -> list[Known]:
    """Return memberships, by where their group comes from."""
    groups = list(Group.objects.filter(members=user).order_by("name"))
    rows = Origin.objects.filter(group__in=groups).select_related("integration")
    origins = {one.group_id: one for one in rows}
    entries = _put_in(user, groups)
    found = []
    for group in groups:
        origin, entry = origins.get(group.pk), entries.get(str(group.pk))
        if origin is not None:
            place = origin.integration
            found.append(Known("Group", group.name, "directory", place.name, origin.told_at, place))
        elif entry is not None:
            found.append(Known("Group", group.name, _how(entry, None), entry.actor_name, entry.at))
        elif group.source != GroupSource.LOCAL:
            found.append(told.known("Group", group.name, ("group", group.name)))
        else:
            found.append(Known("Group", group.name, "not written down", ""))
    return found


def _put_in(user: User, groups: Iterable[Group]) -> dict[str, Any]:
    """Return, by group, the latest entry that says somebody was put into it: by hand, or by a push of its members."""
    of = [str(one.pk) for one in groups]
    entries = matching(Filters(subject_type="group")).filter(subject_id__in=of)
    by_hand = Q(action="group.member_added", details__user__id=str(user.pk))
    # A push names many: the database looks for the address as a text, and what it finds is read. Of very many people
    # in one push the trail names the first only; of the others nobody wrote down more than that there were some.
    pushed = Q(action="group.members_pushed", as_text__contains=json.dumps(user.email))
    pushed |= Q(action="group.members_pushed", as_text__contains=f'"{user.email}"')
    found = entries.annotate(as_text=Cast("details", TextField())).filter(by_hand | pushed).order_by("id")
    return {entry.subject_id: entry for entry in found if _puts_in(entry, user)}


def _puts_in(entry: Any, user: User) -> bool:
    return entry.action == "group.member_added" or user.email in entry.details.get("added", [])
