"""Policy: scopes, bundles, access flows, and the decision."""
