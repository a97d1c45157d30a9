"""Verbs on people."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.actions.orphans import tell_admins_of_outside
from accounts.actions.rules import (
    AlreadyThere,
    BadValue,
    LastAdmin,
    NotAllowed,
    check,
    check_time_zone,
    is_self,
    record,
    require,
    sentences,
    tell,
)
from accounts.actions.sessions import end_all
from accounts.choices import ChangeKind, Role, SessionEnd
from accounts.models import Attribute, RoleAssignment, User
from audit.actor import Actor


class Keep(enum.Enum):
    """Says that a value stays as it is, where None is a value."""

    IT = "keep"


def create_user(
    email: str,
    name: str,
    *,
    actor: Actor,
    roles: Iterable[Role] = (),
    password: str | None = None,
    manager: User | None = None,
    time_zone: str = "",
    at: datetime | None = None,
) -> User:
    """Create a person; without a password they sign in by link only. Raises NotAllowed, BadValue, AlreadyThere."""
    user = User(email=email.strip().lower(), name=name.strip(), manager=manager, time_zone=time_zone)
    with transaction.atomic():
        require(actor, "accounts.add_user")
        details = {"manager": manager.email if manager else None}
        put_user(user, "user.created", details, actor=actor, roles=roles, password=password, at=at)
    return user


def put_user(
    user: User,
    action: str,
    details: Mapping[str, Any],
    *,
    actor: Actor,
    roles: Iterable[Role],
    password: str | None = None,
    attributes: Iterable[tuple[str, str]] = (),
    at: datetime | None = None,
) -> None:
    """Store somebody new, and tell of them once. The caller sees to permission. Raises BadValue, AlreadyThere."""
    user.created_at = at or user.created_at
    with transaction.atomic():
        check(user, "email", "name", "time_zone")
        check_time_zone(user.time_zone)
        _put_password(user, password)
        _save_unique(user)
        held = sorted(set(map(Role, roles)))
        RoleAssignment.objects.bulk_create([RoleAssignment(user=user, role=role) for role in held])
        record(action, user, actor, {"roles": held, **details}, at)
        _change_attributes(user, {}, frozenset(attributes), actor, at)
        tell(ChangeKind.PERSON_CHANGED, user, [user], new=True)


def edit_user(
    user: User,
    *,
    actor: Actor,
    email: str | None = None,
    name: str | None = None,
    time_zone: str | None = None,
    manager: User | Keep | None = Keep.IT,
) -> User:
    """Change what is given and return the person as stored. Raises NotAllowed, BadValue, AlreadyThere."""
    with transaction.atomic():
        require(actor, "accounts.change_user")
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        before = _described(stored)
        stored.email = stored.email if email is None else email.strip().lower()
        stored.name = stored.name if name is None else name.strip()
        stored.time_zone = stored.time_zone if time_zone is None else time_zone
        if manager is not Keep.IT:
            stored.manager = manager
        _store_edit(stored, before, actor, "user.edited")
    return stored


def edit_profile(user: User, *, actor: Actor, name: str, time_zone: str) -> User:
    """Change one's own name and time zone and return the person as stored. Raises NotAllowed, BadValue."""
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("A profile is edited by its owner; others use edit_user.")
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        before = _described(stored)
        stored.name, stored.time_zone = name.strip(), time_zone
        _store_edit(stored, before, actor, "user.profile_edited")
    return stored


def rename_told(user: User, name: str, *, actor: Actor) -> None:
    """Give the person the name their identity provider says; none, or the present one, changes nothing.

    Raises NotAllowed, BadValue.
    """
    if name and name != user.name:
        edit_user(user, actor=actor, name=name)
        user.name = name


def manage_told(user: User, email: str, *, actor: Actor) -> None:
    """Give the person the manager whose address their identity provider says; nobody for an address nobody has.

    Nobody is right then, too: who managed them before must not go on answering for them. Raises NotAllowed, BadValue.
    """
    manager = User.objects.filter(email=email).exclude(pk=user.pk).first() if email else None
    if user.manager_id != (manager.pk if manager else None):
        edit_user(user, actor=actor, manager=manager)
        user.manager = manager


def set_theme(user: User, theme: str, *, actor: Actor) -> None:
    """Choose how pages look to oneself. Raises NotAllowed, BadValue."""
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("How pages look is the person’s own choice.")
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        before, stored.theme = stored.theme, theme
        check(stored, "theme")
        if before != theme:
            stored.save(update_fields=["theme"])
            record("user.profile_edited", stored, actor, {"changed": {"theme": [before, theme]}})


def set_roles(user: User, roles: Iterable[Role], *, actor: Actor) -> None:
    """Make `roles` the person's roles. Raises NotAllowed, LastAdmin, ValueError for what is no role.

    Raises BadValue when somebody from outside would be more than a grantee.
    """
    wanted = frozenset(map(Role, roles))
    with transaction.atomic():
        require(actor, "accounts.change_roleassignment")
        if Role.ADMIN not in wanted:
            keep_an_admin_besides(user)
        # The person's row orders two writers; without it the roles could become what neither of them said.
        stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if stored.is_outside and wanted - {Role.GRANTEE}:
            raise BadValue(f"{stored.name} is from outside and can be a grantee only.")
        before = frozenset(RoleAssignment.objects.filter(user=user).values_list("role", flat=True))
        if before == wanted:
            return
        RoleAssignment.objects.filter(user=user).exclude(role__in=wanted).delete()
        RoleAssignment.objects.bulk_create(
            [RoleAssignment(user=user, role=role) for role in sorted(wanted)], ignore_conflicts=True
        )
        record("user.roles_set", user, actor, {"from": sorted(before), "to": sorted(wanted)})
    user.__dict__.pop("_roles", None)


