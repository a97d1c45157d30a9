"""Who may invite people from outside. Floors above know of owners, so they say it: `ask_also`."""

from __future__ import annotations

from collections.abc import Callable

from accounts.models import User

_others: dict[str, Callable[[User], bool]] = {}


def ask_also(name: str, knows: Callable[[User], bool]) -> None:
    """Ask `knows` too whether a person may invite; called from an app's ready(). Again under a name replaces it."""
    _others[name] = knows


def may_invite(user: User) -> bool:
    """Whether the person may invite somebody from outside: who may add people, and who owns something."""
    if not user.is_active or user.is_outside:
        return False
    return user.has_perm("accounts.add_user") or any(knows(user) for knows in _others.values())
