"""The client API, /api/client/v1/: what third-party command-line clients speak.

Fields and words are those of its published description. What is optional and not there is left out, never null: some
clients take a null for a value. Lists take `skip` and `limit`, and `pagination.limit` is the limit that was kept to.
"""
