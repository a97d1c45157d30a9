"""How a kind of program is run. The only users of drivers, sockets and subprocesses."""
