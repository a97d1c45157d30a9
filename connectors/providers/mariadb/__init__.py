"""MariaDB 10.5 and later: a login per grant, made by procedures that the owner installed."""
