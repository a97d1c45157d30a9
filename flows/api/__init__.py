"""The API of policy: documents of the published contracts in and out, every write through flows.actions.

parts      conditions, selectors and targets: contract to document and back
mapping    whole access flows, the same way; pure
naming     what references mean: ids and names, read once for a whole body
reading    rows into documents in the order in which they were written, a page in a fixed number of queries
shapes     serializers: what may be written, and how it is described
"""
