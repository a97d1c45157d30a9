"""States of integrations, syncs and orders, and how each looks: a tone of the stylesheet and an icon of the sprite."""

from typing import NamedTuple

from django.db import models


class Look(NamedTuple):
    """How a state is told beside its word; never by colour alone."""

    tone: str
    icon: str


class IntegrationStatus(models.TextChoices):
    """How an integration is."""

    INITIALIZING = "initializing", "Initializing"
    ACTIVE = "active", "Active"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"
    DISABLED = "disabled", "Disabled"


STATUS_LOOKS = {
    IntegrationStatus.INITIALIZING: Look("move", "spinner"),
    IntegrationStatus.ACTIVE: Look("good", "ok"),
    IntegrationStatus.WARNING: Look("wait", "alert"),
    IntegrationStatus.ERROR: Look("bad", "stop"),
    IntegrationStatus.DISABLED: Look("quiet", "ban"),
}
# Somebody has to look at these.
TROUBLED = (IntegrationStatus.WARNING, IntegrationStatus.ERROR)


class ConnectorKind(models.TextChoices):
    """Where a connector runs."""

    IN_PROCESS = "in_process", "In this process"
    REMOTE = "remote", "Remote"


class Transport(models.TextChoices):
    """How an instance of a connector and the server speak."""

    IN_PROCESS = "in_process", "In this process"
    WEBSOCKET = "websocket", "Web socket"
    POLL = "poll", "Long poll"


class ConnectorHealth(models.TextChoices):
    """How a connector is, as its instances say; derived, never stored."""

    WELL = "well", "Well"
    MIXED = "mixed", "Mixed versions"
    OUTDATED = "outdated", "Outdated"
    SILENT = "silent", "Silent"
    NEVER = "never", "Never seen"


HEALTH_LOOKS = {
    ConnectorHealth.WELL: Look("good", "ok"),
    ConnectorHealth.MIXED: Look("wait", "alert"),
    ConnectorHealth.OUTDATED: Look("wait", "alert"),
    ConnectorHealth.SILENT: Look("bad", "stop"),
    ConnectorHealth.NEVER: Look("quiet", "clock"),
}


class QualityLevel(models.TextChoices):
    """How far a provider is, by its own quality file; derived, never stored."""

    NONE = "none", "Below bronze"
    BRONZE = "bronze", "Bronze"
    SILVER = "silver", "Silver"
    GOLD = "gold", "Gold"


QUALITY_ICONS = {
    QualityLevel.NONE: "info",
    QualityLevel.BRONZE: "level-1",
    QualityLevel.SILVER: "level-2",
    QualityLevel.GOLD: "level-3",
}
QUALITY_WORDS = {
    QualityLevel.BRONZE: "Checks before it saves, can be repeated without harm, says what is wrong in words, asks for "
    "the least it needs, and its work can be undone by hand.",
    QualityLevel.SILVER: "All of that, and: large inventories, dry run, rotation, tried against a real server.",
    QualityLevel.GOLD: "All of that, and: reads back, sees drift, ends by itself, runs beside the target, leaves "
    "nothing behind.",
}


class ResourceStatus(models.TextChoices):
    """Whether the last sync saw the resource."""

    ACTIVE = "active", "Active"
    MISSING = "missing", "Missing"


RESOURCE_LOOKS = {ResourceStatus.ACTIVE: Look("good", "ok"), ResourceStatus.MISSING: Look("wait", "alert")}


class RiskBand(models.TextChoices):
    """Risk in words."""

    LOW = "low", "Low (1–3)"
    MEDIUM = "medium", "Medium (4–6)"
    HIGH = "high", "High (7–9)"


RISK_BANDS = {RiskBand.LOW: (1, 3), RiskBand.MEDIUM: (4, 6), RiskBand.HIGH: (7, 9)}


class OrderState(models.TextChoices):
    """What became of an order."""

    QUEUED = "queued", "Queued"
    LEASED = "leased", "Leased"
    DONE = "done", "Done"
    SUPERSEDED = "superseded", "Superseded"
    FAILED = "failed", "Failed"


ORDER_LOOKS = {
    OrderState.QUEUED: Look("wait", "hourglass"),
    OrderState.LEASED: Look("move", "spinner"),
    OrderState.DONE: Look("good", "ok"),
    OrderState.SUPERSEDED: Look("quiet", "again"),
    OrderState.FAILED: Look("bad", "stop"),
}
# A queued or leased order is open; at most one is, per (integration, person) or (integration, verb).
OPEN_ORDERS = (OrderState.QUEUED, OrderState.LEASED)


