"""The admin pages of policy."""

from flows.admin.bundles import BundleAdmin
from flows.admin.flows import AccessFlowAdmin
from flows.admin.scopes import AccessScopeAdmin

__all__ = ["AccessFlowAdmin", "AccessScopeAdmin", "BundleAdmin"]
