"""The admin pages of policy."""

from flows.admin.flows import AccessFlowAdmin

__all__ = ["AccessFlowAdmin"]
