"""The only writers of integrations: one function per verb."""

from integrations.actions.baseline import count_as_given, forget_baseline
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
from integrations.actions.configuring import BadConfig, Kept, clean_config
from integrations.actions.connectors import BadName, delete_connector, is_embedded, rename_connector
from integrations.actions.deleting import StillNeeded, delete, sweep_deletions
from integrations.actions.inventory import merge, stage
from integrations.actions.leasing import lease
from integrations.actions.orders import (
    expire_leases,
    forget_credentials,
    forget_looks,
    hurry,
    hurry_order,
    order_for_person,
    order_for_system,
    set_aside,
    settle,
    supersede,
    take_in,
    withdraw,
)
from integrations.actions.people.applying import apply_some, sweep_people
from integrations.actions.people.deciding import allow_leaving, refuse_leaving
from integrations.actions.people.settings import BadSettings, edit_directory
from integrations.actions.people.shifts import sweep_shifts
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
    "BadSettings",
    "CallFailed",
    "Called",
    "Kept",
    "NotRemote",
    "OAuth",
    "Outgoing",
    "StillNeeded",
    "allow_leaving",
    "apply_some",
    "call_out",
    "calls_problem",
    "check",
    "clean_config",
    "connect",
    "count_as_given",
    "create_connector",
    "delete",
    "delete_connector",
    "disable",
    "drop_expired_trials",
    "edit",
    "edit_directory",
    "embedded_connector",
    "enable",
    "expire_leases",
    "forget_baseline",
    "forget_credentials",
    "forget_looks",
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
    "refuse_leaving",
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
    "sweep_people",
    "sweep_shifts",
    "sync",
    "sync_due",
    "take_in",
    "try_connection",
    "why_no_address",
    "withdraw",
]
