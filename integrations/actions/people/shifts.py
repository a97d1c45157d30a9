"""Who is on which shift: kept as the schedule tells it, and said of people by an attribute while the shift runs.

So a condition on a shift is one on an attribute, like every other, and its end needs no schedule that answers.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions import Refused
from accounts.models import User
from connectors.registry import BUILT_IN
from integrations.actions.people.persons import give_attributes
from integrations.actions.people.work import Work
from integrations.models import Integration, Origin, Shift, StagedFact, SyncRun


def take(work: Work, rows: list[StagedFact]) -> None:
    """Keep shifts of people who are here; by their id there, or by their address."""
    known = {key: origin.user for key, origin in work.people(row.other for row in rows).items()}
    addresses = {row.other.strip().lower() for row in rows if "@" in row.other}
    by_address = {user.email: user for user in User.objects.filter(email__in=addresses)}
    strangers = set()
    for row in rows:
        user = known.get(row.other) or by_address.get(row.other.strip().lower())
        times = _moment(row.data["starts_at"]), _moment(row.data["ends_at"])
        if user is None:
            strangers.add(row.other)
        elif times[0] is not None and times[1] is not None and times[0] < times[1]:
            name = (row.data["name"] or row.key)[:300]
            Shift.objects.create(
                integration=work.integration, user=user, name=name, starts_at=times[0], ends_at=times[1], run=work.run
            )
    for one in sorted(strangers):
        work.warn(f"{one} is on a shift and nobody here.")


def sweep_shifts(*, at: datetime | None = None) -> int:
    """Say of everybody on which shifts they are now; return how many people that changed."""
    moment = at or timezone.now()
    kinds = [id_ for id_, one in BUILT_IN.manifests().items() if one.shift_type]
    rows = Integration.objects.filter(type__in=kinds, directory__isnull=False).select_related("directory")
    return sum(settle(one, at=moment) for one in rows)


def settle(integration: Integration, *, at: datetime) -> int:
    """Make the attributes of shifts of one schedule what is true at `at`; return how many people that changed."""
    kind = BUILT_IN.manifest(integration.type).shift_type
    wanted: dict[User, set[tuple[str, str]]] = defaultdict(set)
    for shift in Shift.objects.filter(integration=integration, starts_at__lte=at, ends_at__gt=at).select_related(
        "user"
    ):
        wanted[shift.user].add((kind, shift.name))
    said: dict[User, set[tuple[str, str]]] = defaultdict(set)
    rows = Origin.objects.filter(integration=integration, attribute__type=kind).select_related("attribute__user")
    for origin in rows:
        if origin.attribute is not None and origin.told.get("shift"):
            said[origin.attribute.user].add((kind, origin.attribute.value))
    people = [user for user in {**wanted, **said} if wanted.get(user, set()) != said.get(user, set())]
    if people:
        run = SyncRun(integration=integration)
        work = Work.of(run, at)
        for user in people:
            _settle(work, user, wanted.get(user, set()))
    return len(people)


def _settle(work: Work, user: User, wanted: set[tuple[str, str]]) -> None:
    try:
        with transaction.atomic():
            give_attributes(work, user, wanted, shifts=True)
    except Refused as refused:
        work.warn(f"{user.email}: {refused}")


def _moment(text: str) -> datetime | None:
    """Return a moment with its zone; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
