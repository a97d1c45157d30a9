"""The admin pages of policy."""

from flows.admin.bundles import BundleAdmin
from flows.admin.flows import AccessFlowAdmin

__all__ = ["AccessFlowAdmin", "BundleAdmin"]
