"""A provider for tests: see provider.py."""
