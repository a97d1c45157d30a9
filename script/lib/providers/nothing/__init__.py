"""A provider for benchmarks: see provider.py."""
