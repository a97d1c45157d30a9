"""The only writers of requests: one function per verb. Page, API, task and shell behave alike because of it."""

from access_requests.actions.answers import approve, reject
from access_requests.actions.asking import BadAsk, DryRun, ask, dry_run
from access_requests.actions.credentials import AlreadySeen, NothingToSee, reset_credentials, take_credentials
from access_requests.actions.endings import cancel, end, hand_back, recheck_flow, recheck_person, revoke
from access_requests.actions.grants import absorb, clean_up, dispatch, reorder
from access_requests.actions.rules import NotPossible, NotYours
from access_requests.actions.sweeps import sweep, sweep_cleanups

__all__ = [
    "AlreadySeen",
    "BadAsk",
    "DryRun",
    "NotPossible",
    "NotYours",
    "NothingToSee",
    "absorb",
    "approve",
    "ask",
    "cancel",
    "clean_up",
    "dispatch",
    "dry_run",
    "end",
    "hand_back",
    "recheck_flow",
    "recheck_person",
    "reject",
    "reorder",
    "reset_credentials",
    "revoke",
    "sweep",
    "sweep_cleanups",
    "take_credentials",
]
