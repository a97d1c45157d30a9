"""The portal's pages: one function view each."""

from access_requests.views.answers import approve, hand_back, reject, revoke, withdraw
from access_requests.views.asking import check_request, find_resources, new_request
from access_requests.views.extending import approve_extension, extend, reject_extension, withdraw_extension
from access_requests.views.favourites import favourite
from access_requests.views.home import my_access
from access_requests.views.passwords import reset_password, show_password
from access_requests.views.request import request_page, request_part
from access_requests.views.tasks import my_tasks

__all__ = [
    "approve",
    "approve_extension",
    "check_request",
    "extend",
    "favourite",
    "find_resources",
    "hand_back",
    "my_access",
    "my_tasks",
    "new_request",
    "reject",
    "reject_extension",
    "request_page",
    "request_part",
    "reset_password",
    "revoke",
    "show_password",
    "withdraw",
    "withdraw_extension",
]
