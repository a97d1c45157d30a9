"""The only writers of policy: one function per verb."""

from flows.actions.bundles import define_bundle, delete_bundle
from flows.actions.carrying import carry
from flows.actions.flows import COLUMNS, define, delete, problems_of, save, set_active
from flows.actions.proposals import Call, Settled, Wanted, accept, propose, refuse, register_verb, withdraw
from flows.actions.restoring import restore, restore_bundle
from flows.actions.revisions import keep_first, keep_revision
from flows.actions.rules import BadFlow, NeedsSecondAdmin, Overtaken, Second, StillNeeded

__all__ = [
    "COLUMNS",
    "BadFlow",
    "Call",
    "NeedsSecondAdmin",
    "Overtaken",
    "Second",
    "Settled",
    "StillNeeded",
    "Wanted",
    "accept",
    "carry",
    "define",
    "define_bundle",
    "delete",
    "delete_bundle",
    "keep_first",
    "keep_revision",
    "problems_of",
    "propose",
    "refuse",
    "register_verb",
    "restore",
    "restore_bundle",
    "save",
    "set_active",
    "withdraw",
]
