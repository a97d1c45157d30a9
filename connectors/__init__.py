"""Everything that runs beside a target. No Django anywhere in it."""

# Of server and connector alike; a test compares it with pyproject.toml.
VERSION = "0.1.0"
