"""The only writers of requests: one function per verb. Page, API, task and shell behave alike because of it."""

from access_requests.actions.answers import approve, approve_less, reject
from access_requests.actions.asking import ENTITLEMENTS_MAX, BadAsk, DryRun, ask, dry_run, glass_of
from access_requests.actions.calls import run_calls
from access_requests.actions.credentials import AlreadySeen, NothingToSee, reset_credentials, take_credentials
from access_requests.actions.declaring import confirm_end, propose_end, refuse_end, withdraw_end
from access_requests.actions.drifting import grant_again
from access_requests.actions.emergencies import freeze, off_board, revoke_all, thaw
from access_requests.actions.endings import (
    cancel,
    end,
    hand_back,
    recheck_everything,
    recheck_flow,
    recheck_integration,
    recheck_person,
    revoke,
)
from access_requests.actions.exports import AT_ONCE, export_now, fetch, run_exports, sweep_expired
from access_requests.actions.extending import (
    Room,
    approve_extension,
    cancel_extension,
    extend,
    reject_extension,
    room_of,
)
from access_requests.actions.factor import prove_factor
from access_requests.actions.favourites import FAVOURITES_MAX, drop_favourite, keep_favourite
from access_requests.actions.grants import absorb, clean_up, dispatch, reorder
from access_requests.actions.mailing import file_name
from access_requests.actions.questions import ask_group
from access_requests.actions.reports import (
    RECIPIENTS_MAX,
    Wish,
    change_report,
    delete_report,
    pause_report,
    resume_report,
    save_report,
)
from access_requests.actions.reviewing import review
from access_requests.actions.rules import NotPossible, NotYours
from access_requests.actions.schedules import sweep_reports
from access_requests.actions.sending import Sent, send
from access_requests.actions.standing_in import ask_stand_ins, ask_stand_ins_again, sweep_stand_ins
from access_requests.actions.sweeps import sweep, sweep_cleanups
from access_requests.actions.templates import TEMPLATES_MAX, Template, drop_template, keep_template
from access_requests.actions.tiers import sweep_escalations

__all__ = [
    "AT_ONCE",
    "ENTITLEMENTS_MAX",
    "FAVOURITES_MAX",
    "RECIPIENTS_MAX",
    "TEMPLATES_MAX",
    "AlreadySeen",
    "BadAsk",
    "DryRun",
    "NotPossible",
    "NotYours",
    "NothingToSee",
    "Room",
    "Sent",
    "Template",
    "Wish",
    "absorb",
    "approve",
    "approve_extension",
    "approve_less",
    "ask",
    "ask_group",
    "ask_stand_ins",
    "ask_stand_ins_again",
    "cancel",
    "cancel_extension",
    "change_report",
    "clean_up",
    "confirm_end",
    "delete_report",
    "dispatch",
    "drop_favourite",
    "drop_template",
    "dry_run",
    "end",
    "export_now",
    "extend",
    "fetch",
    "file_name",
    "freeze",
    "glass_of",
    "grant_again",
    "hand_back",
    "keep_favourite",
    "keep_template",
    "off_board",
    "pause_report",
    "propose_end",
    "prove_factor",
    "recheck_everything",
    "recheck_flow",
    "recheck_integration",
    "recheck_person",
    "refuse_end",
    "reject",
    "reject_extension",
    "reorder",
    "reset_credentials",
    "resume_report",
    "review",
    "revoke",
    "revoke_all",
    "room_of",
    "run_calls",
    "run_exports",
    "save_report",
    "send",
    "sweep",
    "sweep_cleanups",
    "sweep_escalations",
    "sweep_expired",
    "sweep_reports",
    "sweep_stand_ins",
    "take_credentials",
    "thaw",
    "withdraw_end",
]
