"""Asks, approvals, grants: the lifecycle of access."""
