"""The portal's pages: one function view each."""

from access_requests.views.activity import activity, activity_csv
from access_requests.views.answers import approve, grant_again, hand_back, reject, revoke, withdraw
from access_requests.views.arriving import open_requests, step_up
from access_requests.views.asking import check_request, find_people, find_resources, new_request, sent_requests
from access_requests.views.declaring import (
    confirm_declaration,
    declare,
    overdue,
    refuse_declaration,
    withdraw_declaration,
)
from access_requests.views.dossiers import dossier, dossier_file, dossier_keys
from access_requests.views.emergencies import (
    emergencies,
    freeze,
    revocation,
    revocation_part,
    revoke_everything,
    thaw,
)
from access_requests.views.envelopes import (
    envelope,
    envelope_confirm,
    envelope_file,
    envelope_list,
    envelope_new,
    envelope_opened,
    envelope_print,
    envelope_refuse,
    envelope_review,
    envelope_withdraw,
)
from access_requests.views.exports import export_fetch, export_page, export_part
from access_requests.views.extending import approve_extension, extend, reject_extension, withdraw_extension
from access_requests.views.factor import request_factor
from access_requests.views.favourites import favourite
from access_requests.views.home import my_access
from access_requests.views.landing import access_ending
from access_requests.views.passwords import reset_password, show_password
from access_requests.views.reasons import why_not
from access_requests.views.reports import (
    report_csv,
    report_delete,
    report_list,
    report_new,
    report_page,
    report_pause,
    report_resume,
    schedule_reading,
)
from access_requests.views.request import request_page, request_part
from access_requests.views.reviewing import review
from access_requests.views.tasks import my_tasks

__all__ = [
    "access_ending",
    "activity",
    "activity_csv",
    "approve",
    "approve_extension",
    "check_request",
    "confirm_declaration",
    "declare",
    "dossier",
    "dossier_file",
    "dossier_keys",
    "emergencies",
    "envelope",
    "envelope_confirm",
    "envelope_file",
    "envelope_list",
    "envelope_new",
    "envelope_opened",
    "envelope_print",
    "envelope_refuse",
    "envelope_review",
    "envelope_withdraw",
    "export_fetch",
    "export_page",
    "export_part",
    "extend",
    "favourite",
    "find_people",
    "find_resources",
    "freeze",
    "grant_again",
    "hand_back",
    "my_access",
    "my_tasks",
    "new_request",
    "open_requests",
    "overdue",
    "refuse_declaration",
    "reject",
    "reject_extension",
    "report_csv",
    "report_delete",
    "report_list",
    "report_new",
    "report_page",
    "report_pause",
    "report_resume",
    "request_factor",
    "request_page",
    "request_part",
    "reset_password",
    "review",
    "revocation",
    "revocation_part",
    "revoke",
    "revoke_everything",
    "schedule_reading",
    "sent_requests",
    "show_password",
    "step_up",
    "thaw",
    "why_not",
    "withdraw",
    "withdraw_declaration",
    "withdraw_extension",
]
