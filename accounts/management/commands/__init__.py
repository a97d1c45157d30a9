"""Commands of people and mail."""
