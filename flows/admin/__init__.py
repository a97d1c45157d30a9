"""The admin pages of policy."""

from flows.admin.bundles import BundleAdmin
from flows.admin.flows import AccessFlowAdmin
from flows.admin.proposing import ProposalAdmin

__all__ = ["AccessFlowAdmin", "BundleAdmin", "ProposalAdmin"]
