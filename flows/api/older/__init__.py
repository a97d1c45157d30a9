"""Policy at the older addresses: the first version of access flows and bundles, and webhooks.

shapes      serializers of flows and bundles
identities  ids of people, groups and attributes, which the first version names instead of conditions
parts       conditions, targets, times: contract to document and back
mapping     whole flows, the same way; pure
views       the endpoints
webhooks    webhooks, with shapes of their own
"""
