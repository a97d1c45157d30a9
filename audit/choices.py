"""Who acts, through which door, and the register of what can be recorded."""

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
    # Made up for a demo (script/up --demo), which marks every entry of its invented past.
    DEMO = "demo", "Demo"


# Every action that may be recorded, with the words people read. Each app adds its own by audit.actions.declare in
# its AppConfig.ready, so that a misspelt action fails the first test that runs it.
ACTIONS: dict[str, str] = {"audit.exported": "Exported the audit trail"}
