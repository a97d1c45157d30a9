"""PostgreSQL 13 and later: a login per grant, access by membership in roles that the owner prepared."""
