"""The admin pages of requests: to be read, and to revoke."""

from access_requests.admin.drift import DriftFindingAdmin
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
    "DriftFindingAdmin",
    "OverdueWebhookAdmin",
    "ProofAdmin",
    "StandingRecordAdmin",
    "TransitionAdmin",
]
