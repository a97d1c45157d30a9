"""What a change would do, and what takes two."""
