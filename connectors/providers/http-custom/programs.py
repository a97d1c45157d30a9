"""The events this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.event_contract import Contract
from connectors.toolkit.events import Events

FOLDER = Path(__file__).resolve().parent
_program = Events(FOLDER / "programs").program

CONTRACT = Contract(
    get_status=_program("get_status", "integration_id", "custom_parameters", "deadline"),
    list_resources=_program(
        "list_resources", "resource_type", "page", "integration_id", "custom_parameters", "deadline"
    ),
    list_resources_tags=_program(
        "list_resources_tags", "resource_type", "integration_id", "custom_parameters", "deadline"
    ),
    list_access=_program("list_access", "person", "usernames", "integration_id", "custom_parameters", "deadline"),
    grant_access=_program(
        "grant_access",
        "grant_id",
        "username",
        "person",
        "resource_type",
        "resources",
        "permission",
        "ends_at",
        "integration_id",
        "custom_parameters",
        "deadline",
    ),
    revoke_access=_program(
        "revoke_access",
        "grant_id",
        "username",
        "resource_type",
        "resources",
        "permission",
        "integration_id",
        "custom_parameters",
        "deadline",
    ),
    create_credentials=_program(
        "create_credentials",
        "grant_id",
        "username",
        "person",
        "resource_type",
        "resources",
        "integration_id",
        "custom_parameters",
        "deadline",
    ),
    reset_credentials=_program(
        "reset_credentials",
        "grant_id",
        "username",
        "person",
        "resource_type",
        "resources",
        "integration_id",
        "custom_parameters",
        "deadline",
    ),
    drop_credentials=_program(
        "drop_credentials",
        "grant_id",
        "username",
        "resource_type",
        "resources",
        "integration_id",
        "custom_parameters",
        "deadline",
    ),
)
