"""Verbs of a directory that pushes people by SCIM. It says who somebody is; never what they may do here: no roles."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.people import (
    Keep,
    edit_user,
    enable_user,
    keep_an_admin_besides,
    put_user,
    set_attributes,
    shut_out,
)
from accounts.actions.pushing_out import note_pushed_out
from accounts.actions.rules import AlreadyThere, BadValue, NotAllowed, record, require, tell
from accounts.choices import ChangeKind, GroupSource, Role
from accounts.models import GroupMembership, PushedGroup, PushedPerson, PushedValue, RoleAssignment, User
from accounts.scim.facts import PREFIX, PushedFacts, values
from accounts.scim.resources import key
from audit.actor import Actor

_AT_ONCE = 500


def provision(facts: PushedFacts, *, actor: Actor, at: datetime | None = None) -> PushedPerson:
    """Make the person that a directory pushes for the first time, or link whom the address belongs to already.

    Raises NotAllowed for who administers Latchkey or is from outside: nobody takes them over by pushing their address.
    Raises BadValue, AlreadyThere for who is pushed already.
    """
    now = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.add_user")
        if PushedPerson.objects.filter(user_name_key=facts.user_name_key).exists():
            raise AlreadyThere(f"{facts.user_name} is pushed already.")
        user = User.objects.select_for_update(of=("self",)).filter(email=facts.email).first()
        if user is None:
            return _link(_new(facts, actor, now), facts, actor, now)
        _refuse_taking_over(user)
        details = {"user_name": facts.user_name, "external_id": facts.external_id}
        record("user.push_linked", user, actor, details, now)
        pushed = _link(user, facts, actor, now)
        _settle(user, facts, actor, now)
    return pushed


def change_pushed(pushed: PushedPerson, facts: PushedFacts, *, actor: Actor, at: datetime | None = None) -> bool:
    """Take over what the directory says of somebody now; return whether anything is otherwise than before.

    In the caller's transaction, with the row of `pushed` locked. Raises NotAllowed, BadValue, AlreadyThere, LastAdmin.
    """
    now = at or timezone.now()
    require(actor, "accounts.change_user")
    user = User.objects.select_for_update(of=("self",)).get(pk=pushed.user_id)
    if facts.email != user.email and _is_admin(user):
        raise NotAllowed(f"{user.name} administers Latchkey: their address is changed there and nowhere else.")
    before = (user.is_active, user.manager_id)
    _settle(user, facts, actor, now)
    user.refresh_from_db(fields=["is_active", "manager"])
    gone = sorted(name for name in pushed.document if name not in facts.document)
    told = sorted(name for name, value in facts.document.items() if pushed.document.get(name) != value)
    changed = bool(gone or told) or before != (user.is_active, user.manager_id)
    if gone or told:
        record("user.pushed", user, actor, {"told": told, "gone": gone}, now)
    _store(pushed, facts, actor, now, changed=changed)
    return changed


def forget_pushed(pushed: PushedPerson, *, actor: Actor, at: datetime | None = None) -> None:
    """Disable who is in the directory no more, and forget whom it meant: pushed groups and attributes go as well.

    The person stays, as what the trail and the requests speak of. Raises NotAllowed, LastAdmin.
    """
    now = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.change_user")
        theirs = PushedGroup.objects.filter(group__memberships__user=pushed.user_id)
        list(theirs.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        user = User.objects.select_for_update(of=("self",)).get(pk=pushed.user_id)
        _disable(user, actor, now)
        left, _ = GroupMembership.objects.filter(user=user, group__source=GroupSource.PUSHED).delete()
        set_attributes(user, _others(user), actor=actor)
        pushed.delete()
        details = {"user_name": pushed.user_name, "external_id": pushed.external_id, "groups_left": left}
        record("user.push_forgotten", user, actor, details, now)
        if left:
            tell(ChangeKind.PERSON_CHANGED, user, [user])


def find_manager(said: str) -> User | None:
    """Return whom a directory means by a manager: by the id we gave them, by its own, or by user name. One query each.

    None when there is none, or more than one.
    """
    for lookup in ({"pk": said}, {"external_id": said}, {"user_name_key": key(said)}):
        found = list(PushedPerson.objects.filter(**lookup).select_related("user")[:2])
        if len(found) == 1:
            return found[0].user
    return None


def _new(facts: PushedFacts, actor: Actor, now: datetime) -> User:
    """Make somebody with no rights, all at once. Who is told to be inactive never gets in, not even for a moment."""
    user = User(email=facts.email, name=facts.name, time_zone=facts.time_zone)
    manager = _manager(user, facts)
    if isinstance(manager, User):
        user.manager = manager
    if facts.active is False:
        user.is_active, user.pushed_out, user.disabled_at = False, True, now
    details = {"user_name": facts.user_name, "external_id": facts.external_id, "active": user.is_active}
    if user.manager:
        details["manager"] = user.manager.email
    put_user(user, "user.provisioned", details, actor=actor, roles=(), attributes=facts.attributes, at=now)
    return user


def _refuse_taking_over(user: User) -> None:
    """Raise NotAllowed for who must not be linked by their address alone, AlreadyThere for who is linked."""
    if PushedPerson.objects.filter(user=user).exists():
        raise AlreadyThere(f"{user.email} is the address of somebody who is pushed already.")
    if _is_admin(user):
        raise NotAllowed(f"{user.email} administers Latchkey and is not taken over; see the documentation of SCIM.")
    if user.is_service:
        raise NotAllowed(f"{user.email} is a service and is not taken over.")
    if user.is_outside:
        raise NotAllowed(f"{user.email} is in Latchkey as somebody from outside and is not taken over.")


def _is_admin(user: User) -> bool:
    return RoleAssignment.objects.filter(user=user, role=Role.ADMIN).exists()


def _link(user: User, facts: PushedFacts, actor: Actor, now: datetime) -> PushedPerson:
    """Store whom the directory means. Raises AlreadyThere when somebody else did so in this very moment."""
    pushed = PushedPerson(user=user, created_at=now, version=0)
    try:
        with transaction.atomic():
            _store(pushed, facts, actor, now, changed=True)
    except IntegrityError as error:
        raise AlreadyThere(f"{facts.user_name} is pushed already.") from error
    return pushed


def _store(pushed: PushedPerson, facts: PushedFacts, actor: Actor, now: datetime, *, changed: bool) -> None:
    """Keep what was said, and when."""
    is_new, same = pushed._state.adding, pushed.document == facts.document
    pushed.pushed_at, pushed.pushed_by = now, actor.name[:200]
    if changed:
        pushed.user_name, pushed.user_name_key = facts.user_name, facts.user_name_key
        pushed.external_id, pushed.document = facts.external_id, dict(facts.document)
        pushed.version, pushed.changed_at = pushed.version + 1, now
    try:
        with transaction.atomic():
            pushed.save(force_insert=is_new)
    except IntegrityError as error:
        raise AlreadyThere(f"There is already somebody with the user name {facts.user_name}.") from error
    if not is_new and same:
        return
    if not is_new:
        pushed.values.all().delete()
    rows = [PushedValue(person=pushed, path=path, item=item, key=text) for path, item, text in values(facts.document)]
    PushedValue.objects.bulk_create(rows, batch_size=_AT_ONCE)


def _settle(user: User, facts: PushedFacts, actor: Actor, now: datetime) -> None:
    """Make of the person what the directory says."""
    edit_user(user, actor=actor, email=facts.email, name=facts.name, manager=_manager(user, facts))
    set_attributes(user, _others(user) | facts.attributes, actor=actor)
    if facts.active is False:
        _disable(user, actor, now)
    elif facts.active and not user.is_active and user.pushed_out and not _is_admin(user):
        enable_user(user, actor=actor)


def _manager(user: User, facts: PushedFacts) -> User | Keep | None:
    """Return the manager to be. One that was not pushed was named here, and stays until a push names another."""
    if not facts.manager:
        named_here = user.manager_id and not PushedPerson.objects.filter(user=user.manager_id).exists()
        return Keep.IT if facts.manager is None or named_here else None
    found = find_manager(facts.manager)
    if found is None:
        raise BadValue(
            f"The manager {facts.manager} is nobody who was pushed, or more than one: push the manager first."
        )
    return found


def _others(user: User) -> set[tuple[str, str]]:
    """Return what other sources say of the person."""
    return {pair for pair in user.attributes.values_list("type", "value") if not pair[0].startswith(PREFIX)}


def _disable(user: User, actor: Actor, now: datetime) -> None:
    """Shut the person out as anybody would be, and remember that it was the directory's word."""
    keep_an_admin_besides(user)
    if shut_out(user, "user.disabled", actor=actor, at=now):
        User.objects.filter(pk=user.pk).update(pushed_out=True)
        note_pushed_out(user, actor=actor, at=now)
