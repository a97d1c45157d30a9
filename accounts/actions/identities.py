"""Verbs of single sign-on: whose sign-in it is, and which groups come with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.people import create_user, manage_told, rename_told
from accounts.actions.rules import AlreadyThere, SignInRefused, record, require, tell
from accounts.actions.sign_in import record_refused_sign_in
from accounts.choices import ChangeKind, GroupSource, SignInRefusal
from accounts.claims import Told
from accounts.models import Group, GroupMembership, Identity, User
from audit.actor import Actor, system

# Names per entry of the trail, and rows per statement.
_NAMES_KEPT, _AT_ONCE = 200, 500


def sign_in_with(told: Told, *, create: bool, address: str = "", at: datetime | None = None) -> User:
    """Return whom the provider means, made ready for signing in; `create` makes people of the unknown, with no rights.

    A subject that is linked is its person, whatever address it comes with now. One that is not is linked once, to the
    person with the address, if the provider has verified it. Name and groups become what the provider says.
    Raises SignInRefused, which is recorded.
    """
    now = at or timezone.now()
    try:
        try:
            return _meet(told, create=create, now=now)
        except (IntegrityError, AlreadyThere):
            # Somebody did the same in this very moment; what they made is there now.
            return _meet(told, create=create, now=now)
    except SignInRefused as refused:
        record_refused_sign_in(refused.refusal, told=told, user=refused.user, address=address)
        raise


def forget_identities(user: User, *, actor: Actor) -> None:
    """Unlink the person from the provider, so that their next sign-in is linked anew, by its verified address.

    For somebody who has another account there now. Their password, links and sessions stay. Raises NotAllowed.
    """
    with transaction.atomic():
        require(actor, "accounts.change_user")
        gone = list(Identity.objects.select_for_update().filter(user=user).order_by("pk"))
        Identity.objects.filter(pk__in=[one.pk for one in gone]).delete()
        for one in gone:
            record("user.identity_forgotten", user, actor, {"issuer": one.issuer, "subject": one.subject})


def take_groups(
    user: User,
    names: Iterable[str],
    *,
    source: GroupSource,
    prefix: str = "",
    trouble: str = "",
    actor: Actor | None = None,
) -> None:
    """Put the person into the groups of `source` with these names, and out of its others; other groups are not touched.

    Of several providers each sees to its own: the names that begin with its `prefix`, or, without, with nobody's.
    A name that is new becomes a group. `trouble` says for the trail what could not be read. Raises NotAllowed.
    """
    if source == GroupSource.LOCAL:
        raise ValueError("Groups made here are not told by anybody.")
    actor, wanted = actor or system("Single sign-on"), set(names)
    with transaction.atomic():
        require(actor, "accounts.change_group")
        # The person's row orders two sign-ins at once; without it the groups could become what neither of them said.
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        rows = GroupMembership.objects.filter(user=user, group__source=source)
        others = () if prefix else prefixes_of_others()
        held = {
            name: pk
            for name, pk in rows.values_list("group__name", "group_id")
            if name.startswith(prefix) and not (others and name.startswith(others))
        }
        new, gone = sorted(wanted - held.keys()), sorted(held.keys() - wanted)
        if not new and not gone:
            return
        created = _join(user, new, source)
        for some in _portions(gone):
            GroupMembership.objects.filter(user=user, group_id__in=[held[name] for name in some]).delete()
        details = {"added": _some(new), "removed": _some(gone), "new_groups": _some(created)}
        record("user.groups_told", user, actor, details | ({"trouble": trouble} if trouble else {}))
        tell(ChangeKind.PERSON_CHANGED, user, [user])


def _meet(told: Told, *, create: bool, now: datetime) -> User:
    """Find or make the person, take over what is said of them. Raises SignInRefused, IntegrityError, AlreadyThere."""
    with transaction.atomic():
        used = Identity.objects.filter(issuer=told.issuer, subject=told.subject)
        linked = used.select_related("user").first()
        user = linked.user if linked else _whom_to_link(told, create=create)
        # Disabling locks the row too: whoever is first is seen by the other.
        user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if not user.is_active:
            raise SignInRefused(SignInRefusal.DISABLED, user)
        if linked:
            used.update(last_used_at=now)
        else:
            Identity.objects.create(
                user=user, issuer=told.issuer, subject=told.subject, linked_at=now, last_used_at=now
            )
            record("user.identity_linked", user, _provider(), {"issuer": told.issuer, "subject": told.subject})
        rename_told(user, told.name, actor=_provider())
        if told.manager is not None:
            manage_told(user, told.manager, actor=_provider())
        trouble = told.groups_trouble
        take_groups(user, told.groups, source=GroupSource.OIDC, prefix=told.prefix, trouble=trouble, actor=_provider())
    return user


def prefixes_of_others() -> tuple[str, ...]:
    """Return what the names of groups begin with that come from further providers; the first one's have no prefix."""
    return tuple(f"{one.id}: " for one in settings.OIDC_PROVIDERS if one.id != "oidc")


def _whom_to_link(told: Told, *, create: bool) -> User:
    """Return the person with the verified address, made if need be. Raises SignInRefused, AlreadyThere."""
    if not told.email:
        raise SignInRefused(SignInRefusal.NO_EMAIL)
    if not told.verified:
        raise SignInRefused(SignInRefusal.UNVERIFIED)
    if not told.vouched:
        raise SignInRefused(SignInRefusal.FOREIGN)
    user = User.objects.filter(email=told.email).first()
    if user is None:
        if not create:
            raise SignInRefused(SignInRefusal.UNKNOWN)
        return create_user(told.email, told.name or told.email.partition("@")[0], actor=_provider())
    if Identity.objects.filter(user=user, issuer=told.issuer).exists():
        raise SignInRefused(SignInRefusal.TAKEN, user)
    return user


def _provider() -> Actor:
    """Return who does what a sign-in brings about: the platform, on the provider's word."""
    return system("Single sign-on")


def _join(user: User, names: Sequence[str], source: GroupSource) -> list[str]:
    """Put the person into the groups of these names, sorted; return which of them had to be made."""
    created: list[str] = []
    for some in _portions(names):
        there = set(Group.objects.filter(source=source, name__in=some).values_list("name", flat=True))
        missing = [name for name in some if name not in there]
        # In the order of their names, as others do too: two who make the same groups wait, and do not block each other.
        Group.objects.bulk_create([Group(name=name, source=source) for name in missing], ignore_conflicts=True)
        ids = Group.objects.filter(source=source, name__in=some).values_list("pk", flat=True)
        rows = [GroupMembership(group_id=pk, user=user) for pk in ids]
        GroupMembership.objects.bulk_create(rows, ignore_conflicts=True)
        created += missing
    return created


def _portions(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


def _some(names: Sequence[str]) -> list[str]:
    """Return the names as an entry keeps them: the first of very many, and how many more there are."""
    more = len(names) - _NAMES_KEPT
    return [*names[:_NAMES_KEPT], f"… and {more} more"] if more > 0 else list(names)
