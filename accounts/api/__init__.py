"""Endpoints of people and their tokens."""
