"""Policy: who may get what, for how long, with whose yes."""

from flows.models.flows import AccessFlow, FlowVersion, Timeframe, for_themselves
from flows.models.keeping import AppliedPolicy, AutomaticRun, Change, Proposal, Revision
from flows.models.people import ApproverGroup, Condition
from flows.models.spaces import Space, SpaceMember, SpaceScope
from flows.models.targets import AccessScope, AccessTarget, Bundle, Selector
from flows.models.webhooks import FlowCheck, Webhook, WebhookSecret

__all__ = [
    "AccessFlow",
    "AccessScope",
    "AccessTarget",
    "AppliedPolicy",
    "ApproverGroup",
    "AutomaticRun",
    "Bundle",
    "Change",
    "Condition",
    "FlowCheck",
    "FlowVersion",
    "Proposal",
    "Revision",
    "Selector",
    "Space",
    "SpaceMember",
    "SpaceScope",
    "Timeframe",
    "Webhook",
    "WebhookSecret",
    "for_themselves",
]
