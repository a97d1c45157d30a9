"""Makes a new provider with its tests."""
