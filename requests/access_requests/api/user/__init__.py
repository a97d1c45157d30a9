"""The API of people by program, /api/user/: what the token's own person holds, may ask for and asked for.

Fields and words are those of its published description. Every field of an answer is there; null says that there is
nothing, and as `requestor` or `grantee` that it is the caller. Lists take `limit` and `page_token`.
"""
