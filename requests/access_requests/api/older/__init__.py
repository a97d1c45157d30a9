"""Older addresses about requests, /api/v3/, that are still in use: of administration and of whose token it is.

Fields and words are those of the published description. Lists count: `limit` and `offset`, answered with `total`.
"""
