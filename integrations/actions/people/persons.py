"""Takes over what a directory tells of single people: who they are, whether they are in, what is known of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

import accounts.actions
from accounts.actions import Refused, ToldPerson
from accounts.models import Attribute, User
from integrations.actions.people import groups
from integrations.actions.people.paths import values_at
from integrations.actions.people.reading import STEPS
from integrations.actions.people.work import Work
from integrations.choices import Told
from integrations.models import Origin, StagedFact


def take(work: Work, rows: list[StagedFact]) -> None:
    """Take over people; whose manager is told comes up again when all people are there."""
    known = work.people(row.key for row in rows)
    for row in rows:
        try:
            with transaction.atomic():
                origin = _take(work, row, known.get(row.key))
        except Refused as refused:
            work.warn(f"{row.data['email'] or row.key}: {refused}")
            continue
        if origin is not None:
            known[row.key] = origin
            if row.data["manager"] is not None:
                row.kind, row.step = Told.MANAGER, STEPS[Told.MANAGER]
                row.save(update_fields=["kind", "step"])
                work.kept.add(row.pk)


def _take(work: Work, row: StagedFact, origin: Origin | None) -> Origin | None:
    """Take over one person; None when nothing is new, or nobody here is meant."""
    digest = work.digest(row.data)
    if not row.active:
        if origin is not None and origin.present:
            _go(work, origin, digest)
        return None
    if origin is not None and origin.present and origin.digest == digest:
        return None
    user = _person(work, row, origin)
    if user is None:
        return None
    origin = origin or _linked(work, row, user)
    returned = not origin.present
    told = {"email": user.email, "name": user.name} | {
        key: origin.told[key] for key in ("manager",) if key in origin.told
    }
    origin.present, origin.digest, origin.told, origin.told_at = True, digest, told, work.at
    if returned and origin.shut_out:
        accounts.actions.enable_user(user, actor=work.actor)
        origin.shut_out = False
    origin.save()
    _attributes(work, user, row.data["record"])
    return origin


def _person(work: Work, row: StagedFact, origin: Origin | None) -> User | None:
    """Return the person that is meant, made if need be. Raises Refused."""
    before = origin.user if origin is not None else None
    was = (before.email, before.name) if before is not None else None
    told = ToldPerson(row.data["email"], row.data["name"])
    create = work.directory.creates_people
    user = accounts.actions.take_person(before, told, create=create, actor=work.actor, at=work.at)
    if user is not None and user.created_at == work.at:
        work.run.added += 1
    elif user is not None and was != (user.email, user.name):
        work.run.changed += 1
    return user


def _linked(work: Work, row: StagedFact, user: User) -> Origin:
    """Return the link of somebody the directory tells of for the first time. Raises Refused.

    Who had another account there that is gone now is linked to the new one.
    """
    before = Origin.objects.filter(integration=work.integration, user=user).first()
    if before is None:
        return Origin(integration=work.integration, user=user, source_id=row.key)
    gone = not before.present or StagedFact.objects.filter(run=work.run, kind=Told.PERSON_GONE, key=before.source_id)
    if not gone:
        raise accounts.actions.AlreadyThere(f"{user.email} is two people in {work.integration.name}: leave one.")
    StagedFact.objects.filter(run=work.run, kind=Told.PERSON_GONE, key=before.source_id).delete()
    before.source_id = row.key
    return before


def _attributes(work: Work, user: User, record: dict[str, Any]) -> None:
    """Make what this directory says of the person what its record says; the rest stays. Raises Refused."""
    wanted = {(kind, value) for path, kind in work.mapping for value in values_at(record, path)}
    give_attributes(work, user, wanted, shifts=False)


def give_attributes(work: Work, user: User, wanted: set[tuple[str, str]], *, shifts: bool) -> None:
    """Make what this integration says of a person `wanted`; a pair that others say too stays. Raises Refused."""
    mine = {
        (one.attribute.type, one.attribute.value): one
        for one in Origin.objects.filter(integration=work.integration, attribute__user=user).select_related("attribute")
        if one.attribute is not None and (one.told.get("shift", False) is shifts)
    }
    gone = mine.keys() - wanted
    Origin.objects.filter(pk__in=[mine[pair].pk for pair in gone]).delete()
    of_others = set(Attribute.objects.filter(user=user, origins__isnull=False).values_list("type", "value"))
    added, removed = wanted - mine.keys(), gone - of_others
    by_hand = set(Attribute.objects.filter(user=user, origins__isnull=True).values_list("type", "value")) - gone
    accounts.actions.change_attributes(user, added=added, removed=removed, actor=work.actor)
    for row in Attribute.objects.filter(user=user, type__in={kind for kind, _ in added}):
        pair = (row.type, row.value)
        # What somebody said by hand stays theirs.
        if pair in added - by_hand:
            told = {"shift": True} if shifts else {}
            Origin.objects.create(
                integration=work.integration, attribute=row, source_id=str(row.pk), told=told, told_at=work.at
            )


def take_managers(work: Work, rows: list[StagedFact]) -> None:
    """Take over whose manager is who; a manager who is not here leaves the person without."""
    known = work.people([*(row.key for row in rows), *(row.data["manager"] for row in rows)])
    for row in rows:
        origin = known.get(row.key)
        if origin is not None and origin.user is not None:
            try:
                with transaction.atomic():
                    _manage(work, origin, origin.user, _named(known, row.data["manager"]))
            except Refused as refused:
                work.warn(f"{origin.user.email}: {refused}")


def _named(known: dict[str, Origin], manager: str) -> User | None:
    """Return the manager by source id or address."""
    origin = known.get(manager)
    if origin is not None:
        return origin.user
    return User.objects.filter(email=manager.strip().lower()).first() if "@" in manager else None


def _manage(work: Work, origin: Origin, user: User, manager: User | None) -> None:
    """Set or take the manager. One that the directory did not say is not taken. Raises Refused."""
    current = user.manager.email if user.manager else ""
    said = origin.told.get("manager", "")
    if manager is None and (not said or said != current):
        return
    if user.manager_id != (manager.pk if manager else None):
        accounts.actions.edit_user(user, actor=work.actor, manager=manager)
        work.run.changed += 1
    origin.told = {**origin.told, "manager": manager.email if manager else ""}
    origin.save(update_fields=["told"])


def leave(work: Work, rows: list[StagedFact]) -> None:
    """Let go of people who are not in the directory any more."""
    known = work.people(row.key for row in rows)
    for row in rows:
        origin = known.get(row.key)
        if origin is not None and origin.present and origin.user is not None:
            _go(work, origin, "")
            groups.leave_all(work, origin.user)
            with transaction.atomic():
                give_attributes(work, origin.user, set(), shifts=False)


def _go(work: Work, origin: Origin, digest: str) -> None:
    """Disable who may not sign in there any more, unless another directory says that they are in."""
    origin.present, origin.digest, origin.told_at = False, digest, work.at
    user = origin.user
    elsewhere = Origin.objects.filter(user=user, present=True).exclude(pk=origin.pk).exists()
    if user is not None and user.is_active and not elsewhere:
        try:
            with transaction.atomic():
                accounts.actions.disable_user(user, actor=work.actor)
                origin.shut_out = True
                work.run.missing += 1
        except Refused as refused:
            work.warn(f"{user.email}: {refused}")
    origin.save()
