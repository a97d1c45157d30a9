"""The only writers of policy: one function per verb."""

from flows.actions.automatic import Step, move_run, put_off_run, run_now, start_run, take_up
from flows.actions.bundles import define_bundle, delete_bundle
from flows.actions.calling import Answer, Question, ask_webhook, question_of, try_webhook
from flows.actions.carrying import carry
from flows.actions.flows import COLUMNS, define, delete, problems_of, save, set_active
from flows.actions.proposals import Call, Settled, Wanted, accept, propose, refuse, withdraw
from flows.actions.restoring import restore, restore_bundle, restore_scope
from flows.actions.revisions import keep_first, keep_revision
from flows.actions.rules import BadFlow, NeedsSecondAdmin, Overtaken, Second, StillNeeded
from flows.actions.scopes import define_scope, delete_scope
from flows.actions.spaces import add_member, define_space, delete_space, remove_member
from flows.actions.webhooks import define_webhook, delete_webhook, flows_naming

__all__ = [
    "COLUMNS",
    "Answer",
    "BadFlow",
    "Call",
    "NeedsSecondAdmin",
    "Overtaken",
    "Question",
    "Second",
    "Settled",
    "Step",
    "StillNeeded",
    "Wanted",
    "accept",
    "add_member",
    "ask_webhook",
    "carry",
    "define",
    "define_bundle",
    "define_scope",
    "define_space",
    "define_webhook",
    "delete",
    "delete_bundle",
    "delete_scope",
    "delete_space",
    "delete_webhook",
    "flows_naming",
    "keep_first",
    "keep_revision",
    "move_run",
    "problems_of",
    "propose",
    "put_off_run",
    "question_of",
    "refuse",
    "remove_member",
    "restore",
    "restore_bundle",
    "restore_scope",
    "run_now",
    "save",
    "set_active",
    "start_run",
    "take_up",
    "try_webhook",
    "withdraw",
]
