"""What each role may do, as patterns over Django's permission names ("app_label.action_model")."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from accounts.choices import Role

STAFF = frozenset({Role.ADMIN, Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER})

# Admin: all. Power user: policy and operations, not people and their roles. Deployment: connectors and integrations.
# Viewer: reads everything and exports. Grantee: the portal only, for which no permission is needed.
_POLICY = ("flows.*", "requests.*", "integrations.*")
_READ = ("*.view_*",)
ALLOWED: dict[Role, tuple[str, ...]] = {
    Role.ADMIN: ("*",),
    Role.POWER_USER: (*_POLICY, *_READ, "audit.export_*", "accounts.read_letter"),
    Role.DEPLOYMENT: ("integrations.*", "flows.view_*", "accounts.view_*"),
    Role.VIEWER: (*_READ, "audit.export_*", "accounts.read_letter"),
    Role.GRANTEE: (),
}


# What patterns of other roles do not reach: the second yes to a change of policy, the word that access is over though
# nothing proves it, what concerns everybody at once, and access that belongs to nobody.
_ADMINS_ONLY = frozenset(
    {
        "flows.decide_proposal",
        "requests.decide_declaration",
        "requests.revoke_everywhere",
        "requests.keep_envelope",
    }
)


def allow(held: Iterable[Role], permission: str) -> bool:
    """Whether one of the roles allows the permission."""
    asked = [role for role in held if role == Role.ADMIN] if permission in _ADMINS_ONLY else held
    return any(fnmatchcase(permission, pattern) for role in asked for pattern in ALLOWED[role])


def allow_module(held: Iterable[Role], app_label: str) -> bool:
    """Whether one of the roles sees anything in the app."""
    return any(fnmatchcase(app_label, pattern.split(".")[0]) for role in held for pattern in ALLOWED[role])
