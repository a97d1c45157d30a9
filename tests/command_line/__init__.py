"""The command line `latchkey`, against the product itself, and against servers that mean no good."""
