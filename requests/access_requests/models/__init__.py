"""Requests, approvals, grants, sessions, extensions, and the record of how each ended."""

from access_requests.models.declarations import Declaration
from access_requests.models.extensions import Extension, ExtensionApproval
from access_requests.models.news import Change
from access_requests.models.notices import OverdueNotice, OverdueWebhook
from access_requests.models.policy import AskedFacts, Review, Reviewer, WebhookCall
from access_requests.models.proofs import Proof, StandingRecord
from access_requests.models.reports import Export, ExportPart, Report
from access_requests.models.requests import (
    AccessGroup,
    AccessRequest,
    AccessSession,
    AccessUnit,
    Approval,
    Transition,
)
from access_requests.models.sending import SentForm, new_token
from access_requests.models.wishes import Favourite, Narrowing

__all__ = [
    "AccessGroup",
    "AccessRequest",
    "AccessSession",
    "AccessUnit",
    "Approval",
    "AskedFacts",
    "Change",
    "Declaration",
    "Export",
    "ExportPart",
    "Extension",
    "ExtensionApproval",
    "Favourite",
    "Narrowing",
    "OverdueNotice",
    "OverdueWebhook",
    "Proof",
    "Report",
    "Review",
    "Reviewer",
    "SentForm",
    "StandingRecord",
    "Transition",
    "WebhookCall",
    "new_token",
]
