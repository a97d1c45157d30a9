"""The only writers of integrations: one function per verb."""

from integrations.actions.inventory import merge, stage
from integrations.actions.orders import (
    expire_leases,
    forget_credentials,
    hurry,
    hurry_order,
    lease,
    order_for_person,
    order_for_system,
    settle,
    supersede,
    take_in,
)
from integrations.actions.running import run_next, run_until_idle, stop_instances
from integrations.actions.secrets import open_credentials, reencrypt, set_secret
from integrations.actions.systems import (
    BadConfig,
    StillNeeded,
    check,
    connect,
    delete,
    disable,
    edit,
    enable,
    sync,
    sync_due,
    try_connection,
)

__all__ = [
    "BadConfig",
    "StillNeeded",
    "check",
    "connect",
    "delete",
    "disable",
    "edit",
    "enable",
    "expire_leases",
    "forget_credentials",
    "hurry",
    "hurry_order",
    "lease",
    "merge",
    "open_credentials",
    "order_for_person",
    "order_for_system",
    "reencrypt",
    "run_next",
    "run_until_idle",
    "set_secret",
    "settle",
    "stage",
    "stop_instances",
    "supersede",
    "sync",
    "sync_due",
    "take_in",
    "try_connection",
]
