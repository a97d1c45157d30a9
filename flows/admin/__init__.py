"""The admin pages of policy."""

from flows.admin.bundles import BundleAdmin
from flows.admin.flows import AccessFlowAdmin
from flows.admin.webhooks import WebhookAdmin

__all__ = ["AccessFlowAdmin", "BundleAdmin", "WebhookAdmin"]
