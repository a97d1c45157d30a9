"""Roles, and the kinds of news this floor has."""

from django.db import models


class Role(models.TextChoices):
    """What a person may do in Latchkey itself; what each may is in accounts.roles."""

    ADMIN = "admin", "Admin"
    POWER_USER = "power_user", "Power user"
    DEPLOYMENT = "deployment", "Deployment"
    VIEWER = "viewer", "Viewer"
    GRANTEE = "grantee", "Grantee"


class Theme(models.TextChoices):
    """How pages look to a person; the system's own unless they say otherwise."""

    SYSTEM = "", "System"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class ChangeKind(models.TextChoices):
    """News of people and groups; the payload's `users` lists the ids of the people affected."""

    PERSON_DISABLED = "person.disabled", "A person was disabled"
    PERSON_ENABLED = "person.enabled", "A person was enabled"
    # Address, manager or attributes: what policy asks about.
    PERSON_CHANGED = "person.changed", "What is known of a person changed"
    GROUP_CHANGED = "group.changed", "A group was renamed or deleted, or its members changed"
