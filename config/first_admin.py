"""The way in that needs neither password nor identity provider: a link that signs an admin in once."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError

from accounts import actions
from accounts.choices import Role
from accounts.models import User
from audit.actor import system

EMAIL = "admin@localhost"
MINUTES = 15


def link(email: str, *, by: str, always: bool = True) -> str:
    """Return a link for the admin with this address, else for the oldest; the first admin is made where there is none.

    Without `always` there is a link for a new admin only, else "". Raises CommandError. `by` is who makes the admin.
    """
    email = email.strip().lower()
    admins = User.objects.filter(is_active=True, roles__role=Role.ADMIN).order_by("created_at")
    admin = admins.filter(email=email).first() or admins.first()
    if admin is not None and not always:
        return ""
    if admin is None:
        if User.objects.filter(email=email).exists():
            raise CommandError(f"There is no active admin, and {email} is taken: name another with --admin-email.")
        try:
            admin = actions.create_user(email, "First admin", roles=[Role.ADMIN], actor=system(by))
        except actions.BadValue as error:
            raise CommandError(f"{email} is no e-mail address: name another with --admin-email.") from error
    return f"{settings.PUBLIC_URL}/sign-in/{actions.make_sign_in_link(admin, minutes=MINUTES)}/"