class OrderVerb(models.TextChoices):
    """The provider's verbs (connectors.contract.orders.Verb; a test compares the two)."""

    CHECK = "check", "Check"
    DISCOVER = "discover", "Discover"
    PEOPLE = "people", "People"
    APPLY = "apply", "Apply"
    READ_BACK = "read_back", "Read back"
    RESET_CREDENTIALS = "reset_credentials", "Reset credentials"
    ROTATE = "rotate", "Rotate"
    CLEAN_UP = "clean_up", "Clean up"


# Verbs about a whole system, that take longer than one lease: each has a SyncRun.
SYNCS = (OrderVerb.DISCOVER, OrderVerb.PEOPLE)


class SyncState(models.TextChoices):
    """How a sync run went. Of people all is read first; then it is taken over, sometimes after somebody's yes."""

    RUNNING = "running", "Running"
    WAITING = "waiting", "Waits for a yes"
    APPLYING = "applying", "Being taken over"
    REFUSED = "refused", "Refused by an admin"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


# Read, and not settled yet.
UNDECIDED = (SyncState.WAITING, SyncState.APPLYING)
SYNC_LOOKS = {
    SyncState.RUNNING: Look("move", "spinner"),
    SyncState.WAITING: Look("wait", "hourglass"),
    SyncState.APPLYING: Look("move", "spinner"),
    SyncState.REFUSED: Look("quiet", "ban"),
    SyncState.SUCCEEDED: Look("good", "ok"),
    SyncState.FAILED: Look("bad", "stop"),
}


class Told(models.TextChoices):
    """What one staged row of a sync of people says."""

    PERSON = "person", "A person"
    MANAGER = "manager", "Somebody's manager"
    PERSON_GONE = "person_gone", "A person is gone"
    GROUP = "group", "A group"
    GROUP_GONE = "group_gone", "A group is gone"
    MEMBERS = "members", "All members of a group are told"
    JOINED = "joined", "A person is in a group"
    LEFT = "left", "A person left a group"
    SHIFT = "shift", "Somebody is on a shift"


class SecretStore(models.TextChoices):
    """Where a secret lies."""

    BUILTIN = "builtin", "Built in (not recommended for production)"
    AWS = "aws", "AWS Secrets Manager"
    AZURE = "azure", "Azure Key Vault"
    GOOGLE = "google", "Google Secret Manager"
    KUBERNETES = "kubernetes", "Kubernetes secret"
    VAULT = "vault", "HashiCorp Vault or OpenBao (KV version 2)"
    ENVIRONMENT = "environment", "Environment of the connector"
    FILE = "file", "File beside the connector"


# How each store is told which secret is meant; an example for the form.
REFERENCE_FORMS = {
    SecretStore.AWS: "eu-central-1/prod/shop, or the ARN",
    SecretStore.AZURE: "https://VAULT.vault.azure.net/secrets/NAME",
    SecretStore.GOOGLE: "projects/PROJECT/secrets/NAME",
    SecretStore.KUBERNETES: "NAMESPACE/NAME",
    SecretStore.VAULT: "MOUNT/PATH",
    SecretStore.ENVIRONMENT: "SHOP, for the variable LATCHKEY_TARGET_SECRET_SHOP",
    SecretStore.FILE: "shop.json, in the folder of LATCHKEY_SECRETS_FOLDER",
}


AUDIT_ACTIONS = {
    "integration.connected": "Integration connected",
    "integration.edited": "Integration edited",
    "integration.disabled": "Integration disabled",
    "integration.enabled": "Integration enabled",
    "integration.delete_ordered": "Deletion of an integration ordered",
    "integration.deleted": "Integration deleted",
    "integration.secret_set": "Secret of an integration set",
    "integration.secret_referred": "Secret of an integration referred to in another store",
    "integration.check_ordered": "Check ordered",
    "integration.sync_ordered": "Sync ordered",
    "directory.edited": "Settings of a directory edited",
    "directory.synced": "What a directory told was taken over",
    "directory.waits": "A directory would disable many: waits for a yes",
    "directory.allowed": "What a directory told was allowed by an admin",
    "directory.refused": "What a directory told was refused by an admin",
    "connector.created": "Connector created",
    "connector.token_made": "Token of a connector made",
    "connector.token_revoked": "Token of a connector revoked",
    "connector.instance_joined": "An instance of a connector joined",
    "connector.renamed": "Connector renamed",
    "connector.deleted": "Connector deleted",
    "order.settled": "Order settled",
    "order.hurried": "Order hurried",
    "order.set_aside": "A report could not be taken in",
    "order.failed_try": "A try of an order failed",
    "store.reencrypted": "Stored secrets encrypted with the newest key",
}
