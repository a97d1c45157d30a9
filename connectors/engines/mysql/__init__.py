"""MySQL and what came of it: a login per grant, made by procedures that the owner installed."""
