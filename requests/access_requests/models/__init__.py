"""Requests, approvals, grants, sessions, extensions, and the record of how each ended."""

from access_requests.models.drift import DriftFinding, Look, ReconcileRun, ToLookAt
from access_requests.models.emergencies import Declaration, Freeze, Revocation
from access_requests.models.envelopes import Envelope, PlatformGap, Pulse
from access_requests.models.extensions import Extension, ExtensionApproval
from access_requests.models.news import Change
from access_requests.models.notices import OverdueNotice, OverdueWebhook
from access_requests.models.policy import AskedFacts, Review, Reviewer, WebhookCall
from access_requests.models.proofs import Dossier, Proof, StandingRecord
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
from access_requests.models.templates import RequestTemplate
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
    "Dossier",
    "DriftFinding",
    "Envelope",
    "Export",
    "ExportPart",
    "Extension",
    "ExtensionApproval",
    "Favourite",
    "Freeze",
    "Look",
    "Narrowing",
    "OverdueNotice",
    "OverdueWebhook",
    "PlatformGap",
    "Proof",
    "Pulse",
    "ReconcileRun",
    "Report",
    "RequestTemplate",
    "Review",
    "Reviewer",
    "Revocation",
    "SentForm",
    "StandingRecord",
    "ToLookAt",
    "Transition",
    "WebhookCall",
    "new_token",
]
