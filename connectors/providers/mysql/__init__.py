"""MySQL 8.0 and later: a login per grant, made by procedures that the owner installed."""