def disable_user(user: User, *, actor: Actor) -> None:
    """Shut the person out at once: every session ends. Nothing happens to who is disabled already.

    Raises NotAllowed, LastAdmin.
    """
    with transaction.atomic():
        require(actor, "accounts.change_user")
        keep_an_admin_besides(user)
        shut_out(user, "user.disabled", actor=actor, at=timezone.now())
    user.refresh_from_db()


def shut_out(user: User, action: str, *, actor: Actor, at: datetime) -> bool:
    """Disable somebody, which ends their sessions and access. Whether the actor may is the caller's.

    False for who is disabled already. In the caller's transaction.
    """
    rows = User.objects.filter(pk=user.pk, is_active=True)
    if not rows.update(is_active=False, disabled_at=at, session_round=F("session_round") + 1):
        return False
    ended = end_all(user, SessionEnd.DISABLED, at=at)
    record(action, user, actor, {"sessions_ended": ended} if ended else None)
    tell(ChangeKind.PERSON_DISABLED, user, [user])
    tell_admins_of_outside(user, at=at)
    return True


def enable_user(user: User, *, actor: Actor) -> None:
    """Let the person in again; earlier sessions stay over. Nothing happens to who is active. Raises NotAllowed."""
    with transaction.atomic():
        require(actor, "accounts.change_user")
        rows = User.objects.filter(pk=user.pk, is_active=False)
        if rows.update(is_active=True, disabled_at=None, pushed_out=False):
            record("user.enabled", user, actor)
            tell(ChangeKind.PERSON_ENABLED, user, [user])
    user.refresh_from_db()


def set_attributes(user: User, attributes: Iterable[tuple[str, str]], *, actor: Actor) -> None:
    """Make the (type, value) pairs what is known of the person. Raises NotAllowed, BadValue."""
    wanted = frozenset(attributes)
    with transaction.atomic():
        require(actor, "accounts.change_attribute")
        # As for roles: one writer after the other.
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        stored = {(row.type, row.value): row for row in Attribute.objects.filter(user=user)}
        if _change_attributes(user, stored, wanted, actor):
            tell(ChangeKind.PERSON_CHANGED, user, [user])


def _change_attributes(
    user: User,
    stored: Mapping[tuple[str, str], Attribute],
    wanted: frozenset[tuple[str, str]],
    actor: Actor,
    at: datetime | None = None,
) -> bool:
    """Make of the stored attributes the wanted ones; return whether anything changed. Raises BadValue."""
    new = [Attribute(user=user, type=kind, value=value) for kind, value in sorted(wanted - stored.keys())]
    gone = sorted(stored.keys() - wanted)
    if not new and not gone:
        return False
    for row in new:
        check(row, "type", "value")
    if gone:
        Attribute.objects.filter(pk__in=[stored[pair].pk for pair in gone]).delete()
    Attribute.objects.bulk_create(new)
    added = [[row.type, row.value] for row in new]
    record("user.attributes_set", user, actor, {"added": added, "removed": [list(pair) for pair in gone]}, at)
    return True


def set_password(user: User, password: str | None, *, actor: Actor, session: str = "") -> None:
    """Set a password, or with None take it away; every session ends. One's own, or with accounts.change_user.

    `session` is the id of the one in which it was set, which goes on under another key. That the present password was
    asked for is the page's business. Raises NotAllowed, BadValue.
    """
    with transaction.atomic():
        if not is_self(actor, user):
            require(actor, "accounts.change_user")
        _put_password(user, password)
        user.save(update_fields=["password"])
        end_all(user, SessionEnd.PASSWORD, at=timezone.now(), but=session)
        record("user.password_set" if password else "user.password_removed", user, actor)


def _put_password(user: User, password: str | None) -> None:
    """Set the password on the object. Raises BadValue when it is too weak."""
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise BadValue(" ".join(sentences(error))) from error
    user.set_password(password)


def _described(user: User) -> dict[str, str | None]:
    """Return what edits may change, as the trail shows it."""
    manager = user.manager
    return {
        "email": user.email,
        "name": user.name,
        "time_zone": user.time_zone,
        "manager": manager.email if manager else None,
    }


def _store_edit(user: User, before: dict[str, str | None], actor: Actor, action: str) -> None:
    """Check and save an edited person; record and tell what changed, if anything did."""
    check(user, "email", "name", "time_zone")
    check_time_zone(user.time_zone)
    if user.manager_id == user.pk:
        raise BadValue("Nobody is their own manager.")
    after = _described(user)
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return
    _save_unique(user)
    record(action, user, actor, {"changed": changed})
    if "email" in changed:
        # Policy may name a manager by address, so the reports are affected too.
        tell(ChangeKind.PERSON_CHANGED, user, [user, *user.reports.values_list("pk", flat=True)])
    elif "manager" in changed:
        tell(ChangeKind.PERSON_CHANGED, user, [user])


def _save_unique(user: User) -> None:
    """Save the person. Raises AlreadyThere when another has the address."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if User.objects.filter(email=user.email).exclude(pk=user.pk).exists():
            raise AlreadyThere(f"There is already a person with the address {user.email}.") from error
        raise


def keep_an_admin_besides(user: User) -> None:
    """Raise LastAdmin when `user` is an active admin and there is no other.

    Locks the admins' rows first and counts afterwards: of two admins removing each other at once the second one waits
    here and then sees what the first one did.
    """
    admins = RoleAssignment.objects.filter(role=Role.ADMIN)
    list(admins.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    active = set(admins.filter(user__is_active=True, user__is_service=False).values_list("user_id", flat=True))
    if active == {user.pk}:
        raise LastAdmin(f"{user.name} is the last active admin; make somebody else an admin first.")
