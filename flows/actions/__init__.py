"""The only writers of policy: one function per verb."""

from flows.actions.bundles import define_bundle, delete_bundle
from flows.actions.flows import COLUMNS, define, delete, problems_of, save, set_active
from flows.actions.rules import BadFlow, Overtaken, StillNeeded
from flows.actions.scopes import define_scope, delete_scope

__all__ = [
    "COLUMNS",
    "BadFlow",
    "Overtaken",
    "StillNeeded",
    "define",
    "define_bundle",
    "define_scope",
    "delete",
    "delete_bundle",
    "delete_scope",
    "problems_of",
    "save",
    "set_active",
]
