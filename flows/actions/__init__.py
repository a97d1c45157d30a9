"""The only writers of policy: one function per verb."""

from flows.actions.automatic import Step, move_run, put_off_run, run_now, start_run, take_up
from flows.actions.bundles import define_bundle, delete_bundle
from flows.actions.flows import COLUMNS, define, delete, problems_of, save, set_active
from flows.actions.rules import BadFlow, Overtaken, StillNeeded
from flows.actions.scopes import define_scope, delete_scope

__all__ = [
    "COLUMNS",
    "BadFlow",
    "Overtaken",
    "Step",
    "StillNeeded",
    "define",
    "define_bundle",
    "define_scope",
    "delete",
    "delete_bundle",
    "delete_scope",
    "move_run",
    "problems_of",
    "put_off_run",
    "run_now",
    "save",
    "set_active",
    "start_run",
    "take_up",
]
