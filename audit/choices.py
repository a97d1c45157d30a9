"""Who acts, and through which door."""

from django.db import models


class ActorKind(models.TextChoices):
    """What kind of actor did it."""

    USER = "user", "User"
    SYSTEM = "system", "System"
    CONNECTOR = "connector", "Connector"


class Source(models.TextChoices):
    """Through which door it came."""

    PORTAL = "portal", "Portal"
    ADMIN = "admin", "Admin"
    API = "api", "API"
    COMMAND = "command", "Command line"
    SYSTEM = "system", "System"
    CONNECTOR = "connector", "Connector"
