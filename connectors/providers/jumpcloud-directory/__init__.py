"""JumpCloud as a directory: its people, its groups, and who is in them. It only reads."""
