"""The only writers of integrations: one function per verb."""

from integrations.actions.baseline import forget_baseline
from integrations.actions.configuring import BadConfig, Kept
from integrations.actions.connectors import BadName, delete_connector, is_embedded, rename_connector
from integrations.actions.deleting import StillNeeded, delete, sweep_deletions
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
from integrations.actions.running import embedded_connector, rules_problem, run_next, run_until_idle, stop_instances
from integrations.actions.secrets import keep_draft, open_credentials, open_draft, reencrypt, set_secret
from integrations.actions.systems import (
    check,
    connect,
    disable,
    edit,
    enable,
    sync,
    sync_due,
    try_connection,
)
from integrations.actions.tokens import NotRemote, create_connector, make_token, revoke_token
from integrations.actions.trials import drop_expired_trials

__all__ = [
    "BadConfig",
    "BadName",
    "Kept",
    "NotRemote",
    "StillNeeded",
    "check",
    "connect",
    "create_connector",
    "delete",
    "delete_connector",
    "disable",
    "drop_expired_trials",
    "edit",
    "embedded_connector",
    "enable",
    "expire_leases",
    "forget_baseline",
    "forget_credentials",
    "hurry",
    "hurry_order",
    "is_embedded",
    "keep_draft",
    "lease",
    "make_token",
    "merge",
    "open_credentials",
    "open_draft",
    "order_for_person",
    "order_for_system",
    "reencrypt",
    "rename_connector",
    "revoke_token",
    "rules_problem",
    "run_next",
    "run_until_idle",
    "set_secret",
    "settle",
    "stage",
    "stop_instances",
    "supersede",
    "sweep_deletions",
    "sync",
    "sync_due",
    "take_in",
    "try_connection",
]
