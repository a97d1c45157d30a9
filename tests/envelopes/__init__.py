"""Break-glass envelopes."""
