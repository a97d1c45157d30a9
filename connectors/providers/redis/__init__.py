"""Redis 7 and later, Valkey 7.2 and later: an ACL user per grant, one set of rules per unit."""
