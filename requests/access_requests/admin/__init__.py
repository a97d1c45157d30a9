"""The admin pages of requests: to be read, and to revoke."""

from access_requests.admin.notices import OverdueWebhookAdmin
from access_requests.admin.records import (
    AccessSessionAdmin,
    ApprovalAdmin,
    ProofAdmin,
    StandingRecordAdmin,
    TransitionAdmin,
)
from access_requests.admin.requests import AccessRequestAdmin

__all__ = [
    "AccessRequestAdmin",
    "AccessSessionAdmin",
    "ApprovalAdmin",
    "OverdueWebhookAdmin",
    "ProofAdmin",
    "StandingRecordAdmin",
    "TransitionAdmin",
]
