"""States of integrations, syncs and orders."""

from django.db import models


class IntegrationStatus(models.TextChoices):
    """How an integration is."""

    INITIALIZING = "initializing", "Initializing"
    ACTIVE = "active", "Active"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"
    DISABLED = "disabled", "Disabled"


class ConnectorKind(models.TextChoices):
    """Where a connector runs."""

    IN_PROCESS = "in_process", "In this process"
    REMOTE = "remote", "Remote"


class ResourceStatus(models.TextChoices):
    """Whether the last sync saw the resource."""

    ACTIVE = "active", "Active"
    MISSING = "missing", "Missing"


class OrderState(models.TextChoices):
    """What became of an order."""

    QUEUED = "queued", "Queued"
    LEASED = "leased", "Leased"
    DONE = "done", "Done"
    SUPERSEDED = "superseded", "Superseded"
    FAILED = "failed", "Failed"


# A queued or leased order is open; at most one is, per (integration, person) or (integration, verb).
OPEN_ORDERS = (OrderState.QUEUED, OrderState.LEASED)


class OrderVerb(models.TextChoices):
    """The provider's verbs (connectors.contract.orders.Verb; a test compares the two)."""

    CHECK = "check", "Check"
    DISCOVER = "discover", "Discover"
    APPLY = "apply", "Apply"
    READ_BACK = "read_back", "Read back"
    RESET_CREDENTIALS = "reset_credentials", "Reset credentials"
    ROTATE = "rotate", "Rotate"
    CLEAN_UP = "clean_up", "Clean up"


class SyncState(models.TextChoices):
    """How a sync run went."""

    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class SecretStore(models.TextChoices):
    """Where a secret lies."""

    BUILTIN = "builtin", "Built in"


AUDIT_ACTIONS = {
    "integration.connected": "Integration connected",
    "integration.edited": "Integration edited",
    "integration.disabled": "Integration disabled",
    "integration.enabled": "Integration enabled",
    "integration.deleted": "Integration deleted",
    "integration.secret_set": "Secret of an integration set",
    "integration.check_ordered": "Check ordered",
    "integration.sync_ordered": "Sync ordered",
    "order.settled": "Order settled",
    "order.hurried": "Order hurried",
    "order.failed_try": "A try of an order failed",
    "store.reencrypted": "Stored secrets encrypted with the newest key",
}
