"""OneLogin as a directory: its people, its roles as groups, and who is in them. It only reads."""
