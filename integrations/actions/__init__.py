"""The only writers of integrations: one function per verb."""

from integrations.actions.baseline import forget_baseline
from integrations.actions.calling import (
    Called,
    CallFailed,
    OAuth,
    Outgoing,
    call_out,
    calls_problem,
    hidden,
    why_no_address,
)
from integrations.actions.configuring import BadConfig, Kept
from integrations.actions.connectors import BadName, delete_connector, is_embedded, rename_connector
from integrations.actions.deleting import StillNeeded, delete, sweep_deletions
from integrations.actions.inventory import merge, stage
from integrations.actions.leasing import lease
from integrations.actions.orders import (
    expire_leases,
    forget_credentials,
    hurry,
    hurry_order,
    order_for_person,
    order_for_system,
    set_aside,
    settle,
    supersede,
    take_in,
)
from integrations.actions.running import embedded_connector, rules_problem, run_next, run_until_idle, stop_instances
from integrations.actions.secrets import (
    forget_secrets,
    keep_draft,
    keep_secret,
    open_credentials,
    open_draft,
    reencrypt,
    set_secret,
)
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
    "CallFailed",
    "Called",
    "Kept",
    "NotRemote",
    "OAuth",
    "Outgoing",
    "StillNeeded",
    "call_out",
    "calls_problem",
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
    "forget_secrets",
    "hidden",
    "hurry",
    "hurry_order",
    "is_embedded",
    "keep_draft",
    "keep_secret",
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
    "set_aside",
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
    "why_no_address",
]
