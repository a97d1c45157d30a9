"""Verbs on standing in: who is away names somebody who is asked as well."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actions.rules import BadValue, is_self, record, require
from accounts.models import Delegation, User
from audit.actor import Actor

LONGEST = timedelta(days=365)
MOST = 10


def delegate(
    user: User, to: User, starts_at: datetime, ends_at: datetime, *, actor: Actor, at: datetime | None = None
) -> Delegation:
    """Let `to` be asked as well while `user` is away. One's own, or with accounts.change_user.

    Raises NotAllowed, BadValue for who cannot stand in and for a time that cannot be.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, user):
            require(actor, "accounts.change_user")
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        _check_time(starts_at, ends_at, moment)
        _check_stand_in(user, User.objects.get(pk=to.pk))
        if Delegation.objects.filter(user=user, ends_at__gt=moment).count() >= MOST:
            raise BadValue(f"{user.name} has {MOST} absences to come already. End one first.")
        made = Delegation.objects.create(
            user=user, delegate=to, starts_at=starts_at, ends_at=ends_at, created_at=moment
        )
        record("user.delegated", user, actor, _details(made), moment)
    return made


def end_delegation(delegation: Delegation, *, actor: Actor, at: datetime | None = None) -> bool:
    """End it now; one that has not begun is taken back. False when it is over. As `delegate`; raises NotAllowed."""
    moment = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, delegation.user):
            require(actor, "accounts.change_user")
        rows = Delegation.objects.select_for_update(of=("self",)).filter(pk=delegation.pk, ends_at__gt=moment)
        row = rows.select_related("user", "delegate").first()
        if row is None:
            return False
        record("user.delegation_ended", row.user, actor, _details(row), moment)
        if row.starts_at >= moment:
            row.delete()
        else:
            row.ends_at = moment
            row.save(update_fields=["ends_at"])
    return True


def _check_time(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    if ends_at <= starts_at:
        raise BadValue("An absence ends after it begins.")
    if ends_at <= at:
        raise BadValue("This absence would be over already.")
    if ends_at - max(starts_at, at) > LONGEST:
        raise BadValue("An absence lasts a year at most.")


def _check_stand_in(user: User, to: User) -> None:
    if to.pk == user.pk:
        raise BadValue("Nobody stands in for themselves.")
    if not to.is_active:
        raise BadValue(f"{to.name} is disabled and cannot stand in.")
    if to.is_outside:
        raise BadValue(f"{to.name} is from outside and cannot stand in for anybody.")


def _details(one: Delegation) -> dict[str, str]:
    times = {"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat()}
    return {"stand_in": one.delegate.email, **times}
