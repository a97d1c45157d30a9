"""The admin pages of policy."""

from flows.admin.bundles import BundleAdmin
from flows.admin.flows import AccessFlowAdmin
from flows.admin.proposing import ProposalAdmin
from flows.admin.scopes import AccessScopeAdmin
from flows.admin.spaces import SpaceAdmin
from flows.admin.webhooks import WebhookAdmin

__all__ = ["AccessFlowAdmin", "AccessScopeAdmin", "BundleAdmin", "ProposalAdmin", "SpaceAdmin", "WebhookAdmin"]
