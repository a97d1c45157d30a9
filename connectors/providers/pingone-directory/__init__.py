"""PingOne as a directory: the people of an environment, its groups, and who is in them. It only reads."""
