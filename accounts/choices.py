"""Roles."""

from django.db import models


class Role(models.TextChoices):
    """What a person may do in Latchkey itself; what each may is in accounts.roles."""

    ADMIN = "admin", "Admin"
    POWER_USER = "power_user", "Power user"
    DEPLOYMENT = "deployment", "Deployment"
    VIEWER = "viewer", "Viewer"
    GRANTEE = "grantee", "Grantee"
