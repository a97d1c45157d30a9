"""local.py runs one order in this process, exactly as a remote worker will."""
